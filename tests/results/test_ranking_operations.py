"""What is made from one ranking: the reverse, one class, some layers, ranks with ties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import rankdata

from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.ranking import NeuronRanking

SPACE = NeuronSpace("m", "mlp", layers=(5, 0, 2), widths=(3, 2, 4))
SCORES = np.array([0.5, np.nan, 0.9, 0.1, 0.5, np.nan, 0.7, 0.5, -1.0])
CLASS_SCORES = np.stack(
    [np.arange(9.0), 9.0 - np.arange(9), np.where(np.arange(9) == 4, 2, np.nan)]
)

few_values = st.sampled_from([0.0, 0.25, 0.5, 1.0, -1e300, np.nan])
some_scores = hnp.arrays(np.float64, 9, elements=few_values)


@pytest.fixture
def ranking():
    return NeuronRanking.from_scores(
        SPACE,
        SCORES,
        "by hand",
        classes=("NOUN", "VERB", "X"),
        class_scores=CLASS_SCORES,
        parameters={"l1": 0.1},
        provenance={"from": "here"},
    )


@given(some_scores)
def test_neurons_without_a_score_come_last_and_ties_go_by_column(scores):
    ranking = NeuronRanking.from_scores(SPACE, scores, "ties")
    keys = [(np.isnan(s), 0 if np.isnan(s) else -s, i) for i, s in enumerate(scores)]
    assert ranking.order.tolist() == [i for _, _, i in sorted(keys)]
    assert ranking.unscored == SPACE.neurons(np.flatnonzero(np.isnan(scores)))


@given(some_scores)
def test_ranks_and_tied_ranks(scores):
    ranking = NeuronRanking.from_scores(SPACE, scores, "ties")
    np.testing.assert_array_equal(
        ranking.order[ranking.ranks], np.arange(9)[ranking.order][ranking.ranks]
    )
    np.testing.assert_array_equal(ranking.ranks[ranking.order], np.arange(9))
    values = np.where(np.isnan(scores), np.inf, -scores)
    np.testing.assert_array_equal(ranking.tied_ranks, rankdata(values) - 1)


def test_a_greedy_order_is_not_undone_by_equal_scores():
    """Equal scores tie only where nothing stands between them."""
    order = np.array([4, 0, 2, 1, 3, 5])
    scores = np.array([0.5, 0.1, 0.1, 0.1, 0.1, 0.9])
    ranking = NeuronRanking(NeuronSpace.of_array(6), order, scores, "greedy")
    np.testing.assert_array_equal(ranking.tied_ranks[order], [0, 1, 3, 3, 3, 5])


def test_reversed_has_the_unscored_last(ranking):
    back = ranking.reversed()
    assert ranking.order.tolist() == [2, 6, 0, 4, 7, 3, 8, 1, 5]
    assert back.order.tolist() == [8, 3, 7, 4, 0, 6, 2, 1, 5]
    np.testing.assert_array_equal(back.scores, -SCORES)
    assert back.method == "reverse of by hand"
    assert back.unscored == ranking.unscored == SPACE.neurons([1, 5])
    assert back.class_scores is None
    assert back.reversed().order.tolist() == ranking.order.tolist()


@given(some_scores)
def test_the_reverse_is_in_order_of_its_scores(scores):
    ranking = NeuronRanking.from_scores(SPACE, scores, "ties")
    back = ranking.reversed()
    again = NeuronRanking.from_scores(SPACE, back.scores, "again")
    np.testing.assert_array_equal(back.scores[back.order], again.scores[again.order])
    if not ranking.unscored:
        assert back.top(9) == ranking.bottom(9)
    values = scores[~np.isnan(scores)]
    if len(np.unique(values)) == len(values):
        np.testing.assert_array_equal(back.order, again.order)


def test_for_class(ranking):
    noun = ranking.for_class("NOUN")
    assert noun.order.tolist() == [8, 7, 6, 4, 3, 2, 0, 1, 5]
    scores = np.where(np.isnan(SCORES), np.nan, np.arange(9))
    np.testing.assert_array_equal(noun.scores, scores)
    assert noun.method == "by hand (NOUN)"
    assert noun.parameters == {"l1": 0.1, "class": "NOUN"}
    assert noun.provenance == {"from": "here"}
    assert ranking.for_class("X").order.tolist() == [4, 0, 1, 2, 3, 5, 6, 7, 8]
    assert len(ranking.for_class("X").unscored) == 8
    with pytest.raises(InputError, match="has no class 'ADJ'; it has NOUN, VERB, X"):
        ranking.for_class("ADJ")
    with pytest.raises(InputError, match=r"'by hand \(NOUN\)' has no scores per class"):
        noun.for_class("NOUN")


def test_neurons_that_are_tied_at_the_end_are_in_no_top():
    """Two probes with one weight each, of a thousand neurons: they share none of them."""
    space = NeuronSpace.of_array(1000)
    one, other = (NeuronRanking.from_scores(space, np.eye(1000)[j], "m") for j in (500, 900))
    assert one.n_ordered == 1
    assert one.overlap(other, 100) == 0
    assert one.overlap(one, 100) == 1
    found = one.compare(other, 100)
    assert (found.both, found.only_first) == ((), ((0, 500),))
    assert found.p_at_least == 1
    dense = NeuronRanking.from_scores(space, np.arange(1000.0), "m")
    assert dense.n_ordered == 1000
    assert dense.overlap(other, 100) == 0.01


@given(some_scores)
def test_n_ordered_are_those_before_the_last_tie(scores):
    ranking = NeuronRanking.from_scores(SPACE, scores, "ties")
    values = scores[~np.isnan(scores)]
    lowest = values.min(initial=np.inf)
    n_lowest = int(np.sum(values == lowest))
    assert ranking.n_ordered == len(values) - (n_lowest if n_lowest > 1 else 0)


def test_constant_neurons_are_not_salient():
    per_class = np.array([[3.0, 9.0, 1.0]])
    ranking = NeuronRanking.from_scores(
        NeuronSpace.of_array(3), [1, np.nan, 2], "m", classes=("A",), class_scores=per_class
    )
    assert ranking.salient(1)["A"].tolist() == [0, 2]
    assert ranking.columns_above(0.1)["A"].tolist() == [0, 2]


@pytest.mark.parametrize("scores", [[1, np.inf], [1j, 2], ["a", "b"]])
def test_scores_are_finite_numbers(scores):
    with pytest.raises(InputError, match="ranking 'm': scores must be finite numbers"):
        NeuronRanking.from_scores(NeuronSpace.of_array(2), scores, "m")


def test_constant_neurons_are_last_for_a_class_too():
    scores = np.array([3.0, np.nan, 1.0])
    per_class = np.array([[0.0, 0.0, 2.0], [5.0, 0.0, 0.0]])
    ranking = NeuronRanking.from_scores(
        NeuronSpace.of_array(3), scores, "m", classes=("A", "B"), class_scores=per_class
    )
    assert ranking.for_class("A").order.tolist() == [2, 0, 1]
    assert ranking.for_class("B").unscored == [(0, 1)]


def test_above_a_share_of_the_largest(ranking):
    lists = ranking.columns_above(0.5)
    assert list(lists) == list(ranking.classes)
    for scores, columns in zip(ranking.class_scores, lists.values(), strict=True):
        scores = np.where(np.isnan(SCORES), 0, scores)
        by_hand = [j for j in range(9) if scores[j] >= scores.max() / 2 and scores[j] > 0]
        assert sorted(columns.tolist()) == by_hand
        assert scores[columns].tolist() == sorted(scores[by_hand], reverse=True)
    assert ranking.columns_above(1)["NOUN"].tolist() == [8]
    with pytest.raises(InputError, match="threshold is 0"):
        ranking.columns_above(0)


def test_of_layers_keeps_the_order(ranking):
    some = ranking.restrict_to_layers([2, 5])
    assert some.space == NeuronSpace("m", "mlp", layers=(2, 5), widths=(4, 3))
    assert some.top(7) == [neuron for neuron in ranking.top(9) if neuron.layer != 0]
    np.testing.assert_array_equal(some.scores, SCORES[[5, 6, 7, 8, 0, 1, 2]])
    np.testing.assert_array_equal(some.class_scores, CLASS_SCORES[:, [5, 6, 7, 8, 0, 1, 2]])
    assert (some.method, some.classes) == (ranking.method, ranking.classes)
    whole = ranking.restrict_to_layers([5, 0, 2])
    np.testing.assert_array_equal(whole.order, ranking.order)
    with pytest.raises(InputError, match="no layer 7; the layers are 5, 0, 2"):
        ranking.restrict_to_layers([7])
    with pytest.raises(InputError, match="at least one layer"):
        ranking.restrict_to_layers([])
    with pytest.raises(InputError, match="give each layer once"):
        ranking.restrict_to_layers([2, 2])


def test_inputs_stay_as_they_were(ranking):
    before = ranking.order.copy(), ranking.scores.copy(), ranking.class_scores.copy()
    ranking.reversed(), ranking.for_class("X"), ranking.restrict_to_layers([0]), ranking.tied_ranks
    for array, copy in zip(
        (ranking.order, ranking.scores, ranking.class_scores), before, strict=True
    ):
        np.testing.assert_array_equal(array, copy)
