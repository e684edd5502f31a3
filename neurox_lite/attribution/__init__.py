"""Which input tokens decide? One function per method, every one gives each token a number."""

from neurox_lite.attribution.agreement import agreement
from neurox_lite.attribution.attention_rollout import attention_rollout
from neurox_lite.attribution.comparison import compare_attributions
from neurox_lite.attribution.diffmask import diffmask
from neurox_lite.attribution.diffmask_per_text import diffmask_per_text
from neurox_lite.attribution.exact_erasure import exact_erasure
from neurox_lite.attribution.faithfulness import faithfulness
from neurox_lite.attribution.gradient_times_input import gradient_times_input
from neurox_lite.attribution.information_bottleneck import information_bottleneck, state_moments
from neurox_lite.attribution.integrated_gradients import integrated_gradients
from neurox_lite.attribution.kept_tokens import kept_by
from neurox_lite.attribution.leave_one_out import leave_one_out
from neurox_lite.attribution.methods import attribute_by
from neurox_lite.attribution.noise import noise
from neurox_lite.attribution.random_attribution import random_attribution
from neurox_lite.attribution.reinforce import reinforce
from neurox_lite.attribution.uniform import uniform
from neurox_lite.attribution_methods import ATTRIBUTION_METHODS
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions

__all__ = [
    "ATTRIBUTION_METHODS",
    "ExplainedTexts",
    "TokenAttributions",
    "agreement",
    "attention_rollout",
    "attribute_by",
    "compare_attributions",
    "diffmask",
    "diffmask_per_text",
    "exact_erasure",
    "faithfulness",
    "gradient_times_input",
    "information_bottleneck",
    "integrated_gradients",
    "kept_by",
    "leave_one_out",
    "noise",
    "random_attribution",
    "reinforce",
    "state_moments",
    "uniform",
]
