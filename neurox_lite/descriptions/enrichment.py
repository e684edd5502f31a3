"""Which descriptors are more frequent among a neuron's exemplars than in the corpus?

A descriptor that k of n exemplars have, and K of N sentences, has the log-odds

    log (k (N - K - n + k)) / ((n - k) (K - k)),    a half added to each count,

and the probability ``P(X >= k)`` of the hypergeometric distribution (N, K, n), in logarithms, since
those of good descriptors are far below the least float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.special import gammaln

LEVEL = 0.05
"""False discovery rate over all neurons and descriptors."""

MOST_CANDIDATES = 20
SECOND_LEVEL = 0.01
"""Descriptors that may come second, and the level, shared among them."""


def log_odds(
    hits: np.ndarray, n_exemplars: np.ndarray, counts: np.ndarray, n_all: int
) -> np.ndarray:
    """Log-odds of descriptors, (n_neurons, n_descriptors).

    Parameters
    ----------
    hits : (n_neurons, n_descriptors) array
        Exemplars of each neuron that have a descriptor.
    n_exemplars : (n_neurons,) array
    counts : (n_descriptors,) array
        Of all sentences that have it; a fraction where words are drawn from them.
    n_all : int
        Sentences.
    """
    k, n = hits + 0.5, n_exemplars[:, None] + 1.0
    others = np.maximum(counts - hits, 0) + 0.5
    without = np.maximum(n_all - n_exemplars[:, None] + 1.0 - others, 0.5)
    return np.asarray(np.log(k) - np.log(n - k) - np.log(others) + np.log(without))


def log_tail_hypergeometric(
    hits: np.ndarray, n_exemplars: np.ndarray, counts: np.ndarray, n_all: int
) -> np.ndarray:
    """``log P(X >= k)``, (n_neurons, n_descriptors); parameters as for :func:`log_odds`."""

    def log_pmf(n: int) -> np.ndarray:
        k, K = np.arange(n + 1)[:, None], counts[None]
        is_possible = (k <= K) & (n - k <= n_all - K)
        k = np.where(is_possible, k, np.clip(k, n - (n_all - K), K))
        found = _log_choose(K, k) + _log_choose(n_all - K, n - k) - _log_choose(n_all, n)
        return np.where(is_possible, found, -np.inf)

    return _log_tail(hits, n_exemplars, log_pmf)


def log_tail_binomial(hits: np.ndarray, n_exemplars: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """``log P(X >= k)`` of n words each of which has a descriptor with some probability.

    Parameters
    ----------
    hits, n_exemplars
        As for :func:`log_odds`.
    shares : (n_descriptors,) array
    """
    with np.errstate(divide="ignore"):
        yes, no = np.log(shares)[None], np.log1p(-shares)[None]

    def log_pmf(n: int) -> np.ndarray:
        k = np.arange(n + 1)[:, None]
        with np.errstate(invalid="ignore"):
            parts = np.where(k > 0, k * yes, 0) + np.where(k < n, (n - k) * no, 0)
        return np.asarray(_log_choose(n, k) + parts)

    return _log_tail(hits, n_exemplars, log_pmf)


def _log_tail(
    hits: np.ndarray, n_exemplars: np.ndarray, log_pmf: Callable[[int], np.ndarray]
) -> np.ndarray:
    """Sums of probabilities from k on, of neurons with as many exemplars each at once."""
    found = np.zeros(hits.shape)
    columns = np.arange(hits.shape[1])
    for n in np.unique(n_exemplars).tolist():
        if n:
            # (n + 1, n_descriptors), summed from the end.
            tails = np.logaddexp.accumulate(log_pmf(n)[::-1], axis=0)[::-1]
            own = n_exemplars == n
            found[own] = np.minimum(tails[hits[own].astype(int), columns], 0)
    return found


def _log_choose(n: Any, k: Any) -> np.ndarray:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def log_q_values(log_p: np.ndarray) -> np.ndarray:
    """Logarithms of the q-values of Benjamini & Hochberg (1995), over the whole array."""
    flat = log_p.ravel()
    order = np.argsort(flat, kind="stable")
    of_rank = flat[order] + np.log(len(flat)) - np.log(np.arange(1, len(flat) + 1))
    found = np.empty_like(flat)
    found[order] = np.minimum(np.minimum.accumulate(of_rank[::-1])[::-1], 0)
    return found.reshape(log_p.shape)


def q_of_neurons(log_p: np.ndarray, limit: float | None = None) -> tuple[np.ndarray, float]:
    """Logarithms of q-values, (n_neurons, n_descriptors), and of the largest p that is significant.

    Over all neurons and descriptors; but 0 where such a probability is not rare among the
    descriptors of one neuron (Bonferroni): where most neurons have many true descriptors, so large
    ones are significant that any neuron of noise would have one.

    Parameters
    ----------
    log_p : (n_neurons, n_descriptors) array
    limit : float, optional
        Largest logarithm that is significant; by default that of the false discovery rate of
        ``log_p``.
    """
    if limit is None:
        log_q = log_q_values(log_p)
        limit = float(log_p[log_q < np.log(LEVEL)].max(initial=-np.inf))
    else:
        log_q = np.where(log_p <= limit, -np.inf, 0.0)
    is_rare = log_p < np.log(LEVEL / log_p.shape[1])
    return np.where(is_rare, log_q, 0.0), limit


def choose(
    log_p: np.ndarray,
    log_q: np.ndarray,
    odds: np.ndarray,
    exemplars: np.ndarray,
    has: csr_array,
    weights: np.ndarray,
) -> list[int]:
    """At most two descriptors of a neuron, the best first; none where none is significant.

    First comes the one with the least probability. The second is the one that, with or without the
    first, is still more frequent than in the corpus, so that what only goes along with the first is
    left out. The number of exemplars with it is, of chance, a sum of draws with other
    probabilities with and without the first, whose tail is at most that of the binomial
    distribution of their mean (Hoeffding 1956).

    Parameters
    ----------
    log_p, log_q, odds : (n_descriptors,) arrays
    exemplars : (n_exemplars,) int array
        Rows of ``has``.
    has : (n_rows, n_descriptors) sparse bool array
        Which sentences, or words, have which descriptors.
    weights : (n_rows,) array
        How likely a row is to be an exemplar by chance, by any scale.
    """
    found = np.flatnonzero((log_q < np.log(LEVEL)) & (odds > 0))
    if not len(found):
        return []
    candidates = found[np.argsort(log_p[found], kind="stable")][: MOST_CANDIDATES + 1]
    first, others = int(candidates[0]), candidates[1:]
    if not len(others):
        return [first]
    own = has[:, candidates].toarray()
    is_first = own[:, 0]
    n_with, expected = np.zeros(len(others)), np.zeros(len(others))
    for stratum in (is_first, ~is_first):
        of_exemplars = own[exemplars[stratum[exemplars]]][:, 1:]
        weight = weights * stratum
        if len(of_exemplars) and weight.sum():
            n_with += of_exemplars.sum(0)
            expected += len(of_exemplars) * np.clip(weight @ own[:, 1:] / weight.sum(), 0, 1)
    n = len(exemplars)
    tails = log_tail_binomial(n_with[None], np.array([n]), np.clip(expected / n, 0, 1))[0]
    second = int(np.argmin(tails))
    if n_with[second] >= expected[second] + 1 and tails[second] < np.log(
        SECOND_LEVEL / len(others)
    ):
        return [first, int(others[second])]
    return [first]
