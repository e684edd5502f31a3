"""How far do rankings agree: at the top, over the whole order, and weighted towards the top?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from neurox_lite.activations.arrays import checked_activations
from neurox_lite.arguments import expect_function, real_number, whole_number
from neurox_lite.errors import InputError
from neurox_lite.labels import checked_labels
from neurox_lite.results import AgreementMatrix, NeuronRanking, TopOverlap
from neurox_lite.results.ranking import same_neurons
from neurox_lite.results.top_overlap import SHUFFLED
from neurox_lite.seeds import checked_seed


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
    same_neurons([first, second])
    p = real_number(p, "p")
    if not 0 <= p < 1:
        raise InputError(f"p is {p}; give a number from 0 to below 1, such as 0.99")
    n_neurons = first.space.n_neurons
    depth = np.arange(1, n_neurons + 1)
    n_larger = max(first.n_ordered, second.n_ordered)
    # A neuron is in both of the top d from the later of its two ranks on.
    in_both = np.intersect1d(first.leading(n_neurons), second.leading(n_neurons))
    later = np.maximum(first.ranks, second.ranks)[in_both]
    hits = np.cumsum(np.bincount(later, minlength=n_neurons))
    shares = hits / np.minimum(depth, max(n_larger, 1))
    # The weights add up to 1, so this is the sum above, and exactly 1 for equal orders.
    missing = (1 - p) * np.sum(p ** (depth - 1) * (1 - shares)) + p**n_neurons * (1 - shares[-1])
    return float(1 - missing)


def agreement(rankings: Sequence[NeuronRanking], k: int) -> AgreementMatrix:
    """Compare every ranking with every other in three ways.

    - Overlap: the share of the top k that both have.
    - Kendall's tau-b over the whole order. Neurons of equal score, or without one, are tied; with a
      ranking that ties all of them it is 0.
    - Rank-biased overlap with p = 1 - 1/k, so that the top k has most of the weight.

    Parameters
    ----------
    rankings : sequence of NeuronRanking
        Of the same neurons.
    k : int

    Raises
    ------
    InputError
        When there are no rankings, they rank different neurons, or k is below 1 or above the number
        of neurons.
    """
    rankings, k = same_neurons(rankings), whole_number(k, "k")
    n_neurons = rankings[0].space.n_neurons
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


def permuted_overlap(
    first: Callable[..., NeuronRanking],
    second: Callable[..., NeuronRanking],
    X: Any,
    y: Any,
    k: int,
    *,
    n_permutations: int = 99,
    seed: int = 0,
) -> TopOverlap:
    """Overlap of the top k of two rankers, beside that on shuffled labels.

    Rankers of the same data agree on its accidents, also where there is nothing to find. Here both
    rank again with every shuffle of the labels, the same for both. With m of n shuffles as large an
    overlap or larger, p is ``(m + 1) / (n + 1)`` (Phipson & Smyth 2010), 0.01 at the least with 99.
    The labels of all words are shuffled alike, so that neither words nor sentences keep theirs.

    Parameters
    ----------
    first, second : functions
        Of rows and labels, ``rank(X, y)``, such as :func:`neurox_lite.ranking.probeless`.
    X, y : (n, n_neurons) array-like and (n,) labels
    k : int
    n_permutations : int
        Each takes two rankings.
    seed : int

    Returns
    -------
    TopOverlap
        ``chance`` says what it is beside.

    Raises
    ------
    InputError
        When a number is out of range, or as the rankers.
    """
    for rank, name in ((first, "first"), (second, "second")):
        expect_function(rank, name, "a function of activations and labels, as probeless")
    X = checked_activations(X)
    n_permutations = whole_number(n_permutations, "n_permutations", least=1)
    y = checked_labels(y, X.shape[0])
    found = first(X, y).compare(second(X, y), k)
    rng = np.random.default_rng(checked_seed(seed))
    sizes = np.empty(n_permutations)
    for number in tqdm(range(n_permutations), desc="shuffle", disable=None, delay=2):
        shuffled = y[rng.permutation(len(y))]
        sizes[number] = len(first(X, shuffled).compare(second(X, shuffled), k).both)
    size = len(found.both)
    return replace(
        found,
        expected=float(sizes.mean()),
        p_at_least=float((np.sum(sizes >= size) + 1) / (n_permutations + 1)),
        p_at_most=float((np.sum(sizes <= size) + 1) / (n_permutations + 1)),
        chance=SHUFFLED,
    )


def _kendall(first: NeuronRanking, second: NeuronRanking) -> float:
    from scipy.stats import kendalltau

    if np.ptp(first.tied_ranks) == 0 or np.ptp(second.tied_ranks) == 0:
        return 0.0
    # The p-value is not used, and an exact one takes time.
    return float(kendalltau(first.tied_ranks, second.tied_ranks, method="asymptotic").statistic)


def _as_tuples(matrix: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, matrix.tolist()))
