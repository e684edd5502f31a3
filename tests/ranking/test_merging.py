"""Merging layers: a ranking that was split comes back whole."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.ranking import merge_layers
from neurox_lite.results.ranking import NeuronRanking

SPACE = NeuronSpace("m", "mlp", (4, 0, 9), (2, 3, 1), "main")


@pytest.fixture
def whole():
    scores = np.array([0.1, 0.7, np.nan, 0.7, 0.2, 0.9])
    return NeuronRanking.from_scores(
        SPACE,
        scores,
        "probeless",
        classes=("A", "B"),
        class_scores=np.arange(12.0).reshape(2, 6),
        parameters={"l1": 0.1, "side": "top"},
        provenance={"from": "here"},
    )


def split(ranking):
    return [ranking.restrict_to_layers([layer]) for layer in ranking.space.layers]


def test_a_split_ranking_is_whole_again(whole):
    merged = merge_layers(split(whole))
    assert merged.space == SPACE
    np.testing.assert_array_equal(merged.order, whole.order)
    np.testing.assert_array_equal(merged.scores, whole.scores)
    np.testing.assert_array_equal(merged.class_scores, whole.class_scores)
    assert (merged.method, merged.classes) == (whole.method, whole.classes)
    assert merged.parameters == whole.parameters
    assert merged.provenance == {"merged": [{"from": "here"}] * 3}


@given(st.lists(st.sampled_from([0.0, 1.0, 2.5, np.nan]), min_size=6, max_size=6))
def test_split_and_merged(scores):
    ranking = NeuronRanking.from_scores(SPACE, np.array(scores), "m")
    np.testing.assert_array_equal(merge_layers(split(ranking)).order, ranking.order)
    several = merge_layers([ranking.restrict_to_layers([4, 0]), ranking.restrict_to_layers([9])])
    np.testing.assert_array_equal(several.order, ranking.order)


def test_layers_stand_in_the_order_given(whole):
    merged = merge_layers(split(whole)[::-1])
    assert merged.space.layers == (9, 0, 4)
    assert merged.top(3) == [whole.space.neuron(c) for c in (5, 3, 1)]
    np.testing.assert_array_equal(merged.class_scores[0], [5, 2, 3, 4, 0, 1])


def test_what_differs_is_left_out(whole):
    first, second, _ = split(whole)
    other = replace(
        second,
        classes=("A", "C"),
        parameters={"l1": 0.2, "side": "top", "more": 1},
        provenance={"from": "there"},
    )
    merged = merge_layers([first, other])
    assert merged.classes == ()
    assert merged.class_scores is None
    assert merged.parameters == {"side": "top"}
    assert merged.provenance == {"merged": [{"from": "here"}, {"from": "there"}]}
    without = replace(second, classes=(), class_scores=None)
    assert merge_layers([first, without]).class_scores is None


def test_errors(whole):
    first, second, third = split(whole)
    with pytest.raises(InputError, match="no rankings"):
        merge_layers([])
    with pytest.raises(InputError, match="'probeless' and 'iou' have scores on different scales"):
        merge_layers([first, replace(second, method="iou")])
    with pytest.raises(InputError, match="layer 4 is in two rankings"):
        merge_layers([first, second, first])
    for changes, named in (
        ({"model": "n"}, r"m \(main\) at mlp and of n \(main\) at mlp"),
        ({"site": "hidden_states"}, "at hidden_states"),
        ({"revision": ""}, "of m at mlp"),
    ):
        with pytest.raises(InputError, match=f"{named}.*cannot be merged"):
            merge_layers([first, replace(third, space=replace(third.space, **changes))])


def test_a_greedy_order_cannot_be_merged():
    space = NeuronSpace("m", "mlp", (0,), (3,))
    greedy = NeuronRanking(space, np.array([2, 0, 1]), np.array([3.0, 2.0, 1.0]), "greedy")
    with pytest.raises(InputError, match="does not order neurons by their scores"):
        merge_layers([greedy])
