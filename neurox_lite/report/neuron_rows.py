"""Which neurons of each model the report shows, in which order, and what there is of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.neuron_description import NeuronDescriptions
from neurox_lite.descriptions.neuron_exemplars import NeuronExemplars
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.report.about import DESCRIBED, EXEMPLARS
from neurox_lite.report.main_ranking import NamedRanking, all_rankings, are_alike, columns_in
from neurox_lite.report.subjects import Subjects, space_of
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.showing import short_repr

MOST_NEURONS = 5_000
MOST_RANKINGS = 40


@dataclass(frozen=True)
class Rows:
    """The neurons of a table.

    Attributes
    ----------
    space : NeuronSpace
        Of all of them.
    main : NeuronRanking, optional
        Whose order they have.
    columns : (n_rows,) int array
        Their columns in the space.
    """

    space: NeuronSpace
    main: NeuronRanking | None
    columns: np.ndarray

    __repr__ = short_repr

    @cached_property
    def neurons(self) -> list[Neuron]:
        return self.space.neurons(self.columns)

    def places_in(self, of: NeuronSpace) -> list[int | None]:
        """Of each row its column in another space, of whose neurons some or all are in this."""
        whole: list[int | None] = [None] * self.space.n_neurons
        for place, column in enumerate(columns_in(of, self.space).tolist()):
            whole[column] = place
        return [whole[column] for column in self.columns]

    def values(self, of: NeuronSpace, values: Sequence[Any] | np.ndarray) -> list[Any]:
        """Numbers of the neurons of another space in the order of the rows; None where unknown."""
        return [None if place is None else values[place] for place in self.places_in(of)]


def rows_of_models(subjects: Subjects, most: int | None) -> dict[str, Rows]:
    """The neurons to show of each model, in the order of its main ranking, by what it is called.

    A model has a table of its own for every site, and for heads or other groups of its neurons.
    Without any ranking neurons are those of exemplars or descriptions, in their own order.
    """
    found: list[Rows] = []
    for each in all_rankings(subjects):
        main = each.ranking
        if not any(are_of_one(main.space, rows.space) for rows in found):
            found.append(Rows(main.space, main, main.order[:most]))
    if not found:
        unranked = _without_ranking(subjects, most)
        found = [] if unranked is None else [unranked]
    return dict(zip(_names([rows.space for rows in found]), found, strict=True))


def are_of_one(one: NeuronSpace, other: NeuronSpace) -> bool:
    """Whether the neurons of either are among those of the other."""
    return are_alike(one, other) or are_alike(other, one)


def _without_ranking(subjects: Subjects, most: int | None) -> Rows | None:
    kinds = (EXEMPLARS, DESCRIBED)
    spaces = (space_of(f.result) for kind in kinds for f in subjects.found.of(kind))
    space = next((each for each in spaces if each is not None), None)
    if space is None:
        return None
    described = [
        one.neuron
        for f in subjects.found.of(DESCRIBED)
        for one in f.result.neurons
        if are_alike(f.result.space, space)
    ]
    first = space.columns_of(list(dict.fromkeys(described))) if described else np.arange(0)
    others = np.setdiff1d(np.arange(space.n_neurons), first)
    has_all = bool(subjects.found.of(EXEMPLARS))
    columns = np.concatenate([first, others]) if has_all or not described else first
    return Rows(space, None, columns[:most])


def _names(spaces: Sequence[NeuronSpace]) -> list[str]:
    """What tells each from the others."""
    names: list[str] = []
    for parts in (("model",), ("model", "site"), ("model", "site", "unit_name")):
        names = [", ".join(str(getattr(space, part)) for part in parts) for space in spaces]
        if len(set(names)) == len(names):
            return names
    return [f"{name} ({number})" for number, name in enumerate(names, start=1)]


def same_neurons(subjects: Subjects, rows: Rows) -> list[NamedRanking]:
    """Rankings whose neurons are those of the table, or some of them; the main one first."""
    return all_rankings(subjects, rows.space)[:MOST_RANKINGS]


def of_jobs(subjects: Subjects, rows: Rows) -> list[NamedRanking]:
    """The first of these, and the first of each other job, as of each property."""
    firsts: dict[str, NamedRanking] = {}
    for each in same_neurons(subjects, rows):
        if not firsts or each.found.home in subjects.found.jobs:
            firsts.setdefault(each.found.home, each)
    return list(firsts.values())


def exemplars_of(subjects: Subjects, space: NeuronSpace) -> Exemplars | None:
    """Exemplars of these neurons; the first of several."""
    for found in subjects.found.of(EXEMPLARS):
        exemplars: Exemplars = found.result
        if are_of_one(space, exemplars.space):
            return exemplars
    return None


def descriptions_of(subjects: Subjects, space: NeuronSpace) -> list[NeuronDescriptions]:
    """All descriptions of neurons of this space."""
    several = [found.result for found in subjects.found.of(DESCRIBED)]
    return [each for each in several if are_of_one(each.space, space)]


def own_exemplars(subjects: Subjects, rows: Rows) -> dict[Neuron, NeuronExemplars]:
    """By neuron those that stand beside descriptions."""
    return {
        own.neuron: own
        for found in descriptions_of(subjects, rows.space)
        for own in found.exemplars
    }
