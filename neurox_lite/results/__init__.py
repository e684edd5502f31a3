"""What the stages hand on: frozen results that save, load and show themselves."""

from neurox_lite.results.ablation import AblationCurve, AblationCurves
from neurox_lite.results.agreement import AgreementMatrix
from neurox_lite.results.bake_off import BakeOff
from neurox_lite.results.clusters import NeuronClusters
from neurox_lite.results.layer_similarity import LayerSimilarity
from neurox_lite.results.layers import LayerScores
from neurox_lite.results.mask_fit import MaskFit
from neurox_lite.results.mask_overlaps import MaskOverlaps
from neurox_lite.results.method_table import MethodTable
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.probing import (
    Interval,
    LearningCurve,
    MinimalSet,
    OnlineCode,
    Selectivity,
)
from neurox_lite.results.rank_intervals import RankIntervals
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.search import RegularisationSearch
from neurox_lite.results.side_effects import SideEffects
from neurox_lite.results.steering import SteeringCurve, SteeringCurves
from neurox_lite.results.top_overlap import TopOverlap, compare_sets

__all__ = [
    "AblationCurve",
    "AblationCurves",
    "AgreementMatrix",
    "BakeOff",
    "Interval",
    "LayerScores",
    "LayerSimilarity",
    "LearningCurve",
    "MaskFit",
    "MaskOverlaps",
    "MethodTable",
    "MinimalSet",
    "NeuronClusters",
    "NeuronMask",
    "NeuronRanking",
    "OnlineCode",
    "RankIntervals",
    "RegularisationSearch",
    "Selectivity",
    "SideEffects",
    "SteeringCurve",
    "SteeringCurves",
    "TopOverlap",
    "compare_sets",
]
