"""A neuron beside which the others of its layer are 1e20 times as large is told, and no other."""

import numpy as np

from neurox_lite.activations.negligible import is_negligible, negligible_neurons
from neurox_lite.neurons import Neuron

RNG = np.random.default_rng(0)


def test_it_is_told_beside_its_own_layer():
    X = RNG.normal(size=(500, 8)).astype(np.float32)
    X[:, 3] *= np.float32(1e-32)
    X[:, 4] = 0
    X[::50, 5] = 1e4  # one that others look small beside
    assert negligible_neurons(X) == [Neuron(0, 3)]
    assert negligible_neurons(X * np.float32(1e-3)) == [Neuron(0, 3)]
    # All of a layer are small: none is beside the others.
    layers = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    small = np.where(layers == 0, 1e-32, 1.0)
    assert not is_negligible(-small, small, layers).any()


def test_few_rows_and_constant_neurons():
    assert negligible_neurons(np.zeros((2, 3))) == []
    assert negligible_neurons(np.eye(3)) == []
