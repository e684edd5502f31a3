import json
from dataclasses import replace

import numpy as np
import pandas
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.errors import InputError
from neurox_lite.neurons import Neuron, NeuronSpace, layer_numbers

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


@pytest.mark.parametrize(
    "layers",
    [
        [2, 4],
        (2, 4),
        (layer for layer in (2, 4)),
        [-1, -3],
        range(2, 5, 2),
        np.array([2, 4]),
        np.array([-1, 4], dtype=np.int8),
        [np.int64(2), np.uint8(4)],
        {2: "a", 4: "b"}.keys(),
        torch.tensor([2, 4]),
        pandas.Series([2, 4], index=[7, 1]),
    ],
    ids=lambda layers: type(layers).__name__,
)
def test_layers_come_in_any_collection(layers):
    assert SPACE.select(layers).layers == (2, 4)


@pytest.mark.parametrize("layer", [2, -1, np.int64(2), np.array(2), torch.tensor(-1), [2]])
def test_one_layer(layer):
    assert SPACE.select(layer).layers == (2,)


@pytest.mark.parametrize("layers", [None, "all"])
def test_all_layers(layers):
    assert SPACE.select(layers) == SPACE
    assert layer_numbers(layers) is None


def test_numbers_of_numpy_become_those_of_python():
    space = NeuronSpace("m", "mlp", np.array([0, 1]), [np.int64(2), np.int32(3)])

    assert space == NeuronSpace("m", "mlp", (0, 1), (2, 3))
    assert json.loads(json.dumps(space.to_dict())) == space.to_dict()


@given(spaces(), st.data())
def test_neurons_go_in_as_they_come_out(space, data):
    columns = data.draw(st.lists(st.integers(0, space.n_neurons - 1)))
    neurons = space.neurons(columns)
    chosen = np.isin(np.arange(space.n_neurons), columns)

    for given_as in (
        columns,
        tuple(columns),
        np.array(columns, dtype=np.int16),
        torch.tensor(columns, dtype=torch.int64),
        neurons,
        map(str, neurons),
        [tuple(neuron) for neuron in neurons],
        json.loads(json.dumps(neurons)),
        np.array(neurons, dtype=int).reshape(-1, 2),
    ):
        assert space.columns_of(given_as).tolist() == columns
    assert space.columns_of(chosen).tolist() == sorted(set(columns))
    for column, neuron in zip(columns, neurons, strict=True):
        for one in (column, np.int32(column), neuron, str(neuron)):
            assert space.columns_of(one).tolist() == [column]
            assert space.column(one) == column


def test_negative_layers_of_neurons():
    assert SPACE.column("-1:4") == SPACE.column(-1, 4) == SPACE.column(2, 4)


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
        (lambda: SPACE.select([]), "no layers chosen; give at least one"),
        (lambda: NeuronSpace("m", "mlp", (), ()), "at least one layer"),
        (lambda: NeuronSpace("m", "mlp", "01", (2, 3)), "layers: '01'; give a list"),
        (lambda: NeuronSpace("m", "mlp", (True,), (2,)), "one of the layers is True"),
        (lambda: SPACE.select([True]), "layer is True; give a whole number"),
        (lambda: SPACE.select(1.5), "layer is 1.5; give a whole number"),
        (lambda: SPACE.select([2.0]), "layer is 2.0; give a whole number"),
        (lambda: SPACE.select("0,2"), "layers are '0,2'; give one whole number, a list"),
        (lambda: SPACE.select({0: 2}), "layers are a dict; give"),
        (lambda: SPACE.select(-4), "no layer -4; the layers are 4, 0, 2"),
        (lambda: SPACE.select([2, -1]), "give each layer once"),
        (lambda: SPACE.column(0.0, 1), "layer is 0.0"),
        (lambda: SPACE.column(0, 1.0), "unit is 1.0"),
        (lambda: SPACE.column("0:2"), "no unit 2 in layer 0"),
        (lambda: SPACE.column("1:0"), "no layer 1"),
        (lambda: SPACE.columns_of([3, 10]), "no column 10"),
        (lambda: SPACE.columns_of(np.array([3, -1])), "no column -1"),
        (lambda: SPACE.columns_of(["0:1", "0.1"]), "'0.1' is not a neuron; give '1:3' for layer 1"),
        (lambda: SPACE.columns_of([None]), "None is not a neuron"),
        (lambda: SPACE.columns_of(1.0), "1.0 is not a neuron"),
        (lambda: SPACE.columns_of(np.ones(10)), "1.0 is not a neuron"),
        (lambda: SPACE.columns_of([True]), "True is not a neuron"),
        (lambda: SPACE.columns_of(np.ones(3, bool)), "bools of shape .* for 10 neurons"),
        (lambda: SPACE.columns_of({"0:1": 1}), "neurons: a dict"),
        (lambda: SPACE.columns_of([(0, 1, 2)]), "a tuple is not a neuron"),
        (lambda: SPACE.columns_of(b"0:1"), "neurons: b'0:1'"),
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
