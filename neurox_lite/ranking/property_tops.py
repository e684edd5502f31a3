"""The chosen neurons of several properties: the top of a ranking each, under a name each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurox_lite.arguments import expect, whole_number
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.results.ranking import NeuronRanking

Counts = int | Mapping[str, int] | None
"""How many neurons: of every property as many, of each its own number, or a tenth of all."""


def named_rankings(rankings: Any) -> dict[str, NeuronRanking]:
    """Rankings by the name of their property, at least one.

    Raises
    ------
    InputError
        When it is no dict from names to rankings, or empty.
    """
    expect(rankings, Mapping, "rankings", "a dict from the names of properties to rankings")
    if not rankings:
        raise InputError("no rankings; give at least one")
    for name, ranking in rankings.items():
        expect(name, str, "a name of the rankings", "a string")
        expect(ranking, NeuronRanking, f"rankings['{name}']", "a NeuronRanking")
    return dict(rankings)


def tops(rankings: Mapping[str, NeuronRanking], k: Counts) -> dict[str, np.ndarray]:
    """The columns of the top k of each ranking, best first, as far as it orders them.

    Parameters
    ----------
    rankings : dict from name to NeuronRanking
    k : int, dict from name to int, or None
        A tenth of the neurons by default; of properties that the dict does not have, too.

    Raises
    ------
    InputError
        When a number is out of range, or for no property.
    """
    if isinstance(k, Mapping):
        for name in k:
            if name not in rankings:
                raise unknown_choice("property of k", name, rankings)
    found = {}
    for name, ranking in rankings.items():
        given = k.get(name) if isinstance(k, Mapping) else k
        n_neurons = ranking.space.n_neurons
        count = max(1, n_neurons // 10) if given is None else whole_number(given, "k", least=1)
        found[name] = ranking.top_columns(count)
    return found
