"""How far do rankings agree: at the top, over the whole order, and weighted towards the top?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from neurox_lite.arguments import real_number, whole_number
from neurox_lite.errors import InputError
from neurox_lite.figures import Given, plot_matrices
from neurox_lite.results.html import as_html
from neurox_lite.results.ranking import NeuronRanking, require_space
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Matrix = tuple[tuple[float, ...], ...]
"""One row and one column per ranking; symmetric, 1 on the diagonal."""


@dataclass(frozen=True)
class AgreementMatrix(SavedResult):
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

    KIND = "agreement of rankings"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

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

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Three heat maps: overlap, Kendall's tau, rank-biased overlap.

        Rankings are numbered. Their names, wrapped where they are long, stand at the first only.
        """
        return plot_matrices(
            ax,
            title,
            self.methods,
            (
                (f"top {self.k} shared", self.overlap, 0, self.expected_overlap),
                ("Kendall's tau", self.kendall, -1, 0),
                ("rank-biased overlap", self.rank_biased, 0, self.expected_rank_biased),
            ),
        )


def rank_biased_overlap(first: NeuronRanking, second: NeuronRanking, p: float) -> float:
    """Overlap of the top d, averaged over all d with weights that fall by p.

    Webber, Moffat & Zobel 2010, equation 32 (extrapolated). With A_d the share of the top d that
    both rankings have, over n neurons:

        RBO = (1 - p) sum_(d=1..n) p^(d-1) A_d + p^n A_n

    Neurons that a ranking does not tell apart at its end are in no top d, and A_d is a share of the
    larger top. It is 1 for equal orders. The first 1 / (1 - p) ranks have about 86 % of the weight.

    Parameters
    ----------
    first, second : NeuronRanking
    p : float
        From 0, where the best neuron alone counts, to below 1, where all depths count alike.

    Raises
    ------
    InputError
        When they rank different neurons, or p is out of range.
    """
    require_space([first, second])
    p = real_number(p, "p")
    if not 0 <= p < 1:
        raise InputError(f"p is {p}; give a number from 0 to below 1, such as 0.99")
    n_neurons = first.space.n_neurons
    depth = np.arange(1, n_neurons + 1)
    n_larger = max(first.n_ordered, second.n_ordered)
    # A neuron is in both of the top d from the later of its two ranks on.
    in_both = np.intersect1d(first.top_columns(n_neurons), second.top_columns(n_neurons))
    later = np.maximum(first.ranks, second.ranks)[in_both]
    hits = np.cumsum(np.bincount(later, minlength=n_neurons))
    shares = hits / np.minimum(depth, max(n_larger, 1))
    # The weights add up to 1, so this is the sum above, and exactly 1 for equal orders.
    missing = (1 - p) * np.sum(p ** (depth - 1) * (1 - shares)) + p**n_neurons * (1 - shares[-1])
    return float(1 - missing)


def agreement(rankings: Sequence[NeuronRanking], k: int | None = None) -> AgreementMatrix:
    """Compare every ranking with every other in three ways.

    - Overlap: the share of the top k that both have.
    - Kendall's tau-b over the whole order. Neurons of equal score, or without one, are tied; with a
      ranking that ties all of them it is 0.
    - Rank-biased overlap with p = 1 - 1/k, so that the top k has most of the weight.

    Parameters
    ----------
    rankings : sequence of NeuronRanking
        Of the same neurons.
    k : int, optional
        Size of the top; a tenth of the neurons by default.

    Raises
    ------
    InputError
        When there are no rankings, they rank different neurons, or k is below 1 or above the number
        of neurons.
    """
    rankings = require_space(rankings)
    n_neurons = rankings[0].space.n_neurons
    k = max(1, n_neurons // 10) if k is None else whole_number(k, "k")
    if not 1 <= k <= n_neurons:
        raise InputError(f"k is {k}; give a number from 1 to {n_neurons}")
    count = len(rankings)
    p = 1 - 1 / k
    overlap, kendall, rank_biased = np.ones((3, count, count))
    for i, first in enumerate(rankings):
        for j, second in enumerate(rankings[:i]):
            overlap[i, j] = overlap[j, i] = first.overlap(second, k)
            kendall[i, j] = kendall[j, i] = _kendall(first, second)
            rank_biased[i, j] = rank_biased[j, i] = rank_biased_overlap(first, second, p)
    return AgreementMatrix(
        methods=tuple(ranking.method for ranking in rankings),
        k=k,
        n_neurons=n_neurons,
        overlap=_as_tuples(overlap),
        kendall=_as_tuples(kendall),
        rank_biased=_as_tuples(rank_biased),
    )


def _kendall(first: NeuronRanking, second: NeuronRanking) -> float:
    from scipy.stats import kendalltau

    if np.ptp(first.tied_ranks) == 0 or np.ptp(second.tied_ranks) == 0:
        return 0.0
    # The p-value is not used, and an exact one takes time.
    return float(kendalltau(first.tied_ranks, second.tied_ranks, method="asymptotic").statistic)


def _as_tuples(matrix: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, matrix.tolist()))
