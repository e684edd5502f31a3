"""Sweeps: ever more neurons of a ranking are changed, beside its bottom and random neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurox_lite.figures import put_ticks
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.showing import short_repr

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHARES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.50)
"""Of all neurons, how many are changed, by default."""

WIDTH = 5.2
"""Of a panel, in inches."""

STYLES = (("o-", "#0072b2"), ("v--", "#cc79a7"), (":", "0.4"))
OTHER_STYLES = (("s-", "#d55e00"), ("^--", "#e69f00"), ("-.", "0.6"))
"""Of top, bottom and random, and of those of a second sweep in the same panel."""


@dataclass(frozen=True)
class Sweep:
    """One number of the intact model or probe, and with ever more neurons changed.

    All sequences have one entry per count of neurons, or none if that was not measured.
    ``random_low`` and ``random_high`` are the minimum and maximum over random sets.
    """

    intact: float
    top: tuple[float, ...]
    bottom: tuple[float, ...] = ()
    random_mean: tuple[float, ...] = ()
    random_low: tuple[float, ...] = ()
    random_high: tuple[float, ...] = ()

    __repr__ = short_repr

    def draw(
        self,
        axis: Axes,
        x: Sequence[float],
        labels: Sequence[str] = ("top", "bottom", "random (mean, range)"),
        styles: Sequence[tuple[str, str]] = STYLES,
    ) -> None:
        """A line each for the top, the bottom and random neurons, with a band of their range."""
        lines = (self.top, self.bottom, self.random_mean)
        for values, label, (style, colour) in zip(lines, labels, styles, strict=True):
            if values:
                axis.plot(x, values, style, color=colour, label=label)
        if self.random_mean:
            colour = styles[-1][1]
            axis.fill_between(x, self.random_low, self.random_high, color=colour, alpha=0.25)


@dataclass(frozen=True)
class NeuronSets:
    """The neurons to change: the first of rankings, of rankings from their end, and random ones.

    Attributes
    ----------
    orders : tuple of (n_neurons,) int arrays
        The rankings, the same rankings from their end, and random orders, which all share.
    n_rankings : int
    counts : tuple of int
        How many neurons of each order are changed.
    space : NeuronSpace
        What is ordered: neurons, or groups that are changed together.
    """

    orders: tuple[np.ndarray, ...]
    n_rankings: int
    counts: tuple[int, ...]
    space: NeuronSpace

    __repr__ = short_repr

    @classmethod
    def of(
        cls, rankings: Sequence[NeuronRanking], counts: Sequence[int], n_random: int, seed: int
    ) -> NeuronSets:
        """Sets of these rankings, which are over the same neurons."""
        rng = np.random.default_rng(seed)
        orders = [ranking.order for ranking in rankings]
        chance = [rng.permutation(len(orders[0])) for _ in range(n_random)]
        every = (*orders, *(o[::-1] for o in orders), *chance)
        return cls(every, len(rankings), tuple(counts), rankings[0].space)

    def columns(self) -> list[np.ndarray]:
        """The columns of activations in every set, order by order."""
        return [self.space.members(chosen) for chosen in self._chosen()]

    def others(self) -> list[np.ndarray]:
        """The columns of activations in no set of the rankings, order by order."""
        orders = self.orders[: self.n_rankings]
        return [self.space.members(order[k:]) for order in orders for k in self.counts]

    def _chosen(self) -> list[np.ndarray]:
        return [order[:k] for order in self.orders for k in self.counts]

    def weights(self, by_rank: np.ndarray) -> np.ndarray:
        """Of every set the weight of each column of activations, by its rank, and 0 of others.

        (n_sets, n_columns) float32.
        """
        sets = self._chosen()
        weights = np.zeros((len(sets), len(by_rank)), dtype=np.float32)
        for row, chosen in zip(weights, sets, strict=True):
            row[chosen] = by_rank[: len(chosen)]
        return self.space.expand(weights)

    def sweeps(self, intact: float, values: Sequence[float] | np.ndarray) -> list[Sweep]:
        """What was measured of every set, as a sweep per ranking."""
        by_order = np.reshape(values, (len(self.orders), len(self.counts)))
        n = self.n_rankings
        chance = by_order[2 * n :]
        spread = [tuple(row.tolist()) for row in (chance.mean(0), chance.min(0), chance.max(0))]
        return [
            Sweep(float(intact), tuple(top.tolist()), tuple(bottom.tolist()), *spread)
            for top, bottom in zip(by_order[:n], by_order[n : 2 * n], strict=True)
        ]


def count_neurons(shares: Sequence[float], n_neurons: int) -> tuple[int, ...]:
    """How many neurons shares of all are, at least one."""
    return tuple(max(1, round(share * n_neurons)) for share in shares)


def label_counts(axis: Axes, x: Sequence[float], labels: Sequence[str]) -> None:
    """A logarithmic x axis with a tick for every count or share of neurons."""
    axis.set_xscale("log")
    put_ticks(axis, x, labels, WIDTH - 1.2)
    axis.minorticks_off()
    axis.grid(alpha=0.3)
