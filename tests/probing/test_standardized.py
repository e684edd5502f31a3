"""Standardised rows are those of numpy, whole or of some rows and neurons."""

import numpy as np
import pytest
import torch

from neurox_lite.activations.moments import Moments
from neurox_lite.probing.standardized import MOST_STDS, StandardizedMatrix

N, D = 5000, 7


@pytest.fixture(params=["float32", "float16"])
def task(request):
    """Two neurons have means far beyond their standard deviation, one is constant."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D)) * np.linspace(0.5, 2, D)
    X[:, 2] += 5 * MOST_STDS
    X[:, 5] -= 3 * MOST_STDS
    X[:, 3] = 4
    X = X.astype(request.param)
    exact = X.astype("f8")
    mean, std = exact.mean(0), exact.std(0)
    scale = np.where(std > 0, std, 1)
    moments = Moments(N, mean, std)
    rows = StandardizedMatrix.of(torch.from_numpy(X), moments, scale, torch.empty(0))
    return rows, (exact - mean) / scale


def test_products(task):
    rows, Z = task
    rng = np.random.default_rng(1)
    W, R = rng.normal(size=(D, 2, 3)).astype("f4"), rng.normal(size=(2, 3, N)).astype("f4")
    assert rows.offset_columns.tolist() == [2, 5]
    np.testing.assert_allclose(
        rows.times(torch.from_numpy(W)), np.einsum("nd,dkc->kcn", Z, W), atol=2e-5
    )
    product, means = rows.transposed_times(lambda some: torch.from_numpy(R)[..., some], (2, 3))
    np.testing.assert_allclose(product, np.einsum("nd,kcn->dkc", Z, R) / N, atol=1e-6)
    np.testing.assert_allclose(means, R.mean(2), atol=1e-6)


@pytest.mark.parametrize("neurons", [[0, 2, 6], [5], [1, 3]])
def test_some_rows_and_neurons(task, neurons):
    rows, Z = task
    positions = np.arange(0, N, 3)
    some = rows.sample(positions).of_neurons(torch.tensor(neurons))
    W = np.random.default_rng(2).normal(size=(len(neurons), 1, 2)).astype("f4")
    expected = np.einsum("nd,dkc->kcn", Z[positions][:, neurons], W)
    assert len(some) == len(positions)
    assert some.n_neurons == len(neurons)
    np.testing.assert_allclose(some.times(torch.from_numpy(W)), expected, atol=2e-5)
