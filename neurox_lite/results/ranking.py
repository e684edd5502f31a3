"""A ranking: all neurons of a space in order of importance.

Long, since all that a ranking can be asked is a method of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.arguments import as_python, expect, one_or_more, real_number, whole_number
from neurox_lite.choices import did_you_mean, listed, unknown_choice
from neurox_lite.column_groups import REDUCTIONS
from neurox_lite.errors import InputError
from neurox_lite.figures import (
    Given,
    title_of,
)
from neurox_lite.neurons import Layers, Neuron, NeuronSpace, check_revision
from neurox_lite.results.bars_html import bars
from neurox_lite.results.html import MOST_ROWS, framed, said, shown_table
from neurox_lite.results.label_heat_map import plot_label_heat_map
from neurox_lite.results.layer_bars import plot_layer_bars
from neurox_lite.results.ranking_files import read_ranking, write_fields
from neurox_lite.results.tables import Table, as_pandas, is_table_name, write_table
from neurox_lite.results.top_overlap import TopOverlap, compare_sets
from neurox_lite.showing import short_repr, some, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRST = "first"


MOST_SHOWN = 30
"""Neurons of a heat map."""


@dataclass(frozen=True, eq=False)
class NeuronRanking:
    """A total order over all neurons of a space, most important first.

    Parameters
    ----------
    space : NeuronSpace
        Of a grouped space the ranking is over its groups, such as attention heads; all that is said
        of neurons here is then said of these. See :meth:`group`.
    order : (n_neurons,) int array
        Columns, most important first.
    scores : (n_neurons,) float array
        Score of each column (not in the order of the ranking).
    method : str
    classes : tuple
        Classes of ``class_scores``, strings or numbers as the labels were; empty when the method
        has none.
    class_scores : (n_classes, n_neurons) float array, optional
        Non-negative importance of each column for each class.
    parameters, provenance : dict
        What the method was given, and what it was computed from; JSON-ready.

    Raises
    ------
    InputError
        When ``order`` is not a permutation of all neurons or a shape does not fit.
    """

    space: NeuronSpace
    order: np.ndarray
    scores: np.ndarray
    method: str
    classes: tuple[Any, ...] = ()
    class_scores: np.ndarray | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = expect(self.space, NeuronSpace, "space", "a NeuronSpace").n_neurons
        for name in ("order", "scores", "class_scores"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, np.asarray(getattr(self, name)))
        object.__setattr__(self, "classes", tuple(as_python(self.classes)))
        if self.order.shape != (n,) or not np.array_equal(np.sort(self.order), np.arange(n)):
            raise InputError(
                f"ranking '{self.method}': the order is not a permutation of {n} neurons"
            )
        if self.scores.shape != (n,):
            raise InputError(f"ranking '{self.method}': {self.scores.shape} scores for {n} neurons")
        if self.class_scores is not None and self.class_scores.shape != (len(self.classes), n):
            raise InputError(f"ranking '{self.method}': class scores have the wrong shape")

    @classmethod
    def from_scores(
        cls, space: NeuronSpace, scores: np.ndarray, method: str, **details: Any
    ) -> NeuronRanking:
        """Rank by decreasing score; ties by column, NaN last.

        Raises
        ------
        InputError
            When scores are no real numbers, or infinite.
        """
        scores = np.asarray(scores)
        if scores.dtype.kind not in "fiub" or np.isinf(scores).any():
            raise InputError(f"ranking '{method}': scores must be finite numbers, or NaN for none")
        scores = scores.astype(np.float64)
        order = np.argsort(-scores, kind="stable")
        return cls(space, order, scores, method, **details)

    __repr__ = short_repr
    to_pandas = as_pandas

    def __str__(self) -> str:
        facts = {
            self.space.unit_name: self.space.n_neurons,
            "site": self.space.site,
            "layers": some(self.space.layers),
            "without a score": int(np.isnan(self.scores).sum()) or None,
            "classes": some(self.classes) if self.classes else None,
        }
        top = some(self.space.neurons(self.order[: min(10, self.n_ordered)]), most=10)
        return summary(f"NeuronRanking by {self.method}", facts, [f"top {top}"])

    @property
    def ranks(self) -> np.ndarray:
        """Place of each column in the order, 0 for the best; shape (n_neurons,)."""
        return np.argsort(self.order)

    @property
    def tied_ranks(self) -> np.ndarray:
        """Ranks where neighbours of equal score share the mean of theirs; shape (n_neurons,).

        The order itself breaks ties by what else the method knows, otherwise by column, which says
        nothing about the neurons: those a method gives no weight stand there layer after layer. A
        greedy method may order neurons against their scores; only neighbours in the order are tied.
        """
        scores = self.scores[self.order]
        differs = (scores[1:] != scores[:-1]) & ~(np.isnan(scores[1:]) & np.isnan(scores[:-1]))
        group = np.concatenate(([0], np.cumsum(differs)))
        mean = np.bincount(group, np.arange(len(group))) / np.bincount(group)
        return mean[group][self.ranks]

    @property
    def n_ordered(self) -> int:
        """Number of neurons ahead of the last ones, which the method does not tell apart.

        These are the neurons without a score and, if there are several, those that share the
        lowest, as neurons do that a probe gives no weight: they stand by column.
        """
        scores = self.scores[self.order]
        scores = scores[~np.isnan(scores)]
        n_lowest = np.argmin(np.append(scores[::-1] == scores[-1:], False))
        return len(scores) - int(n_lowest) if n_lowest > 1 else len(scores)

    @property
    def n_tied_first(self) -> int:
        """Number of neurons that share the score of the first."""
        return int((self.scores == self.scores[self.order[0]]).sum())

    @property
    def unscored(self) -> list[Neuron]:
        """Neurons without a score (NaN), such as constant ones; a method ranks them last."""
        return self.space.neurons(self.order[np.isnan(self.scores[self.order])])

    def top(self, k: int) -> list[Neuron]:
        """The k most important neurons, best first."""
        return self.space.neurons(self.order[: self._checked(k)])

    def bottom(self, k: int) -> list[Neuron]:
        """The k least important neurons, worst first."""
        return self.space.neurons(self.order[::-1][: self._checked(k)])

    def mask(self, k: int) -> np.ndarray:
        """True for the columns of the top k; shape (n_neurons,)."""
        mask = np.zeros(self.space.n_neurons, dtype=bool)
        mask[self.order[: self._checked(k)]] = True
        return mask

    def top_columns(self, k: int) -> np.ndarray:
        """Columns of the top k, best first, as far as the method orders them (``n_ordered``)."""
        return self.order[: min(self._checked(k), self.n_ordered)]

    def _checked(self, k: int) -> int:
        k = whole_number(k, "k")
        if not 0 <= k <= self.space.n_neurons:
            raise InputError(f"k is {k}; give a number from 0 to {self.space.n_neurons}")
        return k

    def _per_class(self) -> np.ndarray:
        if self.class_scores is None:
            raise InputError(f"ranking '{self.method}' has no scores per class")
        return np.where(np.isnan(self.scores), 0, self.class_scores)

    def salient(self, mass: float = 0.25) -> dict[Any, np.ndarray]:
        """Per class, the fewest columns that hold a share of its importance, best first.

        Dalvi et al. 2019: the neurons up to a cumulative share ``mass`` of a class's weights. A
        class without any importance has none.

        Raises
        ------
        InputError
            When the method gives no scores per class, or ``mass`` is not between 0 and 1.
        """
        per_class, mass = self._per_class(), real_number(mass, "mass")
        if not 0 <= mass <= 1:
            raise InputError(f"mass is {mass}; give a share from 0 to 1")
        lists = {}
        for name, scores in zip(self.classes, per_class, strict=True):
            order = np.argsort(-scores, kind="stable")
            ahead = np.concatenate(([0.0], np.cumsum(scores[order], dtype=np.float64)[:-1]))
            # Neurons are added while the mass ahead of them is still short of the share asked.
            # All of it is all neurons with a weight, also one too small to change the sum.
            short = ahead < (mass * scores.sum() if mass < 1 else np.inf)
            lists[name] = order[short & (scores[order] > 0)]
        return lists

    def columns_above(self, threshold: float = 0.5) -> dict[Any, np.ndarray]:
        """Per class, the columns whose importance is at least a share of the largest, best first.

        The hard threshold of NeuroX, whose ``fraction`` is ``1 / threshold``. A class without any
        importance has none.

        Raises
        ------
        InputError
            When the method gives no scores per class, or ``threshold`` is not above 0 and up to 1.
        """
        threshold = real_number(threshold, "threshold")
        if not 0 < threshold <= 1:
            raise InputError(f"threshold is {threshold}; give a number above 0 and up to 1")
        lists = {}
        for name, scores in zip(self.classes, self._per_class(), strict=True):
            order = np.argsort(-scores, kind="stable")
            important = (scores[order] > 0) & (scores[order] >= threshold * scores.max())
            lists[name] = order[important]
        return lists

    def per_layer(self, k: int | None = None, *, mass: float = 0.25) -> dict[int, int]:
        """Number of salient neurons per layer.

        Parameters
        ----------
        k : int, optional
            Count the top k; by default the union over classes of :meth:`salient`.
        mass : float
            Share of each class's importance, when ``k`` is not given.
        """
        if k is not None:
            return self.space.count_per_layer(self.order[: self._checked(k)])
        union = np.unique(np.concatenate(list(self.salient(mass).values())))
        return self.space.count_per_layer(union)

    def reversed(self) -> NeuronRanking:
        """The same neurons in the opposite order, those of equal score too; scores are negated.

        Neurons without a score stay last. There are no scores per class.
        """
        has_score = ~np.isnan(self.scores[self.order])
        return NeuronRanking(
            space=self.space,
            order=np.concatenate([self.order[has_score][::-1], self.order[~has_score]]),
            scores=-self.scores,
            method=f"reverse of {self.method}",
            parameters=self.parameters,
            provenance=self.provenance,
        )

    def for_class(self, label: Any) -> NeuronRanking:
        """The ranking by the scores of one class.

        Raises
        ------
        InputError
            When the method gives no scores per class, or none for this one.
        """
        per_class = self._per_class()
        # A class may be named by its text too, as on the command line.
        named = [c for c in self.classes if c == label]
        named = named or [c for c in self.classes if str(c) == str(label)]
        if not named:
            known = list(map(str, self.classes))
            raise InputError(
                f"ranking '{self.method}' has no class '{label}'; it has {listed(known)}"
                f"{did_you_mean(str(label), known)}"
            )
        number = self.classes.index(named[0])
        return NeuronRanking.from_scores(
            self.space,
            np.where(np.isnan(self.scores), np.nan, per_class[number]),
            f"{self.method} ({label})",
            parameters={**self.parameters, "class": self.classes[number]},
            provenance=self.provenance,
        )

    def group(self, space: NeuronSpace, by: str | None = None) -> NeuronRanking:
        """The ranking of groups of these neurons, such as attention heads, by the neurons' scores.

        Neurons without a score are left out; a group of such neurons only has none either. Scores
        per class are grouped likewise.

        Parameters
        ----------
        space : NeuronSpace
            Groups of these neurons, such as ``ranking.space.heads(12)``.
        by : {"mean", "max", "sum", "first"}, optional
            What of the neurons' scores a group has; *first* is the place of its best neuron, as the
            share of neurons behind it. By default the mean, or *first* where scores do not fall in
            the order of the ranking, as those of greedy methods.

        Raises
        ------
        InputError
            When the groups are of other neurons, or ``by`` is unknown.
        """
        space = self.space.with_groups_of(space)
        scores, per_class = self.scores, self.class_scores
        if by is None:
            by = "first" if np.any(np.diff(scores[self.order]) > 0) else "mean"
        if by not in (*REDUCTIONS, FIRST):
            raise unknown_choice("way to group", by, (*REDUCTIONS, FIRST))
        how = by
        if by == FIRST:
            how, behind = "max", 1 - self.ranks / len(scores)
            scores = np.where(np.isnan(scores), np.nan, behind)
        reduce = partial(space.groups.reduce, by=how)  # type: ignore[union-attr]
        return NeuronRanking.from_scores(
            space,
            reduce(scores),
            self.method,
            classes=self.classes,
            class_scores=None if per_class is None else reduce(per_class),
            parameters={**self.parameters, "grouped_by": by},
            provenance=self.provenance,
        )

    def restrict_to_layers(self, layers: Layers) -> NeuronRanking:
        """The ranking of the neurons of some layers, in the order they have here.

        Raises
        ------
        InputError
            When a layer is unknown or given twice, or there is none.
        """
        space = self.space.select(layers)
        ranges = [self.space.columns(layer) for layer in space.layers]
        kept = np.concatenate([np.arange(part.start, part.stop) for part in ranges])
        per_class = self.class_scores
        return replace(
            self,
            space=space,
            order=np.argsort(self.ranks[kept]),
            scores=self.scores[kept],
            class_scores=None if per_class is None else per_class[:, kept],
        )

    def overlap(self, other: NeuronRanking, k: int) -> float:
        """Share of the top k that both rankings have.

        Neurons that a ranking does not tell apart at its end are in no top: of rankings that order
        fewer than k, it is the share of the larger top.

        Raises
        ------
        InputError
            When they rank different neurons.
        """
        require_space([self, other])
        first, second = self.top_columns(k), other.top_columns(k)
        return float(np.isin(first, second).sum() / max(len(first), len(second), 1))

    def compare(self, other: NeuronRanking, k: int, other_k: int | None = None) -> TopOverlap:
        """Which of the top k both rankings have, and whether chance would explain it.

        Chance is that of independent rankings. Two of the same labels are not, see
        :class:`~neurox_lite.results.top_overlap.TopOverlap`. Neurons that a ranking does not tell
        apart at its end are in no top.

        Parameters
        ----------
        other : NeuronRanking
        k : int
        other_k : int, optional
            How many of the other's top to take, when not ``k`` too.

        Raises
        ------
        InputError
            When they rank different neurons, or have fewer.
        """
        require_space([self, other])
        other_k = k if other_k is None else other_k
        return compare_sets(
            self.space,
            self.top_columns(k),
            other.top_columns(other_k),
            (self.method, other.method),
        )

    def _repr_html_(self) -> str:
        """What ``print`` says, a bar per layer as in :meth:`plot`, and the best neurons."""
        counts = self.per_layer(self._k_shown)
        return framed(
            said(self),
            bars(counts, f"salient {self.space.unit_name}"),
            shown_table(self._table(MOST_ROWS), self.space.n_neurons),
        )

    @property
    def _k_shown(self) -> int | None:
        """Of a ranking without class scores, how many neurons are counted per layer."""
        return max(1, self.space.n_neurons // 10) if self.class_scores is None else None

    def table(self) -> Table:
        """A header, and one row per neuron, best first."""
        return self._table(self.space.n_neurons)

    def _table(self, k: int) -> Table:
        rows: Table = [["rank", "layer", "unit", "score", *self.classes]]
        per_class = self.class_scores
        for rank, column in enumerate(self.order[:k].tolist(), start=1):
            of_classes = [] if per_class is None else per_class[:, column].tolist()
            neuron, score = self.space.neuron(column), float(self.scores[column])
            rows.append([rank, neuron.layer, neuron.unit, score, *of_classes])
        return rows

    def plot(
        self,
        ax: Given = None,
        *,
        k: int | None = None,
        mass: float = 0.25,
        title: str | None = None,
    ) -> Figure:
        """Bar chart of :meth:`per_layer`; without class scores, of the top tenth.

        Without a title or axes of one's own, the title is the labels, model and corpus of the
        ranking as far as it knows.
        """
        title = self._known_title(ax, title)
        counts = self.per_layer(self._k_shown if k is None else k, mass=mass)
        salient = f"salient {self.space.unit_name}"
        return plot_layer_bars(counts, salient, self.method, ax, title)

    def plot_classes(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Heat map: the importance of the first neurons for each class, by that of its largest.

        Raises
        ------
        InputError
            When the method gives no scores per class.
        """
        scores = self._per_class()
        largest = scores.max(axis=1, keepdims=True)
        best = self.order[:MOST_SHOWN]
        return plot_label_heat_map(
            scores[:, best] / np.where(largest > 0, largest, 1),
            ("class", [str(name) for name in self.classes]),
            (f"{self.space.unit_name}, best first", list(map(str, self.space.neurons(best)))),
            "importance by the largest of a class",
            self.method,
            ax,
            self._known_title(ax, title),
        )

    def _known_title(self, ax: Given, title: str | None) -> str | None:
        """The one that was given; else labels, model and corpus as far as they are known."""
        if title is not None or ax is not None:
            return title
        labels = self.provenance.get("labels", {})
        model = None if self.space.site == "array" else self.space.model
        return title_of(labels.get("tag"), model, labels.get("corpus", ()))

    def save(self, path: str | Path) -> None:
        """Write the ranking as ``.json`` (everything), or as a table in ``.csv`` or ``.tex``."""
        if is_table_name(path):
            write_table(path, self.table())
        else:
            write_fields(path, vars(self))

    @classmethod
    def load(cls, path: str | Path) -> NeuronRanking:
        """Read a ranking written as JSON.

        Raises
        ------
        InputError
            When the file is missing or holds no ranking.
        """
        return read_ranking(path, cls)


def as_rankings(rankings: Any) -> list[NeuronRanking]:
    """Rankings as a list; a single one is a list of one.

    Raises
    ------
    InputError
        When there is none, or something else.
    """
    return one_or_more(rankings, NeuronRanking, "rankings", "a NeuronRanking or a list of them")


def require_space(
    rankings: Any, space: NeuronSpace | None = None, *, or_groups: bool = False
) -> list[NeuronRanking]:
    """:func:`as_rankings`, if all are of the neurons of one space.

    Parameters
    ----------
    rankings : NeuronRanking or several
    space : NeuronSpace, optional
        Of the first ranking by default. A hash of weights in memory is not compared with one of
        files.
    or_groups : bool
        The rankings may also be over groups of the neurons, all over the same.

    Raises
    ------
    InputError
        When a ranking is of other neurons, or as :func:`as_rankings`.
    """
    found = as_rankings(rankings)
    space = found[0].space if space is None else space
    if or_groups:
        require_same_groups(found)
    for ranking in found:
        other = ranking.space.ungrouped if or_groups else ranking.space
        if other.groups is not None and space.groups is None:
            raise InputError(
                f"ranking '{ranking.method}' is of {other.unit_name}, where neurons are needed; "
                "give a ranking of neurons, not of groups of them"
            )
        check_revision(other, space.revision, f"ranking '{ranking.method}'")
        same_model = bool(other.revision or space.revision) or other.model == space.model
        if not same_model or _places(other) != _places(space):
            raise InputError(
                f"ranking '{ranking.method}' is of {_described(other)}, not of {_described(space)}:"
                " give the model, site and layers it was made from"
            )
    return found


def require_same_groups(rankings: Sequence[NeuronRanking]) -> None:
    """Raise InputError unless all rankings are over neurons, or all over the same groups."""
    first, *others = rankings
    for other in others:
        if other.space.groups != first.space.groups:
            raise InputError(
                f"ranking '{first.method}' is of {first.space.unit_name}, '{other.method}' of "
                f"{'other ' * (first.space.unit_name == other.space.unit_name)}"
                f"{other.space.unit_name}; give rankings of the same"
            )


def _places(space: NeuronSpace) -> tuple[Any, ...]:
    return space.site, space.layers, space.widths, space.groups


def _described(space: NeuronSpace) -> str:
    groups = "" if space.groups is None else f"{space.unit_name} of "
    return f"{groups}{space.site}, layers {list(space.layers)} of {space.model}"
