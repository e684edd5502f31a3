"""How stable is a ranking: where would its neurons stand, had the sentences been others?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.activations.access import require_finite
from neurox_lite.activations.inputs import validate_with_sentences
from neurox_lite.arguments import expect_function, real_number, whole_number
from neurox_lite.errors import InputError
from neurox_lite.evaluation.resampling import draw_sentences, rank_repeated_rows, rank_weighted_rows
from neurox_lite.figures import MOST, Given, finish, known_title, log_scale, panels, wrapped
from neurox_lite.intervals import check_level
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.linear import require_fitted
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.progress import tqdm
from neurox_lite.results.html import as_html
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, summary
from neurox_lite.tasks import check_engine

if TYPE_CHECKING:
    from matplotlib.figure import Figure


N_SHOWN = 30


@dataclass(frozen=True)
class RankIntervals(SavedResult):
    """Rank of every neuron, 0 for the best, and its interval over resamples of the sentences.

    Attributes
    ----------
    method : str
        Of the ranking.
    space : NeuronSpace
    level : float
        Share of the resamples that the intervals hold, rounded up; not how often they would hold
        the rank on all sentences.
    ranks, low, high : (n_neurons,) tuples of int
        Rank in the full fit, and the ends of the interval.
    resampled : (n_resamples, n_neurons) tuple of tuples of int
        Rank in every resample.
    n_ordered : int
        How many neurons the full fit orders; those behind are tied, see
        :attr:`NeuronRanking.n_ordered`.
    resampled_ordered : (n_resamples,) tuple of int
        The same of every resample.
    converged : bool
        False when one of the probes did not converge.
    """

    method: str
    space: NeuronSpace
    level: float
    ranks: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    resampled: tuple[tuple[int, ...], ...]
    n_ordered: int
    resampled_ordered: tuple[int, ...]
    converged: bool

    KIND = "rank intervals"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        best = self._first(3).tolist()
        lines = (
            f"{self.space.neuron(c)}: rank {self.ranks[c] + 1} ({self.low[c] + 1} to "
            f"{self.high[c] + 1})"
            for c in best
        )
        facts = {
            self.space.unit_name: self.space.n_neurons,
            "not told apart": self.n_tied or None,
            "resamples": len(self.resampled),
            "level": self.level,
            "converged": self.converged,
        }
        return summary(f"RankIntervals of {self.method}", facts, lines)

    @property
    def n_tied(self) -> int:
        """How many neurons the full fit does not tell apart: their ranks are those of columns."""
        return self.space.n_neurons - self.n_ordered

    def _first(self, most: int) -> np.ndarray:
        """Columns of the best neurons, of those that the full fit orders."""
        return np.argsort(self.ranks)[: min(most, self.n_ordered)]

    def table(self) -> Table:
        """A header, and a row per neuron, best first; ranks from 1."""
        rows: Table = [["layer", "unit", "rank", "low", "high"]]
        for column in np.argsort(self.ranks).tolist():
            ranks = [self.ranks[column], self.low[column], self.high[column]]
            rows.append([*self.space.neuron(column), *(rank + 1 for rank in ranks)])
        return rows

    def top_share(self, k: int) -> np.ndarray:
        """Share of the resamples in which each neuron is among the top k; shape (n_neurons,)."""
        return self._in_top(k).mean(axis=0)

    def overlaps(self, k: int) -> np.ndarray:
        """Share of the top k that the full fit and each resample have in common, (n_resamples,).

        Of k neurons at random it would be ``k / n_neurons`` on average. Neurons that are tied at
        the end are in no top; of rankings that order fewer than k, it is the share of the larger.

        Raises
        ------
        InputError
            When k is below 1 or above the number of neurons.
        """
        if not 1 <= k <= self.space.n_neurons:
            raise InputError(f"k is {k}; give a number from 1 to {self.space.n_neurons}")
        top, again = np.array(self.ranks) < min(k, self.n_ordered), self._in_top(k)
        return (top & again).sum(1) / np.maximum(again.sum(1), max(top.sum(), 1))

    def overlap(self, k: int) -> float:
        """Mean of :meth:`overlaps`."""
        return float(self.overlaps(k).mean())

    def _in_top(self, k: int) -> np.ndarray:
        """Which neurons each resample has in its top k, (n_resamples, n_neurons)."""
        return np.array(self.resampled) < np.minimum(k, self.resampled_ordered)[:, None]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """The 30 best neurons of the full fit, of those that it orders.

        A dot for the rank in it, a bar from the low to the high rank of the resamples, in which the
        dot need not be.
        """
        best = self._first(N_SHOWN)
        axes = panels(ax, size=(5.2, 1.4 + 0.2 * len(best)))
        axis = axes[0]
        places = np.arange(len(best))
        low, high = np.array(self.low)[best] + 1, np.array(self.high)[best] + 1
        axis.hlines(places, low, high, color="#0072b2", linewidth=3, alpha=0.5)
        axis.plot(np.array(self.ranks)[best] + 1, places, "o", color="#0072b2", markersize=4)
        axis.set_yticks(places, [str(neuron) for neuron in self.space.neurons(best)], fontsize=7)
        axis.invert_yaxis()
        if len(best):
            log_scale(axis, low.min(), high.max())
        # A resample repeats sentences, so that no resample may rank a neuron as all sentences do.
        share = f"{100 * self.level:g} % of {len(self.resampled)} resamples of the sentences"
        axis.set_xlabel(f"rank (dot: by all sentences; bar: in {share})", fontsize=8)
        k = max(1, len(best))
        stays = f"a resample keeps {100 * self.overlap(k):.0f} % of the top {k}"
        by_chance = f"by chance {100 * k / self.space.n_neurons:.0f} %"
        method = wrapped(self.method, 4.6, 10, most=2 * MOST)
        axis.set_title(f"{method}\n{stays} ({by_chance})", fontsize=10)
        axis.grid(alpha=0.3, axis="x")
        return finish(axes, ax, known_title(ax, title, self.space.model))

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {"space": NeuronSpace.from_dict(fields["space"])}


def rank_intervals(
    rank: Callable[..., NeuronRanking],
    X: Any,
    y: Any = None,
    groups: Any = None,
    *,
    probe: ElasticNetProbe | None = None,
    n_resamples: int = 20,
    level: float = 0.95,
    seed: int = 0,
    engine: str = "local",
) -> RankIntervals:
    """Between which ranks every neuron stands over resamples of the training sentences.

    An interval holds the share ``level`` of the resamples. It shows how far a ranking is decided by
    the sentences drawn, and makes no promise to hold the rank on all sentences there could be: a
    rank is no mean, and resamples repeat sentences. One that is a point means that the rank was the
    same in every resample.

    A row counts as often as its sentence was drawn; a class of which no sentence was drawn is left
    out of that resample. Neurons that the method ties keep the order of the columns: those without
    a score or weight in any resample have narrow intervals at the end, which says that the method
    never uses them, and not which of them is better.

    Memory: with a ``probe``, a copy of the rows drawn of an array (about 63 %), and nothing of a
    store's matrix. Without, the rows drawn, repeated: a copy of about the size of ``X``. A store's
    matrix is then loaded, too.

    Parameters
    ----------
    rank : function
        Of rows and labels, ``rank(X, y)``; it is given ``X`` itself first, then arrays (tensors
        where ``X`` is one). With a ``probe``, of a fitted probe, such as
        :func:`neurox_lite.linguistic_correlation`.
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
        Training data.
    groups : (n,) array-like, optional
        Number of each row's sentence; by default the ``sentences`` of LabelledActivations.
    probe : ElasticNetProbe, optional
        Fitted on ``X`` and ``y``, for a ranking of probes: clones of it are fitted on the
        resamples, with weights in place of repeated rows, which is faster.
    n_resamples : int
    level : float
        Of the resamples, rounded up: with 20, 0.95 goes from the best rank to the worst.
    seed : int
    engine : {"local", "ray"}
        ``ray`` ranks every resample in a task of a Ray cluster, on one core. Memory: training data
        up to 1.2 GB once more on each machine, or all of them without a ``probe``.

    Raises
    ------
    InputError
        When shapes differ, an option is out of range, there is one class only, or one sentence
        only, of which all resamples are the same.
    """
    expect_function(rank, "rank", "a function of activations and labels, as probeless")
    train, seed = validate_with_sentences(X, y, groups), validate_seed(seed)
    n_resamples = whole_number(n_resamples, "n_resamples", least=1)
    level = real_number(level, "level")
    if probe is not None:
        require_fitted(probe, ElasticNetProbe)
    check_level(level)
    check_engine(engine)
    if len(np.unique(train.y)) < 2:
        raise InputError(f"only one class, '{train.y[0]}'; a ranking needs at least two")
    if not train.sentences.any():
        raise InputError(
            "all words are from one sentence, so ranks on other sentences cannot be estimated"
        )
    require_finite(train.X)
    draws = draw_sentences(train, n_resamples, seed)
    if probe is None:
        ranked = rank_repeated_rows(rank, train, draws, engine)
    else:
        ranked = rank_weighted_rows(rank, probe, train, draws, engine)
    ranking, converged = next(ranked)
    resampled = np.empty((n_resamples, ranking.space.n_neurons), dtype=np.int64)
    progress = tqdm(resampled, desc="resample", unit="ranking", disable=None, delay=2)
    n_ordered = []
    for ranks, (again, holds) in zip(progress, ranked, strict=True):
        ranks[:] = again.ranks
        n_ordered.append(again.n_ordered)
        converged = converged and holds
    low = np.quantile(resampled, (1 - level) / 2, axis=0, method="lower")
    high = np.quantile(resampled, (1 + level) / 2, axis=0, method="higher")
    return RankIntervals(
        method=ranking.method,
        space=ranking.space,
        level=level,
        ranks=tuple(ranking.ranks.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        resampled=tuple(tuple(row) for row in resampled.tolist()),
        n_ordered=ranking.n_ordered,
        resampled_ordered=tuple(n_ordered),
        converged=converged,
    )
