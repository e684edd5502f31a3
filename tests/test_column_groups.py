"""Neurons in groups: heads, layers and clusters as the units of a space.

Of ``neurox_lite.column_groups``.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.column_groups import ColumnGroups
from neurox_lite.correlation.clusters import NeuronClusters
from neurox_lite.errors import InputError
from neurox_lite.neurons import Neuron, NeuronSpace

SPACE = NeuronSpace("m", "attention_heads", (1, 3), (8, 6), "abc")
HEADS = SPACE.heads([4, 3])
CLUSTERS = SPACE.grouped(["b"] * 5 + ["a"] * 4 + ["b"] * 5)


def test_head_h_is_its_columns_of_the_layer():
    every = [*(Neuron(1, head) for head in range(4)), *(Neuron(3, head) for head in range(3))]
    assert HEADS.neurons(range(7)) == every
    np.testing.assert_array_equal(HEADS.members(["3:1", "1:0"]), [10, 11, 0, 1])
    assert (HEADS.n_neurons, HEADS.unit_name) == (7, "heads")
    assert HEADS.ungrouped == SPACE != HEADS
    assert SPACE.heads([4, 3]) == HEADS and hash(SPACE.heads((4, 3))) == hash(HEADS)
    assert HEADS.select([3]) == SPACE.select([3]).heads(3)


def test_groups_in_layers_are_units_of_these_and_others_of_layer_0():
    assert SPACE.by_layer().neurons(range(2)) == [Neuron(1, 0), Neuron(3, 0)]
    assert CLUSTERS.neurons(range(2)) == [Neuron(0, 0), Neuron(0, 1)]
    assert CLUSTERS.groups.labels == ("b", "a")
    np.testing.assert_array_equal(CLUSTERS.members(["0:1"]), [5, 6, 7, 8])
    assert CLUSTERS.select([0]) == CLUSTERS
    inside = SPACE.grouped([7] * 3 + [9] * 5 + [2] * 6)
    assert (inside.layers, inside.widths) == ((1, 3), (2, 1))
    assert inside.select([3]).groups.labels == ("2",)


def test_clusters_of_correlated_neurons_are_groups():
    clusters = NeuronClusters(SPACE, 0.5, tuple([0, 1] * 7))
    grouped = SPACE.grouped(clusters.numbers)
    for group, members in enumerate(clusters.members()):
        np.testing.assert_array_equal(grouped.members([group]), members)


@given(st.lists(st.integers(0, 5), min_size=14, max_size=14), st.data())
def test_members_and_expand_are_one_another(labels, data):
    space = SPACE.grouped(labels)
    chosen = data.draw(st.lists(st.sampled_from(range(space.n_neurons)), unique=True))
    gates = np.zeros(space.n_neurons)
    gates[chosen] = 1
    members = space.members(np.array(chosen, dtype=int))
    np.testing.assert_array_equal(np.flatnonzero(space.expand(gates)), np.sort(members))
    np.testing.assert_array_equal(space.any_member(space.expand(gates) > 0), gates > 0)
    for group in chosen:
        assert len({labels[column] for column in space.members([group])}) == 1


@given(st.lists(st.integers(0, 4), min_size=9, max_size=9), st.integers(0, 99))
def test_a_group_has_what_numpy_says_of_its_columns(labels, seed):
    groups = NeuronSpace.of_array(9).grouped(labels).groups
    values = np.random.default_rng(seed).normal(size=(2, 9))
    values[:, 0] = np.nan
    for name, function in {"mean": np.nanmean, "sum": np.nansum, "max": np.nanmax}.items():
        found = groups.reduce(values, name)
        for group, size in enumerate(groups.sizes):
            of_group = values[:, groups.of_columns == group]
            if size == 1 and group == 0:
                assert np.isnan(found[:, group]).all()
            else:
                np.testing.assert_allclose(found[:, group], function(of_group, axis=1))


@pytest.mark.parametrize("space", [HEADS, CLUSTERS, SPACE.by_layer(), SPACE])
def test_a_space_of_groups_is_read_as_it_was_written(space):
    assert NeuronSpace.from_dict(json.loads(json.dumps(space.to_dict()))) == space


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"numbers": [0, 0]}, ValueError),
        ({"numbers": [0] * 13 + [2]}, ValueError),
        ({"numbers": ["a"] * 14}, ValueError),
        ({"kind": None, "widths": None}, TypeError),
    ],
)
def test_damaged_groups_are_refused(change, error):
    with pytest.raises(error):
        ColumnGroups.from_dict(HEADS.groups.to_dict() | change)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SPACE.heads(4), "layer 3 has 6 neurons, which are not 4 heads of one size"),
        (lambda: SPACE.heads([4]), "1 numbers of heads for 2 layers"),
        (lambda: SPACE.heads(0), "number of heads is 0; give at least 1"),
        (lambda: SPACE.heads("two"), "number of heads is"),
        (lambda: replace(SPACE, site="mlp").heads(2), "of 'mlp'; use that site"),
        (lambda: HEADS.heads(2), "these are heads already"),
        (lambda: SPACE.grouped([0, 1]), r"labels of shape \(2,\) .* each of 14 neurons"),
        (lambda: SPACE.grouped([0.5] * 14), "whole number or a string"),
        (lambda: SPACE.grouped([]), "labels of shape"),
        (lambda: SPACE.with_groups_of(SPACE), "give groups of these neurons"),
        (lambda: SPACE.with_groups_of(None), "give groups of these neurons"),
        (lambda: SPACE.select([1]).with_groups_of(HEADS), "group these"),
        (lambda: replace(SPACE, revision="x").with_groups_of(HEADS), "not from this model"),
        (lambda: HEADS.columns_of("1:4"), "no unit 4 in layer 1"),
        (lambda: NeuronSpace("m", "mlp", (0,), (3,), groups=HEADS.groups), "7 groups of neurons"),
    ],
)
def test_what_is_no_grouping_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
