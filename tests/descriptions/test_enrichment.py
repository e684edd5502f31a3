"""Probabilities against scipy, and which two descriptors are chosen.

`neurox_lite.descriptions.enrichment`
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_array

from neurox_lite.descriptions.enrichment import (
    choose,
    log_odds,
    log_q_values,
    log_tail_binomial,
    log_tail_hypergeometric,
    q_of_neurons,
)

RNG = np.random.default_rng(0)
N_ALL = 400
COUNTS = np.array([1.0, 7, 40, 200, 399])
N_EXEMPLARS = np.array([12, 0, 30, 12])
HITS = np.array([[1, 3, 0, 12, 12], [0, 0, 0, 0, 0], [0, 7, 20, 15, 29], [0, 0, 1, 6, 11]], float)


def test_tails_are_those_of_scipy():
    found = log_tail_hypergeometric(HITS, N_EXEMPLARS, COUNTS, N_ALL)
    expected = stats.hypergeom.sf(HITS - 1, N_ALL, COUNTS.astype(int), N_EXEMPLARS[:, None])
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-9, atol=1e-12)
    found = log_tail_binomial(HITS, N_EXEMPLARS, COUNTS / N_ALL)
    expected = stats.binom.sf(HITS - 1, N_EXEMPLARS[:, None], COUNTS / N_ALL)
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-9, atol=1e-12)


def test_probabilities_far_below_the_least_float_are_told_apart():
    counts = np.array([100.0, 200.0])
    hits = np.array([[100.0, 100.0]])
    found = log_tail_hypergeometric(hits, np.array([100]), counts, 1_000_000)
    assert found[0, 0] < found[0, 1] < np.log(1e-300)


def test_a_share_of_none_or_all_is_certain():
    found = log_tail_binomial(np.array([[0.0, 5], [1, 5]]), np.array([5, 5]), np.array([0.0, 1.0]))
    np.testing.assert_array_equal(found, [[0, 0], [-np.inf, 0]])


def test_q_values_are_those_of_scipy():
    p = RNG.random((6, 50)) ** 3
    expected = stats.false_discovery_control(p.ravel()).reshape(p.shape)
    np.testing.assert_allclose(np.exp(log_q_values(np.log(p))), expected)


def test_neurons_of_noise_stay_silent_among_many_that_are_not():
    """The false discovery rate alone admits one in twenty of all, and these are all of theirs."""
    p = RNG.random((2000, 50))
    p[:1800] *= 1e-9
    is_noise = np.arange(2000) >= 1800
    alone = np.exp(log_q_values(np.log(p))) < 0.05
    assert alone[is_noise].any(1).mean() > 0.8
    log_q, limit = q_of_neurons(np.log(p))
    found = np.exp(log_q) < 0.05
    assert found[~is_noise].all()
    assert found[is_noise].any(1).mean() < 0.1
    others = np.log(RNG.random((2000, 50)))
    assert (q_of_neurons(others, limit)[0] < np.log(0.05)).any(1).mean() < 0.07


def test_log_odds_of_a_table():
    found = log_odds(np.array([[3.0]]), np.array([10]), np.array([20.0]), 100)
    table = np.array([[3, 7], [17, 73]]) + 0.5
    assert found[0, 0] == pytest.approx(
        np.log(table[0, 0] * table[1, 1] / table[0, 1] / table[1, 0])
    )


def chosen(has, exemplars):
    n_all = len(has)
    counts, hits = has.sum(0).astype(float), has[exemplars].sum(0, keepdims=True).astype(float)
    n = np.array([len(exemplars)])
    log_p = log_tail_hypergeometric(hits, n, counts, n_all)
    odds = log_odds(hits, n, counts, n_all)
    return choose(
        log_p[0], log_q_values(log_p)[0], odds[0], exemplars, csr_array(has), np.ones(n_all)
    )


def aspects(n=2000):
    """Two aspects by themselves, and one that goes along with the first."""
    a, b = RNG.random((2, n)) < 0.05
    along = (a & (RNG.random(n) < 0.6)) | (RNG.random(n) < 0.05)
    return np.stack([a, b, along, RNG.random(n) < 0.3], axis=1)


def test_what_only_goes_along_is_left_out():
    has = aspects()
    exemplars = np.flatnonzero(has[:, 0])[:40]
    assert chosen(has, exemplars) == [0]


@pytest.mark.parametrize("where", ["apart", "together"])
def test_both_of_two_aspects_are_found(where):
    has = aspects(20_000)
    if where == "apart":
        exemplars = np.concatenate([np.flatnonzero(has[:, number] & ~has[:, 1 - number])[:20]
                                    for number in (0, 1)])  # fmt: skip
    else:
        exemplars = np.flatnonzero(has[:, 0] & has[:, 1])[:30]
    assert set(chosen(has, np.sort(exemplars))) == {0, 1}


def test_of_random_exemplars_nothing_is_said():
    has = aspects()
    found = [chosen(has, np.sort(RNG.choice(len(has), 30, replace=False))) for _ in range(200)]
    assert np.mean([bool(one) for one in found]) <= 0.07
