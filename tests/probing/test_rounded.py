"""Steps on activations rounded to bfloat16 end at the optimum of the exact ones."""

import numpy as np
import pytest
import torch

from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.moments import moments
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.probing import fit_inputs, objective, rounded, solver
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


@pytest.mark.parametrize("n", [N, 700], ids=["several blocks", "less than one product"])
def test_products_are_those_of_rounded_numbers(task, n, monkeypatch):
    monkeypatch.setattr(rounded, "BLOCK_ROWS", 2048)
    exact = standardized(task[0][:n])
    some = torch.tensor([3, 7, 50])
    rows, X = RoundedMatrix.of(exact).of_neurons(some), exact.of_neurons(some)
    W = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 2, 4)).astype("f4"))
    scores = X.times(W)
    error = (rows.times(W) - scores).abs()
    assert rows.times(W).dtype == torch.float32
    assert 0 < error.max() < 0.01 * scores.abs().max()
    product, means = rows.transposed_times(lambda some: scores[..., some], (2, 4))
    expected, expected_means = X.transposed_times(lambda some: scores[..., some], (2, 4))
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


def test_rows_of_a_store_are_rounded_as_they_are_read(task, tmp_path, monkeypatch):
    """All of them, and in a sample; nothing of them is held as it is."""
    X, y = task
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    corpus = TaggedCorpus([["w"] * 10] * (N // 10))
    with open_writer(tmp_path / "s.h5", corpus, dtype="float32", metadata=metadata) as writer:
        writer.append({0: X[:, :20], 1: X[:, 20:]})
        writer.finish({})
    monkeypatch.setattr(solver, "MIN_SAMPLE", 500)
    monkeypatch.setattr(fit_inputs, "HELD_BYTES", 0)
    monkeypatch.setattr(ActivationMatrix, "__getitem__", None)
    store = ActivationStore(tmp_path / "s.h5")
    own, sizes = RoundedMatrix.of, []
    monkeypatch.setattr(RoundedMatrix, "of", lambda X: sizes.append(len(X)) or own(X))
    probes = []
    for most in (N * D, N * D - 1, 0):  # rounded, rounded in the sample alone, exact
        can = lambda rows, most=most: len(rows) * rows.n_neurons <= most  # noqa: E731
        if not most:
            monkeypatch.undo()
        monkeypatch.setattr(objective, "is_faster", can)
        probes.append(ElasticNetProbe(tol=1e-5).fit(store.matrix(), y))
    assert sizes == [N, 500, 500]
    exact = probes.pop()
    for probe in probes:
        assert probe.certificate_.converged
        assert probe.certificate_.objective == pytest.approx(exact.certificate_.objective, abs=3e-5)
        np.testing.assert_allclose(probe.coef_, exact.coef_, atol=0.02)
        assert not np.array_equal(probe.coef_, exact.coef_)


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
        RoundedMatrix, "times", lambda self, W: torch.full((W.shape[1], len(self)), torch.nan)
    )
    assert not copy.agrees_with(X)
