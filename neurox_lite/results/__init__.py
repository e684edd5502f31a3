"""What the stages hand on: frozen results that save, load and show themselves."""

from neurox_lite.results.ablation import AblationCurve, AblationCurves
from neurox_lite.results.probing import MinimalSet, RegularisationSearch, Selectivity
from neurox_lite.results.ranking import NeuronRanking

__all__ = [
    "AblationCurve",
    "AblationCurves",
    "MinimalSet",
    "NeuronRanking",
    "RegularisationSearch",
    "Selectivity",
]
