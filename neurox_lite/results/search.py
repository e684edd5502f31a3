"""A search for the penalties of a probe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurox_lite.results.saving import read_result, write_result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KIND = "regularisation search"

Table = tuple[tuple[float, ...], ...]
"""One row per l1, one column per l2."""


@dataclass(frozen=True)
class RegularisationSearch:
    """Scores and dev accuracies over a grid of penalties (Durrani et al. 2020).

    ``l1s`` and ``l2s`` ascend; tables have one row per l1. ``share`` is what is kept for the
    accuracies of the top and of the bottom.
    """

    l1s: tuple[float, ...]
    l2s: tuple[float, ...]
    scores: Table
    accuracies: Table
    top_accuracies: Table
    bottom_accuracies: Table
    nonzero_weights: Table
    converged: tuple[tuple[bool, ...], ...]
    unregularised_accuracy: float
    unregularised_converged: bool
    share: float
    alpha: float
    beta: float

    @property
    def all_converged(self) -> bool:
        """Whether all probes did, that without penalties included."""
        return self.unregularised_converged and all(map(all, self.converged))

    @property
    def best(self) -> tuple[float, float]:
        """The l1 and l2 with the largest score; of equals the largest penalties."""
        pairs = [
            (round(score, 9), l1, l2)
            for l1, row in zip(self.l1s, self.scores, strict=True)
            for l2, score in zip(self.l2s, row, strict=True)
        ]
        return max(pairs)[1:]

    @property
    def best_score(self) -> float:
        """The score of the best pair."""
        return max(max(row) for row in self.scores)

    @property
    def at_edge(self) -> tuple[str, ...]:
        """Where the best pair is at the edge of the grid, as ``"smallest l1"``.

        A larger grid may hold a better pair.
        """
        edges = []
        for name, value, values in zip(("l1", "l2"), self.best, (self.l1s, self.l2s), strict=True):
            if len(values) > 1 and value == values[0]:
                edges.append(f"smallest {name}")
            if len(values) > 1 and value == values[-1]:
                edges.append(f"largest {name}")
        return tuple(edges)

    def plot(self) -> Figure:
        """Heat map of the scores; the best pair is framed, in red at the edge of the grid."""
        from neurox_lite.plotting.search import plot_search

        return plot_search(self)

    def save(self, path: str | Path) -> None:
        """Write the search as JSON."""
        write_result(path, KIND, self)

    @classmethod
    def load(cls, path: str | Path) -> RegularisationSearch:
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """
        return read_result(path, KIND, cls)
