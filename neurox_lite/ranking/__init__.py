"""One function per method; every one returns a NeuronRanking."""

from neurox_lite.ranking.linguistic_correlation import linguistic_correlation
from neurox_lite.ranking.random import random_ranking

__all__ = ["linguistic_correlation", "random_ranking"]
