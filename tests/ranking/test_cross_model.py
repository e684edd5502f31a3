"""Cross-model correlation: oracles, and models whose common neurons are known.

Also of ``neurox_lite.correlation.with_other_model``.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, Ridge

from neurox_lite import ranking as rankers
from neurox_lite.correlation.cca import canonical_correlations
from neurox_lite.errors import InputError
from neurox_lite.ranking.cross_model import rank_across_models
from neurox_lite.results.ranking import NeuronRanking

METHODS = [rankers.max_corr, rankers.min_corr, rankers.lin_reg, rankers.svcca]


def mixed(n=3000, widths=(6, 5, 7), seed=0):
    """Models that share latents, each with noise of its own."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, 4))
    return [latent @ rng.normal(size=(4, w)) + rng.normal(size=(n, w)) for w in widths]


def strongest(X, Y):
    return np.abs(np.corrcoef(X, Y, rowvar=False)[: X.shape[1], X.shape[1] :]).max(1)


def multiple(X, Y):
    """R of every column of X on all of Y by numpy's least squares."""
    X, Y = X - X.mean(0), Y - Y.mean(0)
    residual = X - Y @ np.linalg.lstsq(Y, X)[0]
    return np.sqrt(1 - (residual**2).sum(0) / (X**2).sum(0))


def test_max_and_min_are_those_of_numpy():
    X, *others = mixed()
    each = [strongest(X, Y) for Y in others]
    highest, lowest = rankers.max_corr(X, others), rankers.min_corr(X, others)
    np.testing.assert_allclose(highest.scores, np.max(each, axis=0), atol=1e-6)
    np.testing.assert_allclose(lowest.scores, np.min(each, axis=0), atol=1e-6)
    assert (highest.method, lowest.method) == ("max-corr", "min-corr")
    assert highest.order.tolist() == np.argsort(-highest.scores).tolist()
    assert highest.provenance["n_words"] == 3000
    assert [other["widths"] for other in highest.provenance["others"]] == [[5], [7]]


def test_regression_is_that_of_least_squares():
    X, *others = mixed()
    found = rankers.lin_reg(X, others, ridge=0)
    np.testing.assert_allclose(
        found.scores, np.min([multiple(X, Y) for Y in others], axis=0), atol=2e-6
    )
    Y = others[0]
    scored = [LinearRegression().fit(Y, x).score(Y, x) for x in X.T]
    np.testing.assert_allclose(rankers.lin_reg(X, [Y], ridge=0).scores ** 2, scored, atol=2e-6)
    assert (found.method, found.parameters) == ("lin-reg", {"ridge": 0})


@pytest.mark.parametrize("ridge", [1e-4, 0.5])
def test_the_ridge_is_on_standardised_columns(ridge):
    X, Y = mixed(widths=(6, 5))
    Y = Y * [1, 10, 100, 0.1, 1] + 50
    standard = (Y - Y.mean(0)) / Y.std(0)
    fits = [Ridge(ridge * len(X)).fit(standard, x).predict(standard) for x in X.T]
    expected = [np.corrcoef(x, fit)[0, 1] for x, fit in zip(X.T, fits, strict=True)]
    np.testing.assert_allclose(rankers.lin_reg(X, [Y], ridge=ridge).scores, expected, atol=2e-6)


def test_svcca_weighs_the_directions_of_x_by_how_shared_they_are():
    X, Y = mixed(widths=(6, 8))
    X = X * [3, 2, 1, 1, 0.05, 0.5]
    found = rankers.svcca(X, [Y], variance=0.95)
    shared = canonical_correlations(X, Y, variance=0.95)
    z = (X - X.mean(0)) @ shared.directions_x
    w = (Y - Y.mean(0)) @ shared.directions_y
    k = z.shape[1]
    assert k < 6
    share = np.corrcoef(X, z, rowvar=False)[:6, 6:]
    rho = np.array([np.corrcoef(z[:, i], w[:, i])[0, 1] for i in range(k)])
    np.testing.assert_allclose(found.scores, np.sqrt(share**2 @ rho**2), atol=1e-6)
    assert (found.method, found.parameters) == ("svcca", {"variance": 0.95})


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_properties(n_x, n_y, n_z, seed):
    """One neuron says less than all, full subspaces as much; models are taken one by one."""
    X, Y, Z = mixed(200, (n_x, n_y, n_z), seed)
    highest, lowest = rankers.max_corr(X, [Y, Z]).scores, rankers.min_corr(X, [Y, Z]).scores
    regression = rankers.lin_reg(X, [Y, Z], ridge=0).scores
    assert np.all((lowest >= 0) & (highest <= 1))
    assert np.all(lowest <= highest)
    assert np.all(lowest <= regression + 1e-9)
    full = rankers.svcca(X, [Y, Z], variance=1).scores
    np.testing.assert_allclose(full, regression, atol=2e-6)
    for method in METHODS:
        one, other = method(X, [Y]).scores, method(X, [Z]).scores
        combine = np.maximum if method is rankers.max_corr else np.minimum
        np.testing.assert_allclose(method(X, [Z, Y]).scores, combine(one, other), atol=1e-6)


def permuted(latents, n_own, rng):
    """A model with these neurons, permuted, of either sign, scaled and shifted, among its own."""
    n, k = latents.shape
    signs, scales = rng.choice([-1, 1], k), rng.uniform(0.01, 100, k)
    columns = np.hstack([latents * signs * scales + 5, rng.normal(size=(n, n_own))])
    order = rng.permutation(k + n_own)
    return columns[:, order].astype("f4"), np.argsort(order)


def test_neurons_that_all_models_share_come_first():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(20_000, 4))
    (X, place), (Y, _), (Z, _) = (permuted(latents, 6, rng) for _ in range(3))
    for method in METHODS:
        found = method(X, [Y, Z])
        assert set(found.order[:4]) == set(place[:4])
        if method is not rankers.svcca:
            np.testing.assert_allclose(found.scores[place[:4]], 1, atol=1e-5)
            assert found.scores[place[4:]].max() < 0.1
    # Neurons of large variance are all that PCA keeps.
    all_variance = rankers.svcca(X / X.std(0), [Y / Y.std(0), Z / Z.std(0)], variance=1)
    np.testing.assert_allclose(all_variance.scores[place[:4]], 1, atol=1e-5)


def test_a_neuron_that_two_models_share():
    rng = np.random.default_rng(1)
    latent = rng.normal(size=(20_000, 1))
    (X, place), (Y, _) = (permuted(latent, 5, rng) for _ in range(2))
    Z = rng.normal(size=(20_000, 6))
    assert rankers.max_corr(X, [Y, Z]).order[0] == place[0]
    assert rankers.max_corr(X, [Y, Z]).scores[place[0]] == pytest.approx(1, abs=1e-5)
    for method in (rankers.min_corr, rankers.lin_reg):
        assert method(X, [Y, Z]).scores[place[0]] < 0.1


def test_a_rotated_model():
    """No neuron is like one of the other model, and all are known from all of them."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(5000, 64)).astype("f4")
    rotated = X @ np.linalg.qr(rng.normal(size=(64, 64)))[0].astype("f4")
    assert rankers.max_corr(X, [rotated]).scores.max() < 0.7
    np.testing.assert_allclose(rankers.lin_reg(X, [rotated]).scores, 1, atol=1e-5)
    np.testing.assert_allclose(rankers.svcca(X, [rotated], variance=1).scores, 1, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_constant_neurons(method):
    X, Y = mixed(widths=(5, 4))
    expected = method(X, [Y])
    dead_X = np.insert(X, [0, 3], 2.5, axis=1)
    dead_Y = np.insert(Y, 2, -1.0, axis=1)
    found = method(dead_X, [dead_Y])
    assert np.flatnonzero(np.isnan(found.scores)).tolist() == [0, 4]
    assert found.order[-2:].tolist() == [0, 4]
    np.testing.assert_allclose(np.delete(found.scores, [0, 4]), expected.scores, atol=1e-6)


def test_nothing_correlates_with_constants():
    X, _ = mixed(widths=(5, 4))
    for method in METHODS[:3]:
        assert not method(X, [np.ones((3000, 4))]).scores.any()
    with pytest.raises(InputError, match="all neurons are constant"):
        rankers.svcca(X, [np.ones((3000, 4))])


@pytest.mark.parametrize("method", METHODS)
def test_other_dtypes_and_large_means(method):
    X, Y = (X.astype("f2") for X in mixed(widths=(5, 4)))
    expected = method(X.astype(float), [Y.astype(float)]).scores
    before = X.copy(), Y.copy()
    np.testing.assert_allclose(method(X, [Y]).scores, expected, atol=1e-5)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(Y, before[1])
    tensors = torch.from_numpy(X.astype("f4") + 1000), torch.from_numpy(Y).bfloat16()
    rough = method(tensors[0].double() - 1000, [tensors[1].double()]).scores
    np.testing.assert_allclose(method(tensors[0], [tensors[1]]).scores, rough, atol=1e-5)


def test_dependent_neurons_need_a_ridge():
    X, Y = (X.astype("f4") for X in mixed(widths=(5, 4)))
    twice = np.hstack([Y, Y[:, :2] - Y[:, 2:]])
    with pytest.raises(InputError, match="are linearly dependent and the ridge is 0"):
        rankers.lin_reg(X, [twice], ridge=0)
    expected = rankers.lin_reg(X, [Y]).scores
    np.testing.assert_allclose(rankers.lin_reg(X, [twice]).scores, expected, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_errors(method):
    X, Y = mixed(widths=(5, 4))
    with pytest.raises(InputError, match="3000 rows against 2999"):
        method(X, [Y, Y[:-1]])
    with pytest.raises(InputError, match="no other model to correlate with"):
        method(X, [])
    with pytest.raises(InputError, match="give a list of matrices"):
        method(X, Y)
    Y[7, 3] = np.nan
    with pytest.raises(InputError, match="neuron 0:3 in row 7 is NaN"):
        method(X, [Y])


def test_too_few_words_and_bad_parameters():
    X, Y = mixed(10, (4, 9))
    with pytest.raises(InputError, match="10 words for a regression on 9 neurons"):
        rankers.lin_reg(X, [Y])
    with pytest.raises(InputError, match="10 words for 13 principal components"):
        rankers.svcca(X, [Y], variance=1)
    for ridge in (-1, np.nan):
        with pytest.raises(InputError, match="give at least 0"):
            rankers.lin_reg(X, [X], ridge=ridge)
    with pytest.raises(InputError, match="give a share above 0"):
        rankers.svcca(X, [X], variance=99)


@pytest.mark.parametrize("method", METHODS)
def test_rankings_survive_saving(method, tmp_path):
    X, *others = mixed()
    ranking = method(X, others)
    ranking.save(tmp_path / "r.json")
    loaded = NeuronRanking.load(tmp_path / "r.json")
    np.testing.assert_array_equal(loaded.scores, ranking.scores)
    assert loaded.provenance == ranking.provenance


def test_by_the_name_of_a_method():
    X, *others = mixed()
    for method in METHODS:
        name = method(X, others).method
        np.testing.assert_array_equal(
            rank_across_models(name, X, others).scores, method(X, others).scores
        )
    with pytest.raises(InputError, match="unknown method 'mean-corr'; use max-corr, min-corr"):
        rank_across_models("mean-corr", X, others)
