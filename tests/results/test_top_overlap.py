"""Sets of neurons against each other: counted, and compared with chance by counting all sets."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.ranking import random_ranking
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.top_overlap import compare_sets

SPACE = NeuronSpace("m", "mlp", layers=(1, 4), widths=(3, 4))


@given(st.sets(st.integers(0, 6)), st.sets(st.integers(0, 6)))
def test_chance_is_that_of_all_sets_of_the_size(first, second):
    found = compare_sets(SPACE, sorted(first), sorted(second))
    sizes = np.array([len(first & set(drawn)) for drawn in combinations(range(7), len(second))])
    assert found.expected == pytest.approx(sizes.mean())
    assert found.p_at_least == pytest.approx(np.mean(sizes >= len(first & second)))
    assert found.p_at_most == pytest.approx(np.mean(sizes <= len(first & second)))


@given(st.sets(st.integers(0, 6)), st.sets(st.integers(0, 6)))
def test_the_parts_are_those_of_sets(first, second):
    found = compare_sets(SPACE, sorted(first), sorted(second), ("a", "b"))
    assert found.both == tuple(SPACE.neurons(sorted(first & second)))
    assert found.only_first == tuple(SPACE.neurons(sorted(first - second)))
    assert found.only_second == tuple(SPACE.neurons(sorted(second - first)))
    assert sorted(found.either) == SPACE.neurons(sorted(first | second))
    assert (found.first, found.second, found.n_neurons) == ("a", "b", 7)


def test_tops_of_two_rankings_best_first():
    first = NeuronRanking.from_scores(SPACE, np.array([7.0, 6, 5, 4, 3, 2, 1]), "down")
    second = NeuronRanking.from_scores(SPACE, np.array([0.0, 1, 9, 0, 7, 3, 8]), "other")
    found = first.compare(second, 3)
    assert found.both == (SPACE.neuron(2),)
    assert found.only_first == tuple(SPACE.neurons([0, 1]))
    assert found.only_second == tuple(SPACE.neurons([6, 4]))
    assert (found.first, found.second) == ("down", "other")
    assert found.expected == pytest.approx(9 / 7)
    assert len(first.compare(second, 2, other_k=5).either) == 6
    assert first.compare(second, 0).p_at_least == 1
    assert len(first.compare(first, 4).both) == 4
    assert first.compare(first, 4).p_at_least == pytest.approx(1 / 35)


def test_salient_neurons_of_classes_have_sets_of_their_own_size():
    scores = np.array([[4.0, 4, 1, 1, 0, 0, 0], [0.0, 9, 0, 0, 0, 1, 0]])
    ranking = NeuronRanking.from_scores(
        SPACE, scores.sum(0), "lca", classes=("A", "B"), class_scores=scores
    )
    lists = ranking.salient(0.75)
    found = compare_sets(SPACE, lists["A"], lists["B"], ("A", "B"))
    assert found.both == (SPACE.neuron(1),)
    assert found.only_first == (SPACE.neuron(0),)
    assert found.only_second == ()
    # B's one neuron is among A's two of seven.
    assert found.p_at_least == pytest.approx(2 / 7)


def test_a_planted_overlap_is_no_chance_and_a_random_one_is():
    space = NeuronSpace.of_array(2000)
    first, second = random_ranking(space, 0), random_ranking(space, 1)
    by_chance = first.compare(second, 200)
    assert by_chance.expected == 20
    assert min(by_chance.p_at_least, by_chance.p_at_most) > 0.01
    planted = NeuronRanking.from_scores(space, second.scores + first.mask(50), "planted")
    assert first.compare(planted, 200).p_at_least < 1e-6


def test_errors():
    ranking = random_ranking(SPACE)
    with pytest.raises(InputError, match=r"ranking .* is of .*, not of"):
        ranking.compare(random_ranking(NeuronSpace.of_array(7)), 2)
    with pytest.raises(InputError, match="k is 8; give a number from 0 to 7"):
        ranking.compare(ranking, 8)
    with pytest.raises(InputError, match="k is -1"):
        ranking.compare(ranking, 2, other_k=-1)
    with pytest.raises(InputError, match="'first': no column 7; the columns are 0 to 6"):
        compare_sets(SPACE, [1, 7], [0])
    with pytest.raises(InputError, match="'b' names a neuron twice"):
        compare_sets(SPACE, [1], [3, 3], ("a", "b"))
