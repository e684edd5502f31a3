"""Which ranking stands for a job, and which are of the same neurons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.neurons import NeuronSpace, is_other_revision
from neurox_lite.report.found import Found
from neurox_lite.report.job_files import RANKING
from neurox_lite.report.subjects import Subjects
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.showing import short_repr

KIND = "neuron ranking"
IN_MODEL = "single-replacement"
"""The ranking whose scores are what replacing each neuron does to the running model, in nats."""


@dataclass(frozen=True)
class NamedRanking:
    """A ranking, what it is called among the others, and what its job is called."""

    name: str
    label: str
    found: Found

    __repr__ = short_repr

    @property
    def ranking(self) -> NeuronRanking:
        ranking: NeuronRanking = self.found.result
        return ranking


def main_rankings(subjects: Subjects) -> dict[str, NeuronRanking]:
    """By the folder of a job its own ranking; of results without one the first."""
    found = {}
    for home in subjects.found.homes:
        own = _in_order(subjects.found.of(KIND, home))
        if own:
            found[home] = own[0].result
    return found


def all_rankings(subjects: Subjects, of: NeuronSpace | None = None) -> list[NamedRanking]:
    """Every ranking, those that stand for a job first; named by method, and place if need be.

    With a space only those of its neurons, named among these.
    """
    several = [
        each
        for home in subjects.found.homes
        for each in _in_order(subjects.found.of(KIND, home))
        if of is None or are_alike(each.result.space, of)
    ]
    labels = subjects.labels
    if of is not None:
        labels = subjects.labels_among(each.home for each in several)
    methods = [": ".join(filter(None, (labels[f.home], f.result.method))) for f in several]
    named: list[NamedRanking] = []
    for each, name in zip(several, methods, strict=True):
        if methods.count(name) > 1:
            name = f"{name} ({each.place or each.path.stem})"
        while name in (one.name for one in named):
            name = f"{name} ({each.path.as_posix()})"
        named.append(NamedRanking(name, labels[each.home], each))
    return named


def _in_order(found: list[Found]) -> list[Found]:
    """``ranking.json`` before others, those higher up before those below, by path."""

    def key(each: Found) -> tuple[bool, int, str]:
        own = each.path.name == RANKING.name and not each.place
        return not own, len(each.path.parts), each.path.as_posix()

    return sorted(found, key=key)


def are_alike(one: NeuronSpace, other: NeuronSpace) -> bool:
    """Whether neurons of the one are among those of the other, as far as is known."""
    if is_other_revision(one.revision, other.revision) or one.site != other.site:
        return False
    same_model = one.model == other.model or bool(one.revision and other.revision)
    if not same_model or one.groups != other.groups:
        return one == other
    widths = dict(zip(other.layers, other.widths, strict=True))
    return all(widths.get(layer) == w for layer, w in zip(one.layers, one.widths, strict=True))


def columns_in(space: NeuronSpace, whole: NeuronSpace) -> np.ndarray:
    """Of the neurons of a space their columns in another, of which :func:`are_alike` says so."""
    parts = [np.arange(*_ends(whole, layer)) for layer in space.layers]
    return np.concatenate(parts)


def _ends(space: NeuronSpace, layer: int) -> tuple[int, int]:
    columns = space.columns(layer)
    return columns.start, columns.stop


def are_of(intervals: RankIntervals, ranking: NeuronRanking) -> bool:
    """Whether intervals are of this ranking, and not of the same method for another property."""
    same = intervals.method == ranking.method and are_alike(intervals.space, ranking.space)
    return same and np.array_equal(intervals.ranks, ranking.ranks)


def by_name(rankings: list[NamedRanking]) -> Mapping[str, NeuronRanking]:
    """Rankings by what they are called."""
    return {each.name: each.ranking for each in rankings}
