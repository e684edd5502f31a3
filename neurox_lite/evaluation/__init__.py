"""Are the top neurons of a ranking those that count? Ablation on activations, and comparisons."""

from neurox_lite.evaluation.ablation import ablate
from neurox_lite.evaluation.localisation import localisation
from neurox_lite.evaluation.minimal_set import disjoint_minimal_sets, minimal_set
from neurox_lite.evaluation.rank_intervals import rank_intervals
from neurox_lite.evaluation.ranker_comparison import compare_rankers

__all__ = [
    "ablate",
    "compare_rankers",
    "disjoint_minimal_sets",
    "localisation",
    "minimal_set",
    "rank_intervals",
]
