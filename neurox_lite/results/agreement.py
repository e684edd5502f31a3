"""Agreement of rankings, every one with every other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from neurox_lite.results.saving import read_result, write_result
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

KIND = "agreement of rankings"

Matrix = tuple[tuple[float, ...], ...]
"""One row and one column per ranking; symmetric, 1 on the diagonal."""


@dataclass(frozen=True)
class AgreementMatrix:
    """Agreement of rankings of the same neurons, see :func:`neurox_lite.ranking.agreement`.

    Expected values are those of independent rankings. Rankings of the same labels agree more, even
    where the labels are noise; :func:`neurox_lite.ranking.permuted_overlap` says how much.

    Attributes
    ----------
    methods : tuple of str
        Of the rankings.
    k, n_neurons : int
    overlap : (n_rankings, n_rankings) tuples
        Share of the top k that both have.
    kendall : (n_rankings, n_rankings) tuples
        Kendall's tau-b over all neurons, from -1 to 1.
    rank_biased : (n_rankings, n_rankings) tuples
        Rank-biased overlap with p = 1 - 1/k.
    """

    methods: tuple[str, ...]
    k: int
    n_neurons: int
    overlap: Matrix
    kendall: Matrix
    rank_biased: Matrix

    __repr__ = short_repr

    def __str__(self) -> str:
        facts = {"neurons": self.n_neurons, "k": self.k, "overlap by chance": self.expected_overlap}
        shares = zip(self.methods, self.mean_overlap, strict=True)
        lines = (f"{name}: {share:.2f} of its top shared on average" for name, share in shares)
        return summary(f"AgreementMatrix of {len(self.methods)} rankings", facts, lines)

    def table(self) -> Table:
        """A header, and a row per pair of rankings."""
        rows: Table = [["method", "other", "overlap", "kendall", "rank_biased"]]
        for (i, one), (j, other) in combinations(enumerate(self.methods), 2):
            values = (self.overlap[i][j], self.kendall[i][j], self.rank_biased[i][j])
            rows.append([one, other, *values])
        return rows

    def to_pandas(self) -> pandas.DataFrame:
        """One row per pair of rankings."""
        return as_pandas(self.table())

    @property
    def expected_overlap(self) -> float:
        """Overlap of the top k with that of an independent, random ranking, on average."""
        return self.k / self.n_neurons

    @property
    def expected_rank_biased(self) -> float:
        """Rank-biased overlap with an independent one, on average: (k / n) (1 - p^n)."""
        return self.expected_overlap * (1 - (1 - 1 / self.k) ** self.n_neurons)

    @property
    def mean_overlap(self) -> tuple[float, ...]:
        """Overlap of each method with the others, on average (AvgOverlap of Fan et al. 2023)."""
        others = max(len(self.methods) - 1, 1)
        return tuple((sum(row) - 1) / others for row in self.overlap)

    def plot(self, title: str | None = None) -> Figure:
        """Three heat maps: overlap, Kendall's tau, rank-biased overlap."""
        from neurox_lite.plotting.agreement import plot_agreement

        return plot_agreement(self, title)

    def save(self, path: str | Path) -> None:
        """Write the agreement as JSON, or under a name in ``.csv`` or ``.tex`` as a table."""
        write_result(path, KIND, self)

    @classmethod
    def load(cls, path: str | Path) -> AgreementMatrix:
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """
        return read_result(path, KIND, cls)
