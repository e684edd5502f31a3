"""Rank intervals: where neurons stand when the sentences are drawn anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.saving import read_result, write_result
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

KIND = "rank intervals"


@dataclass(frozen=True)
class RankIntervals:
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

    __repr__ = short_repr

    def __str__(self) -> str:
        best = np.argsort(self.ranks)[:3].tolist()
        lines = (
            f"{self.space.neuron(c)}: rank {self.ranks[c] + 1} ({self.low[c] + 1} to "
            f"{self.high[c] + 1})"
            for c in best
        )
        facts = {
            "neurons": self.space.n_neurons,
            "resamples": len(self.resampled),
            "level": self.level,
            "converged": self.converged,
        }
        return summary(f"RankIntervals of {self.method}", facts, lines)

    def table(self) -> Table:
        """A header, and a row per neuron, best first; ranks from 1."""
        rows: Table = [["layer", "unit", "rank", "low", "high"]]
        for column in np.argsort(self.ranks).tolist():
            ranks = [self.ranks[column], self.low[column], self.high[column]]
            rows.append([*self.space.neuron(column), *(rank + 1 for rank in ranks)])
        return rows

    def to_pandas(self) -> pandas.DataFrame:
        """One row per neuron, best first; ranks from 1."""
        return as_pandas(self.table())

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

    def plot(self, title: str | None = None) -> Figure:
        """The 30 best neurons of the full fit with their intervals."""
        from neurox_lite.plotting.rank_intervals import plot_rank_intervals

        return plot_rank_intervals(self, title)

    def save(self, path: str | Path) -> None:
        """Write the intervals as JSON, or under a name in ``.csv`` or ``.tex`` as a table."""
        write_result(path, KIND, self)

    @classmethod
    def load(cls, path: str | Path) -> RankIntervals:
        """Read intervals written by :meth:`save`.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """

        def build(space: dict[str, Any], **fields: Any) -> RankIntervals:
            return cls(space=NeuronSpace.from_dict(space), **fields)

        return read_result(path, KIND, build)
