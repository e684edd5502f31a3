"""Which input tokens decide? One function per method, every one gives each token a number."""

from neurox_lite.attribution.gradient_times_input import gradient_times_input
from neurox_lite.attribution.integrated_gradients import integrated_gradients
from neurox_lite.attribution.leave_one_out import leave_one_out
from neurox_lite.attribution.methods import attribute_by
from neurox_lite.attribution.random_attribution import random_attribution
from neurox_lite.attribution.uniform import uniform
from neurox_lite.attribution_methods import ATTRIBUTION_METHODS
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions

__all__ = [
    "ATTRIBUTION_METHODS",
    "ExplainedTexts",
    "TokenAttributions",
    "attribute_by",
    "gradient_times_input",
    "integrated_gradients",
    "leave_one_out",
    "random_attribution",
    "uniform",
]
