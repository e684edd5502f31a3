"""Rankings of neurons as rankings of heads or other groups, each method in its way."""

from __future__ import annotations

from neurox_lite.neurons import NeuronSpace
from neurox_lite.ranking_methods import METHODS
from neurox_lite.results.ranking import FIRST, NeuronRanking


def in_units(ranking: NeuronRanking, units: NeuronSpace | None) -> NeuronRanking:
    """A ranking of neurons as one of groups, if these are asked for.

    Of methods that select, a group has the place of its first neuron, and else the mean score.
    """
    if units is None or ranking.space.groups is not None:
        return ranking
    row = METHODS.get(ranking.method)
    return ranking.group(units, FIRST if row and row.selects else None)
