"""Which neurons the report shows, in which order, and what results there are of them."""

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
    """The neurons of the table.

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

    def values(self, of: NeuronSpace, values: Sequence[Any] | np.ndarray) -> list[Any]:
        """Numbers of the neurons of another space in the order of the rows; None where unknown."""
        whole: list[Any] = [None] * self.space.n_neurons
        for column, value in zip(columns_in(of, self.space), values, strict=True):
            whole[column] = value
        return [whole[column] for column in self.columns]


def table_rows(subjects: Subjects, most: int | None) -> Rows | None:
    """The neurons to show, in the order of the main ranking; None where there are none.

    Without a ranking those of the exemplars or descriptions in their own order.
    """
    rankings = all_rankings(subjects)
    main = rankings[0].ranking if rankings else None
    space = main.space if main is not None else None
    columns = main.order if main is not None else None
    if space is None:
        for kind in (EXEMPLARS, DESCRIBED):
            for found in subjects.found.of(kind):
                space = space or space_of(found.result)
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
    assert columns is not None
    return Rows(space, main, columns[:most])


def same_neurons(subjects: Subjects, rows: Rows) -> list[NamedRanking]:
    """Rankings whose neurons are those of the table, or some of them."""
    return [each for each in all_rankings(subjects) if are_alike(each.ranking.space, rows.space)][
        :MOST_RANKINGS
    ]


def exemplars_of(subjects: Subjects, space: NeuronSpace) -> Exemplars | None:
    """Exemplars of these neurons; the first of several."""
    for found in subjects.found.of(EXEMPLARS):
        exemplars: Exemplars = found.result
        if are_alike(space, exemplars.space) or are_alike(exemplars.space, space):
            return exemplars
    return None


def descriptions_of(subjects: Subjects, space: NeuronSpace) -> list[NeuronDescriptions]:
    """All descriptions of neurons of this space."""
    several = [found.result for found in subjects.found.of(DESCRIBED)]
    return [
        each for each in several if are_alike(each.space, space) or are_alike(space, each.space)
    ]


def own_exemplars(subjects: Subjects, rows: Rows) -> dict[Neuron, NeuronExemplars]:
    """By neuron those that stand beside descriptions."""
    return {
        own.neuron: own
        for found in descriptions_of(subjects, rows.space)
        for own in found.exemplars
    }
