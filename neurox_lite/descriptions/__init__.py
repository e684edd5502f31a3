"""What is a neuron about, and how well does a description say so?"""

from neurox_lite.descriptions.causal_effect import causal_effect
from neurox_lite.descriptions.describe import describe
from neurox_lite.descriptions.detection import detect
from neurox_lite.descriptions.exemplars import exemplars
from neurox_lite.descriptions.formulas import compositional_formulas
from neurox_lite.descriptions.scoring import score_with_references
from neurox_lite.descriptions.tokens_written import tokens_written

__all__ = [
    "causal_effect",
    "compositional_formulas",
    "describe",
    "detect",
    "exemplars",
    "score_with_references",
    "tokens_written",
]
