"""Linear regression with an elastic net: scikit-learn's, in any unit, saved and refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import ElasticNet, LinearRegression

from neurox_lite.errors import InputError
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.regression import ElasticNetRegression

L1, L2 = 3e-2, 1e-2


def task(n=200, d=10, seed=0):
    rng = np.random.default_rng(seed)
    X = 1 + rng.normal(size=(n, d)) * np.linspace(0.5, 2, d)
    return X, X @ np.r_[1.0, -2, np.zeros(d - 2)] + 3 + 0.1 * rng.normal(size=n)


@settings(max_examples=20, deadline=None)
@given(unit=st.sampled_from([1e-6, 1.0, 1e6]), offset=st.sampled_from([0.0, -1e5]))
def test_is_scikit_learns_in_any_unit(unit, offset):
    X, y = task()
    X, y = (X - X.mean(0)) / X.std(0), unit * (y + offset)
    ours = ElasticNetRegression(L1 * unit, L2, tol=1e-9).fit(X, y)
    l1 = L1 * unit
    reference = ElasticNet(alpha=l1 + 2 * L2, l1_ratio=l1 / (l1 + 2 * L2), tol=1e-12)
    reference.fit(X, y - y.mean())
    np.testing.assert_allclose(ours.coef_[0] / unit, reference.coef_ / unit, atol=2e-4)
    np.testing.assert_allclose(ours.predict(X) / unit, ours.outputs(X)[:, 0] / unit)
    assert np.mean(ours.predict(X)) == pytest.approx(np.mean(y))
    assert ours.certificate_.converged


def test_without_penalties_it_is_least_squares():
    X, y = task()
    ours = ElasticNetRegression(0, 0, tol=1e-8).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), LinearRegression().fit(X, y).predict(X), atol=1e-4)


def test_weights_are_repetitions():
    X, y = task()
    times = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = ElasticNetRegression(L1, L2, tol=1e-10).fit(X, y, sample_weight=times)
    repeated = ElasticNetRegression(L1, L2, tol=1e-10).fit(X.repeat(times, 0), y.repeat(times))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-4)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), atol=1e-4)


def test_starts_from_another_one():
    X, y = task(d=40)
    cold = ElasticNetRegression(L1, L2, tol=1e-9).fit(X, y)
    warm = ElasticNetRegression(L1, L2, tol=1e-9).fit(X, y, start=cold)
    assert warm.n_iter_ < cold.n_iter_
    np.testing.assert_allclose(warm.predict(X), cold.predict(X), atol=1e-4)


def test_comes_back_from_its_file(tmp_path):
    X, y = task()
    probe = ElasticNetRegression().fit(X, [f"{value:.6f}" for value in y])
    probe.save(tmp_path)
    loaded = ElasticNetRegression.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), probe.predict(X))
    assert loaded.certificate_ == probe.certificate_
    with pytest.raises(InputError, match="does not hold an elastic-net probe"):
        ElasticNetProbe.load(tmp_path)


@pytest.mark.parametrize(
    ("label", "message"),
    [("NOUN", "label is not a number.*NOUN"), ("nan", "label nan in row 3"), ("inf", "label inf")],
)
def test_labels_that_are_no_numbers_are_refused(label, message):
    X, y = task()
    labels = y.astype(str)
    labels[3] = label
    with pytest.raises(InputError, match=message):
        ElasticNetRegression().fit(X, labels)


def test_all_labels_the_same_give_that_label():
    X, y = task()
    probe = ElasticNetRegression().fit(X, np.full(len(y), 7.0))
    np.testing.assert_array_equal(probe.coef_, 0)
    np.testing.assert_array_equal(probe.predict(X), 7.0)


def test_a_classifier_points_to_the_regression():
    X, y = task()
    with pytest.raises(InputError, match="fit an ElasticNetRegression"):
        ElasticNetProbe().fit(X, y)
