"""Streamed moments of one matrix are those of numpy, weighted, by class, near and far from 1."""

import numpy as np
import pytest
import torch

from neurox_lite.activations.inputs import validate_inputs
from neurox_lite.activations.moments import class_moments, moments

N, D = 5000, 6
SIZES = 10.0 ** np.array([-32, -18, 0, 0, 17, 30])


@pytest.fixture(params=["float32", "float64"])
def X(request):
    """Neurons of very different size; two have means far beyond their standard deviation."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(N, D)) + np.array([0, 1, 1000, -3, 0, 2])) * SIZES
    return X.astype(request.param)


def test_mean_and_std_at_every_size(X):
    exact = X.astype(float)
    found = moments(X)
    np.testing.assert_allclose(found.mean / SIZES, exact.mean(0) / SIZES, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.std, exact.std(0), rtol=1e-6)
    assert not found.is_constant.any()
    np.testing.assert_allclose(found.scale * found.std, 1)


def test_a_weight_counts_as_so_many_rows(X):
    weights = np.random.default_rng(1).integers(0, 4, size=N)
    repeated = X.astype(float).repeat(weights, axis=0)
    found = moments(torch.from_numpy(X), weights=weights)
    np.testing.assert_allclose(found.mean / SIZES, repeated.mean(0) / SIZES, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.std, repeated.std(0), rtol=1e-6)


def test_means_of_classes(X):
    y = np.random.default_rng(2).integers(3, size=N)
    found = class_moments(validate_inputs(X, y))
    expected = np.array([X[y == c].mean(0, dtype=float) for c in range(3)])
    np.testing.assert_array_equal(found.counts, np.bincount(y))
    np.testing.assert_allclose(found.means / SIZES, expected / SIZES, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.overall.std, X.std(0, dtype=float), rtol=1e-6)
    scaled = (expected - X.mean(0, dtype=float)) / X.std(0, dtype=float)
    np.testing.assert_allclose(found.standardized_means, scaled, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("value", [0, 0.1, -3, 6e4])
def test_a_constant_neuron_has_no_std_and_says_nothing(value, dtype):
    X = np.random.default_rng(0).normal(size=(700, 2)).astype(dtype)
    X[:, 0] = value
    by_class = class_moments(validate_inputs(X, np.arange(700) % 2))
    for found in (moments(X), moments(X, weights=np.arange(700)), by_class.overall):
        assert found.std[0] == 0 == found.scale[0]
        assert found.is_constant.tolist() == [True, False]
    assert by_class.standardized_means[:, 0].tolist() == [0, 0]
