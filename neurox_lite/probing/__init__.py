"""Probes: fit them to a proven optimum, and ask what they would do without information."""

from neurox_lite.probing.batched import fit_one_vs_rest
from neurox_lite.probing.layerwise import fit_layers, layer_scores
from neurox_lite.probing.learning_curve import learning_curve
from neurox_lite.probing.online_code import online_code_length
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.regression import ElasticNetRegression
from neurox_lite.probing.search import regularisation_search
from neurox_lite.probing.selectivity import control_labels, selectivity

__all__ = [
    "ElasticNetProbe",
    "ElasticNetRegression",
    "control_labels",
    "fit_layers",
    "fit_one_vs_rest",
    "layer_scores",
    "learning_curve",
    "online_code_length",
    "regularisation_search",
    "selectivity",
]
