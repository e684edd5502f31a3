"""A search for the penalties of a probe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurox_lite.results.saving import read_result, write_result
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, some, summary

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

KIND = "regularisation search"
PER_PAIR = (
    "scores",
    "accuracies",
    "top_accuracies",
    "bottom_accuracies",
    "nonzero_weights",
    "converged",
)

Grid = tuple[tuple[float, ...], ...]
"""One row per l1, one column per l2."""


@dataclass(frozen=True)
class RegularisationSearch:
    """Scores and dev accuracies over a grid of penalties (Durrani et al. 2020).

    All figures are of the dev words that the best pair is chosen on, and flatter it; its accuracy
    on test is of words that chose nothing. ``l1s`` and ``l2s`` ascend; tables have one row per l1.
    ``share`` is what is kept for the accuracies of the top and of the bottom.
    """

    l1s: tuple[float, ...]
    l2s: tuple[float, ...]
    scores: Grid
    accuracies: Grid
    top_accuracies: Grid
    bottom_accuracies: Grid
    nonzero_weights: Grid
    converged: tuple[tuple[bool, ...], ...]
    unregularised_accuracy: float
    unregularised_converged: bool
    share: float
    alpha: float
    beta: float

    __repr__ = short_repr

    def __str__(self) -> str:
        l1, l2 = self.best
        facts = {
            "best": f"l1={l1:g} l2={l2:g}",
            "score": self.best_score,
            "at edge": some(self.at_edge) if self.at_edge else None,
            "converged": self.all_converged,
        }
        grid = f"{len(self.l1s)} x {len(self.l2s)}"
        return summary(f"RegularisationSearch of {grid} penalties", facts)

    def table(self) -> Table:
        """A header, and a row per pair of penalties."""
        rows: Table = [["l1", "l2", *PER_PAIR]]
        for i, l1 in enumerate(self.l1s):
            for j, l2 in enumerate(self.l2s):
                rows.append([l1, l2, *(getattr(self, name)[i][j] for name in PER_PAIR)])
        return rows

    def to_pandas(self) -> pandas.DataFrame:
        """One row per pair of penalties."""
        return as_pandas(self.table())

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

    def plot(self, title: str | None = None) -> Figure:
        """Heat map of the scores; the best pair is framed, in red at the edge of the grid."""
        from neurox_lite.plotting.search import plot_search

        return plot_search(self, title)

    def save(self, path: str | Path) -> None:
        """Write the search as JSON, or under a name in ``.csv`` or ``.tex`` as a table."""
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
