from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.errors import InputError
from neurox_lite.neurons import Neuron, NeuronSpace

SPACE = NeuronSpace("m", "hidden_states", (4, 0, 2), (3, 2, 5), "abc")


@st.composite
def spaces(draw):
    layers = draw(st.lists(st.integers(0, 99), min_size=1, max_size=6, unique=True))
    widths = draw(st.lists(st.integers(1, 7), min_size=len(layers), max_size=len(layers)))
    return NeuronSpace("m", "mlp", tuple(layers), tuple(widths))


@given(spaces())
def test_columns_number_the_neurons_layer_after_layer(space):
    listed = [
        (layer, unit)
        for layer, width in zip(space.layers, space.widths, strict=True)
        for unit in range(width)
    ]

    assert space.n_neurons == len(listed)
    assert space.neurons(range(len(listed))) == listed
    assert [space.column(layer, unit) for layer, unit in listed] == list(range(len(listed)))
    for layer in space.layers:
        assert {layer} == {found for found, _ in listed[space.columns(layer)]}


@given(spaces(), st.data())
def test_count_per_layer(space, data):
    columns = data.draw(st.lists(st.integers(0, space.n_neurons - 1)))

    counts = space.count_per_layer(columns)

    assert list(counts) == list(space.layers)
    found = [space.neuron(column).layer for column in columns]
    assert counts == {layer: found.count(layer) for layer in space.layers}


def test_layers_keep_the_order_they_are_given_in():
    assert SPACE.layer_offsets.tolist() == [0, 3, 5, 10]
    assert SPACE.column(0, 1) == 4
    assert SPACE.neuron(5) == Neuron(layer=2, unit=0)
    assert SPACE.columns(2) == slice(5, 10)
    assert str(SPACE.neuron(np.int64(9))) == "2:4"
    assert SPACE.count_per_layer([0, 2, 9]) == {4: 2, 0: 0, 2: 1}


def test_select_keeps_the_order_asked_for_and_the_model():
    selected = SPACE.select([2, 4])

    assert selected == NeuronSpace("m", "hidden_states", (2, 4), (5, 3), "abc")


def test_of_array():
    space = NeuronSpace.of_array(3)

    assert space.neurons([2, 0]) == [(0, 2), (0, 0)]


@given(spaces())
def test_to_dict_and_back(space):
    assert NeuronSpace.from_dict(space.to_dict()) == space


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: SPACE.column(1, 0), "no layer 1; the layers are 4, 0, 2"),
        (lambda: SPACE.columns(1), "no layer 1"),
        (lambda: SPACE.select([4, 1]), "no layer 1"),
        (lambda: SPACE.select([4, 4]), "give each layer once"),
        (lambda: SPACE.select([]), "at least one layer"),
        (lambda: SPACE.column(0, 2), "no unit 2 in layer 0; its units are 0 to 1"),
        (lambda: SPACE.column(0, -1), "no unit -1"),
        (lambda: SPACE.neuron(10), "no column 10; the columns are 0 to 9"),
        (lambda: SPACE.neuron(-1), "no column -1"),
        (lambda: NeuronSpace("m", "mlp", (0, 1), (2,)), "give each layer once, with a width"),
        (lambda: NeuronSpace("m", "mlp", (0,), (0,)), "at least one neuron"),
    ],
)
def test_errors_say_what_there_is(use, message):
    with pytest.raises(InputError, match=message):
        use()


def test_the_same_model_in_two_places_has_the_same_neurons():
    here = replace(SPACE, model="/here/m")
    there = replace(SPACE, model="/there/m")
    assert here == there and hash(here) == hash(there)
    assert len({here, there, SPACE}) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"revision": "abd"},
        {"revision": ""},
        {"site": "mlp"},
        {"layers": (4, 2, 0)},
        {"widths": (3, 5, 2)},
        {"layers": (4, 0), "widths": (3, 2)},
    ],
)
def test_other_neurons(change):
    assert replace(SPACE, **change) != SPACE
    assert SPACE != "m"


def test_without_a_revision_the_name_tells_models_apart():
    unknown = replace(SPACE, revision="")
    assert replace(unknown, model="m") == unknown
    assert replace(unknown, model="other") != unknown
