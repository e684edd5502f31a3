"""Which input tokens decide? Methods that give each token a number."""

from neurox_lite.attribution.leave_one_out import leave_one_out
from neurox_lite.attribution.uniform import uniform
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions

__all__ = ["ExplainedTexts", "TokenAttributions", "leave_one_out", "uniform"]
