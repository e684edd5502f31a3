"""Agreement: definitions written out, published weights, and what must hold for all rankings.

Also of ``neurox_lite.ranking.permuted_overlap``.
"""

from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.ranking import (
    agreement,
    mean_select,
    permuted_overlap,
    probeless,
    random_ranking,
    rank_biased_overlap,
    variance,
)
from neurox_lite.ranking.agreement import AgreementMatrix
from neurox_lite.results.ranking import NeuronRanking

N = 7
SPACE = NeuronSpace.of_array(N)
orders = st.permutations(range(N))
score_lists = st.lists(st.integers(0, 3), min_size=N, max_size=N).filter(lambda s: len(set(s)) > 1)


def ordered(order, method="m"):
    """A ranking in this order, without ties."""
    scores = np.empty(len(order))
    scores[list(order)] = -np.arange(len(order))
    return NeuronRanking.from_scores(NeuronSpace.of_array(len(order)), scores, method)


def scored(scores, method="m"):
    space = NeuronSpace.of_array(len(scores))
    return NeuronRanking.from_scores(space, np.array(scores, dtype=float), method)


def test_rank_biased_overlap_by_hand():
    # The top 1, 2 and 3 share 0, 1 of 2 and 3 of 3; what follows is taken to agree as the last.
    found = rank_biased_overlap(ordered([0, 1, 2]), ordered([1, 2, 0]), 0.5)
    assert found == pytest.approx(0.5 * (0 + 0.5 * 0.5 + 0.25 * 1) + 0.125)


@given(orders, orders, st.floats(0, 0.999))
def test_rank_biased_overlap_is_the_weighted_overlap_of_prefixes(first, second, p):
    shares = [len(set(first[:d]) & set(second[:d])) / d for d in range(1, N + 1)]
    expected = (1 - p) * sum(p**d * share for d, share in enumerate(shares)) + p**N
    a, b = ordered(first), ordered(second)
    assert rank_biased_overlap(a, b, p) == pytest.approx(expected)
    assert rank_biased_overlap(b, a, p) == rank_biased_overlap(a, b, p)
    assert rank_biased_overlap(a, a, p) == 1


@pytest.mark.parametrize(("p", "depth", "weight"), [(0.9, 10, 0.85558545), (0.98, 50, 0.85223391)])
def test_published_weight_of_the_first_ranks(p, depth, weight):
    """Webber et al. 2010, equation 21: of rankings that share the first ranks and nothing after.

    Theirs are without an end; here that makes a difference only at depths that do not count.
    """
    tail = 3000
    same = list(range(depth))
    one, other = list(range(depth, depth + tail)), list(range(depth + tail, depth + 2 * tail))
    found = rank_biased_overlap(ordered(same + one + other), ordered(same + other + one), p)
    assert found == pytest.approx(weight, abs=1e-8)


def tau_b(first, second):
    """Kendall's tau-b by looking at every pair of neurons."""
    pairs = list(combinations(range(len(first)), 2))
    a = np.array([np.sign(first[i] - first[j]) for i, j in pairs])
    b = np.array([np.sign(second[i] - second[j]) for i, j in pairs])
    return a @ b / np.sqrt((a @ a) * (b @ b))


@given(score_lists, score_lists)
def test_kendall_counts_pairs_and_leaves_out_ties(first, second):
    found = agreement([scored(first), scored(second)], 2)
    assert found.kendall[0][1] == pytest.approx(tau_b(first, second))


@given(st.lists(score_lists, min_size=1, max_size=4), st.integers(1, N))
def test_matrices_are_symmetric_with_ones(lists, k):
    rankings = [scored(scores, f"m{i}") for i, scores in enumerate(lists)]
    found = agreement(rankings, k)
    for name, lowest in (("overlap", 0), ("kendall", -1), ("rank_biased", 0)):
        matrix = np.array(getattr(found, name))
        np.testing.assert_array_equal(matrix, matrix.T)
        np.testing.assert_array_equal(np.diag(matrix), 1)
        assert matrix.min() >= lowest - 1e-12
        assert matrix.max() <= 1 + 1e-12
    for i, first in enumerate(rankings):
        for j, second in enumerate(rankings):
            assert found.overlap[i][j] == first.overlap(second, k)


@given(orders)
def test_the_reverse_is_the_opposite(order):
    ranking = ordered(order)
    found = agreement([ranking, ranking.reversed()], 3)
    assert found.kendall[0][1] == pytest.approx(-1)
    assert found.overlap[0][1] == 0
    assert agreement([ranking, ranking.reversed()], N).overlap[0][1] == 1


def test_neurons_that_both_leave_out_are_no_agreement():
    """Their order by column is the same in both, and is not the methods'."""
    rng = np.random.default_rng(0)
    first, second = (np.zeros(300), np.zeros(300))
    first[:20], second[:20] = rng.random((2, 20))
    alike = agreement([scored(first), scored(second)], 10).kendall[0][1]
    none = scored(np.where(np.arange(300) < 20, first, np.nan))
    assert agreement([none, scored(second)], 10).kendall[0][1] == pytest.approx(alike)
    only_first = agreement([scored(first[:20]), scored(second[:20])], 10).kendall[0][1]
    across = 20 * 280  # pairs of one neuron with weight and one without, which do agree
    assert alike == pytest.approx((190 * only_first + across) / (190 + across))


def test_expected_by_chance_is_the_mean_over_all_orders():
    first = ordered(range(5))
    for k in (1, 2, 5):
        every = [agreement([first, ordered(order)], k) for order in permutations(range(5))]
        assert every[0].expected_overlap == pytest.approx(np.mean([a.overlap[0][1] for a in every]))
        mean = np.mean([a.rank_biased[0][1] for a in every])
        assert every[0].expected_rank_biased == pytest.approx(mean)
        assert np.mean([a.kendall[0][1] for a in every]) == pytest.approx(0)


def test_mean_overlap_is_with_the_others():
    rankings = [ordered([0, 1, 2, 3]), ordered([0, 1, 3, 2]), ordered([3, 1, 0, 2])]
    assert agreement(rankings, 2).mean_overlap == pytest.approx((0.75, 0.75, 0.5))


def test_saved_and_loaded_it_is_the_same(tmp_path):
    space = NeuronSpace("m", "mlp", (0, 3), (20, 4), "main")
    rankings = [replace(random_ranking(space, seed), method=f"m{seed}") for seed in range(3)]
    found = agreement(rankings, 5)
    assert (found.methods, found.k, found.n_neurons) == (("m0", "m1", "m2"), 5, 24)
    found.save(tmp_path / "a.json")
    assert AgreementMatrix.load(tmp_path / "a.json") == found
    rankings[0].save(tmp_path / "r.json")
    with pytest.raises(InputError, match="not a result of the kind 'agreement of rankings'"):
        AgreementMatrix.load(tmp_path / "r.json")


def test_errors():
    one, other = random_ranking(SPACE), random_ranking(NeuronSpace.of_array(8))
    for compare in (agreement, lambda rankings, k: rank_biased_overlap(*rankings, 0.9)):
        with pytest.raises(InputError, match=r"ranking 'random' is of .*, not of"):
            compare([one, other], 2)
    with pytest.raises(InputError, match="no rankings"):
        agreement([], 2)
    for k in (0, 8):
        with pytest.raises(InputError, match=f"k is {k}; give a number from 1 to 7"):
            agreement([one, one], k)
    for p in (-0.1, 1, np.nan):
        with pytest.raises(InputError, match="give a number from 0 to below 1"):
            rank_biased_overlap(one, one, p)


@pytest.mark.parametrize("scores", [[1.0] * N, [np.nan] * N])
def test_a_ranking_that_ties_all_neurons_agrees_with_none(scores):
    found = agreement([random_ranking(SPACE), scored(scores, "flat")], 2)
    assert found.overlap[0][1] == found.kendall[0][1] == found.rank_biased[0][1] == 0


def test_rank_biased_overlap_of_rankings_that_order_few_neurons():
    one, other = scored([1.0, 0, 0, 0, 0, 0, 0], "one"), scored([0, 0, 0, 0, 0, 0, 1.0], "other")
    assert rank_biased_overlap(one, other, 0.9) == 0
    assert rank_biased_overlap(one, one, 0.9) == 1


def test_two_rankers_of_noise_agree_and_shuffled_labels_say_so():
    """Of independent rankings that much would be no chance; of the same labels it is."""
    rng = np.random.default_rng(0)
    small = 0
    for seed in range(8):
        X = rng.normal(size=(150, 60)).astype(np.float32)
        y = np.array(["A", "B"])[rng.integers(2, size=150)]
        assert probeless(X, y).compare(mean_select(X, y), 8).p_at_least < 0.05
        found = permuted_overlap(probeless, mean_select, X, y, k=8, n_permutations=19, seed=seed)
        assert found.chance == "rankings of shuffled labels" and found.expected > 4
        small += found.p_at_least <= 0.05
    assert small <= 2
    # A ranker that sees no labels, and one that does, agree no more than independent ones.
    found = permuted_overlap(lambda X, y: variance(X), probeless, X, y, k=8, n_permutations=99)
    assert found.expected == pytest.approx(64 / 60, abs=0.5) and found.p_at_least > 0.05
    with pytest.raises(InputError, match="n_permutations is 0"):
        permuted_overlap(probeless, mean_select, X, y, k=8, n_permutations=0)
