"""Streamed second moments are those of numpy, whatever the input is and however it is read."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurox_lite.activations import moments as module
from neurox_lite.activations.moments import covariances, moments
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.correlation.cross_moments import cross_moments
from neurox_lite.errors import InputError


def covariance(X, Y):
    return np.cov(X, Y, rowvar=False, bias=True)[: X.shape[1], X.shape[1] :]


def matrices(n=5000, widths=(7, 5), seed=0):
    """Two matrices that share latents."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, 4))
    return [latent @ rng.normal(size=(4, w)) + rng.normal(size=(n, w)) for w in widths]


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_ROWS", 300)
    monkeypatch.setattr(module, "PANEL_COLUMNS", 3)


def test_equal_to_numpy(small_pieces):
    X, Y = matrices()
    found = cross_moments(X, Y, [slice(0, 2), slice(2, 7)], [slice(None)])
    np.testing.assert_allclose(found.covariance, covariance(X, Y), atol=1e-12)
    np.testing.assert_allclose(found.x.mean, X.mean(0), atol=1e-13)
    np.testing.assert_allclose(found.y.std, Y.std(0), rtol=1e-12)
    first, second = found.x.covariances
    np.testing.assert_allclose(first, covariance(X[:, :2], X[:, :2]), atol=1e-12)
    np.testing.assert_allclose(second, covariance(X[:, 2:], X[:, 2:]), atol=1e-12)
    np.testing.assert_allclose(found.y.covariances[0], covariance(Y, Y), atol=1e-12)
    alone = covariances(X, [slice(2, 7)])
    np.testing.assert_array_equal(alone.covariances[0], second)
    np.testing.assert_array_equal(alone.mean, found.x.mean)


def as_double(X):
    return X.detach().double().numpy().copy() if isinstance(X, torch.Tensor) else X.astype(float)


@pytest.mark.parametrize("kind", ["float32", "float16", "int", "tensor", "bfloat16", "read-only"])
def test_every_kind_of_input(kind):
    X, Y = (100 * X for X in matrices())
    given = {
        "float32": lambda a: a.astype("f4"),
        "float16": lambda a: a.astype("f2"),
        "int": lambda a: a.astype(int),
        "tensor": lambda a: torch.tensor(a, requires_grad=True),
        "bfloat16": lambda a: torch.tensor(a, dtype=torch.bfloat16),
        "read-only": lambda a: a.astype("f4")[::-1],
    }[kind]
    X, Y = given(X), Y.astype("f4")
    if kind == "read-only":
        X.flags.writeable = False
    exact = as_double(X)
    Y_before = Y.copy()
    found = cross_moments(X, Y, [slice(None)])
    np.testing.assert_allclose(found.covariance, covariance(exact, Y), rtol=1e-5, atol=0.1)
    np.testing.assert_allclose(found.x.std, exact.std(0), rtol=1e-6)
    np.testing.assert_array_equal(as_double(X), exact)
    np.testing.assert_array_equal(Y, Y_before)


def test_large_means_and_scales_do_not_cost_precision():
    X, Y = matrices()
    Y = (1e-3 * Y + 3000 * np.arange(5)).astype("f4")
    X32 = (X + 1e4).astype("f4")
    found = cross_moments(X32, Y)
    scaled = found.covariance * np.outer(found.x.scale, found.y.scale)
    both = np.hstack([X32, Y]).astype(float)
    expected = np.corrcoef(both, rowvar=False)[:7, 7:]
    np.testing.assert_allclose(scaled, expected, atol=1e-6)


def test_a_first_block_unlike_the_rest():
    X, Y = (X.astype("f4") for X in matrices(n=20_000))
    X[:2048] = 0
    X[2048:] += 100
    found = cross_moments(X, Y)
    np.testing.assert_allclose(found.x.std, X.std(0, dtype=float), rtol=1e-6)
    correlation = found.covariance * np.outer(found.x.scale, found.y.scale)
    expected = np.corrcoef(np.hstack([X, Y]), rowvar=False, dtype=float)[:7, 7:]
    np.testing.assert_allclose(correlation, expected, atol=1e-6)


def test_values_too_large_for_squares_in_float32():
    X, Y = matrices(n=100)
    found = cross_moments((1e30 * X).astype("f4"), Y.astype("f4"))
    np.testing.assert_allclose(found.covariance / 1e30, covariance(X, Y), atol=1e-5)


def test_values_too_small_for_squares_in_float32_are_multiplied_in_it_all_the_same(monkeypatch):
    """As MiniLM's dead neurons, of 1e-32: they are not constant, and must not slow all others."""
    X, Y = (X.astype("f4") for X in matrices())
    X[:, :2] *= np.float32(1e-32)
    dtypes = set()
    multiply = module.add_products
    monkeypatch.setattr(
        module,
        "add_products",
        lambda products, x, y: (dtypes.update({x.dtype, y.dtype}), multiply(products, x, y)),
    )
    found = cross_moments(X, Y, [slice(None)])
    assert dtypes == {torch.float32}
    expected = covariance(X.astype(float), Y.astype(float))
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-4)
    tiny = found.x.covariances[0][:2, :2]
    np.testing.assert_allclose(tiny, np.cov(X[:, :2].astype(float).T, bias=True), rtol=1e-5)


@pytest.mark.parametrize("value", [0.1, 1e6, -3.0])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_a_constant_neuron_has_no_deviation(value, dtype):
    X = np.full((5001, 2), min(value, 1e4), dtype=dtype)
    X[:, 1] += np.random.default_rng(0).normal(size=5001).astype(dtype) * 10
    found = moments(X)
    assert found.std[0] == 0 == found.scale[0]
    assert found.std[1] > 0


EIGHTHS = st.integers(-8000, 8000).map(lambda number: number / 8)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(2, 40).flatmap(
        lambda n: st.tuples(
            arrays(np.float64, (n, 3), elements=EIGHTHS),
            arrays(np.float64, (n, 2), elements=EIGHTHS),
        )
    ),
    st.integers(1, 50),
)
def test_blocks_of_any_size_give_the_same(pair, block_rows):
    X, Y = pair
    before = module.BLOCK_ROWS
    module.BLOCK_ROWS = block_rows
    try:
        found = cross_moments(X, Y, [slice(None)])
    finally:
        module.BLOCK_ROWS = before
    np.testing.assert_allclose(found.covariance, covariance(X, Y), atol=1e-6)
    np.testing.assert_allclose(found.x.covariances[0], covariance(X, X), atol=1e-6)
    np.testing.assert_allclose(found.x.mean, X.mean(0), atol=1e-9)
    np.testing.assert_array_equal(found.x.std == 0, np.ptp(X, axis=0) == 0)


def write_store(path, layers, dtype="float32"):
    n_rows = len(layers[0])
    corpus = TaggedCorpus([["word"] * 10] * (n_rows // 10))
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    with open_writer(path, corpus, dtype=dtype, metadata=metadata) as writer:
        writer.append(dict(enumerate(layers)))
        writer.finish({"n_truncated_words": 0, "n_dropped_words": 0})
    return ActivationStore(path)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_store_gives_the_bits_that_an_array_gives(tmp_path, dtype):
    X, Y = (X.astype(dtype).astype("f4") for X in matrices(n=6000))
    stores = [
        write_store(tmp_path / "x.h5", [X[:, :3], X[:, 3:]], dtype),
        write_store(tmp_path / "y.h5", [Y], dtype),
    ]
    rows = np.sort(np.random.default_rng(0).permutation(6000)[:5000])
    for chosen in (np.arange(6000), rows):
        x, y = (store.matrix(rows=chosen) for store in stores)
        streamed = cross_moments(x, y, [slice(0, 3)])
        held = cross_moments(X[chosen], Y[chosen], [slice(0, 3)])
        np.testing.assert_array_equal(streamed.covariance, held.covariance)
        np.testing.assert_array_equal(streamed.x.covariances[0], held.x.covariances[0])
        np.testing.assert_array_equal(streamed.y.std, held.y.std)


def test_bad_activations_are_named(tmp_path):
    X, Y = (X.astype("f4") for X in matrices(n=6000))
    for bad, kind in ((np.nan, "NaN"), (-np.inf, "infinite")):
        broken = Y.copy()
        broken[4321, 3] = bad
        with pytest.raises(InputError, match=f"neuron 0:3 in row 4321 is {kind}"):
            cross_moments(X, broken)
        with pytest.raises(InputError, match=f"neuron 0:3 in row 4321 is {kind}"):
            moments(torch.from_numpy(broken))


def test_matrices_that_do_not_fit():
    X, Y = matrices(n=20)
    with pytest.raises(InputError, match="20 rows against 19; give matrices of the same words"):
        cross_moments(X, Y[:19])
    for wrong in (X[:1], X[0], X[:, :0], [[1.0, 2.0]]):
        with pytest.raises(InputError, match="give a matrix"):
            cross_moments(X, wrong)
        with pytest.raises(InputError, match="give a matrix"):
            covariances(wrong, [slice(None)])
