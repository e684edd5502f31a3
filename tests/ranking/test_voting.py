"""Votes: counted by hand, the same in any order, and of one ranking that ranking."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.ranking import random_ranking, vote
from neurox_lite.results.ranking import NeuronRanking

SPACE = NeuronSpace("m", "mlp", (2, 5), (2, 3))
values = st.sampled_from([0.0, 0.5, 1.0, 2.0, np.nan])
score_lists = st.lists(values, min_size=5, max_size=5)
ks = st.none() | st.integers(0, 5)


def scored(scores, method="m"):
    return NeuronRanking.from_scores(SPACE, np.array(scores, dtype=float), method)


def test_by_hand():
    rankings = [scored([5, 4, 3, 2, 1], "a"), scored([5, 1, 4, 3, 2], "b"), scored([1, 2, 3, 5, 4])]
    # Mean ranks (0+0+4)/3, (1+4+3)/3, (2+1+2)/3, (3+2+0)/3, (4+3+1)/3.
    mean = vote(rankings)
    assert mean.order.tolist() == [0, 2, 3, 1, 4]
    np.testing.assert_allclose(mean.scores, 1 - (np.array([4, 8, 5, 5, 8]) / 3 + 1) / 5)
    top = vote(rankings, 2)
    # Votes 2, 1, 1, 1, 1.
    assert np.floor(top.scores).tolist() == [2, 1, 1, 1, 1]
    assert top.order.tolist() == [0, 2, 3, 1, 4]
    assert vote(rankings, 1).order.tolist() == [0, 3, 2, 1, 4]
    assert top.method == "vote"
    assert top.parameters == {"k": 2, "methods": ["a", "b", "m"]}


@given(score_lists, ks)
def test_the_vote_of_one_ranking_is_that_ranking(scores, k):
    ranking = scored(scores)
    voted = vote([ranking], k)
    np.testing.assert_array_equal(voted.order, ranking.order)
    assert voted.unscored == ranking.unscored
    np.testing.assert_array_equal(vote([ranking] * 3, k).order, ranking.order)


@given(st.lists(score_lists, min_size=2, max_size=5), ks, st.randoms())
def test_the_order_of_the_rankings_does_not_matter(lists, k, random):
    rankings = [scored(scores, f"m{i}") for i, scores in enumerate(lists)]
    first = vote(rankings, k)
    random.shuffle(rankings)
    second = vote(rankings, k)
    np.testing.assert_array_equal(first.scores, second.scores)
    np.testing.assert_array_equal(first.order, second.order)
    assert first.parameters == second.parameters


@given(st.lists(score_lists, min_size=1, max_size=5), st.integers(0, 5))
def test_more_votes_are_always_first(lists, k):
    rankings = [scored(scores) for scores in lists]
    votes = np.sum([np.isin(np.arange(5), ranking.top_columns(k)) for ranking in rankings], axis=0)
    voted = vote(rankings, k)
    no_score = np.isnan(voted.scores)
    np.testing.assert_array_equal(np.floor(voted.scores[~no_score]), votes[~no_score])
    kept = voted.order[~no_score[voted.order]]
    assert np.all(np.diff(votes[kept]) <= 0)


def test_neurons_that_no_method_weighs_are_tied_whatever_their_layer():
    first, second = [0, 0, 0, 0, 1.0], [0, 0, 0, 1.0, 0]
    scores = vote([scored(first), scored(second)]).scores
    assert scores[0] == scores[1] == scores[2] < scores[3] == scores[4]


def test_planted_neurons_win_the_vote_of_noisy_methods():
    rng = np.random.default_rng(0)
    space = NeuronSpace.of_array(500)
    planted = np.arange(500) < 20
    noisy = [
        NeuronRanking.from_scores(space, planted + rng.normal(size=500), f"m{i}") for i in range(15)
    ]
    found = [vote(noisy, 20).mask(20)[:20].sum(), vote(noisy).mask(20)[:20].sum()]
    assert min(found) >= 15
    assert max(ranking.mask(20)[:20].sum() for ranking in noisy) < 12


def test_errors():
    with pytest.raises(InputError, match="no rankings"):
        vote([])
    with pytest.raises(InputError, match=r"ranking .* is of .*, not of"):
        vote([random_ranking(SPACE), random_ranking(NeuronSpace.of_array(5))])
    with pytest.raises(InputError, match="k is 6; give a number from 0 to 5"):
        vote([random_ranking(SPACE)], 6)
