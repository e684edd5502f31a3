"""Steps on activations rounded to bfloat16 end at the optimum of the exact ones."""

import numpy as np
import pytest
import torch

from neurox_lite.activations.moments import moments
from neurox_lite.probing import objective, rounded
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.rounded import RoundedMatrix, is_faster
from neurox_lite.probing.standardized import StandardizedMatrix

N, D = 3000, 60


@pytest.fixture
def task():
    """Correlated neurons with large means, two rare classes among six."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D)) + rng.normal(size=(N, 3)) @ rng.normal(size=(3, D))
    W = rng.normal(size=(D, 6)) * (np.arange(D) < D / 3)[:, None]
    y = np.argmax(X @ W / 4 + rng.gumbel(size=(N, 6)) - [0, 0, 0, 0, 8, 9], axis=1)
    return (X + 50).astype(np.float32), y


def standardized(X):
    found = moments(X)
    return StandardizedMatrix.of(torch.from_numpy(X), found, found.std, torch.empty(0))


def test_products_are_those_of_rounded_numbers(task):
    exact = standardized(task[0])
    some = torch.tensor([3, 7, 50])
    rows, X = RoundedMatrix.of(exact).of_neurons(some), exact.of_neurons(some)
    W = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 2, 4)).astype("f4"))
    scores = X.times(W)
    error = (rows.times(W) - scores).abs()
    assert rows.times(W).dtype == torch.float32
    assert 0 < error.max() < 0.01 * scores.abs().max()
    product, means = rows.transposed_times(lambda some: scores[some], (2, 4))
    expected, expected_means = X.transposed_times(lambda some: scores[some], (2, 4))
    torch.testing.assert_close(product, expected, atol=0.01, rtol=0.01)
    torch.testing.assert_close(means, expected_means, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("l1", "l2"), [(1e-3, 1e-3), (1e-2, 0.0), (0.0, 1e-3)])
def test_the_optimum_is_that_of_the_exact_activations(task, l1, l2, monkeypatch):
    X, y = task
    probe = ElasticNetProbe(l1, l2, tol=1e-5)
    monkeypatch.setattr(objective, "is_faster", lambda X: False)
    exact = ElasticNetProbe(l1, l2, tol=1e-5).fit(X, y)
    monkeypatch.setattr(objective, "is_faster", lambda X: True)
    probe.fit(X, y)
    assert probe.certificate_.converged
    assert not np.array_equal(probe.coef_, exact.coef_)
    assert probe.certificate_.objective == pytest.approx(exact.certificate_.objective, abs=3e-5)
    np.testing.assert_allclose(probe.coef_, exact.coef_, atol=0.02)
    assert np.mean((probe.coef_ == 0) == (exact.coef_ == 0)) > 0.95
    warm = ElasticNetProbe(l1, l2, tol=1e-5).fit(X, y, start=exact)
    assert warm.n_iter_ < probe.n_iter_ / 2


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_float64_is_not_rounded(task, dtype, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(rounded, "FEWEST_NUMBERS", 0)
    X = torch.from_numpy(task[0].astype(dtype))
    found = moments(X)
    rows = StandardizedMatrix.of(X, found, found.std, torch.empty(0, dtype=X.dtype))
    assert is_faster(rows) == (dtype is np.float32)
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert not is_faster(rows)


def test_rounded_rows_whose_products_are_wrong_are_not_used(task, monkeypatch):
    """As they are in a process in which another copy of OpenMP has run."""
    X = standardized(task[0])
    copy = RoundedMatrix.of(X)
    assert copy.agrees_with(X)
    monkeypatch.setattr(
        RoundedMatrix, "times", lambda self, W: torch.full((len(self), W.shape[1]), torch.nan)
    )
    assert not copy.agrees_with(X)
