"""Learning curves: fresh fits on the same sentences, and more data that helps."""

import numpy as np
import pytest

from neurox_lite.errors import InputError
from neurox_lite.metrics import accuracy
from neurox_lite.probing.learning_curve import LearningCurve, learning_curve
from neurox_lite.probing.nested_fits import nested_samples
from neurox_lite.probing.probe import ElasticNetProbe

PROBE = ElasticNetProbe(1e-2, 1e-2)


def task(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    X = rng.normal(size=(n, 30)) + 0.6 * np.repeat(np.eye(3), 10, axis=1)[y]
    return X.astype(np.float32), np.array(["A", "B", "C"])[y]


X, Y = task(600, 0)
X_TEST, Y_TEST = task(1000, 1)
GROUPS = np.arange(600) // 6


def test_it_is_fresh_fits_on_samples_of_sentences():
    shares = (0.05, 0.3, 1.0)
    curve = learning_curve(PROBE, X, Y, GROUPS, X_TEST, Y_TEST, shares=shares, n_seeds=2, seed=5)
    by_hand = np.empty((2, 3))
    for number in range(2):
        for place, rows in enumerate(nested_samples(GROUPS, shares, 5 + number)):
            fresh = ElasticNetProbe(1e-2, 1e-2).fit(X[rows], Y[rows])
            by_hand[number, place] = accuracy(Y_TEST, fresh.predict(X_TEST))
    # Two solutions within the tolerance may differ in a few of the 1000 words.
    assert curve.accuracy_mean == pytest.approx(by_hand.mean(0), abs=0.005)
    assert curve.accuracy_low == pytest.approx(by_hand.min(0), abs=0.005)
    assert curve.accuracy_high == pytest.approx(by_hand.max(0), abs=0.005)
    assert curve.n_words == (30, 180, 600)
    assert (curve.shares, curve.n_seeds, curve.converged) == (shares, 2, True)


def test_more_sentences_help_up_to_what_can_be_known():
    curve = learning_curve(PROBE, X, Y, GROUPS, X_TEST, Y_TEST)
    mean = np.array(curve.accuracy_mean)
    # Knowing the means, the label is right when 6 + z_1 is the largest of three sums of ten
    # unit normals: 0.85 of the time.
    assert mean[0] < mean[-1] - 0.15
    assert np.all(np.diff(mean) > -0.02)
    assert 0.79 < mean[-1] < 0.87
    spread = np.subtract(curve.accuracy_high, curve.accuracy_low)
    assert spread[0] > spread[-1]
    # All of the data is the same for every seed.
    assert spread[-1] < 0.005


def test_a_sample_of_one_class_predicts_it():
    y = np.where(GROUPS == 99, "B", "A")
    curve = learning_curve(PROBE, X, y, GROUPS, X_TEST, Y_TEST, shares=(0.01,), n_seeds=1)
    assert curve.accuracy_mean == (np.mean(Y_TEST == "A"),)
    assert curve.n_words == (6,)
    assert curve.converged


def test_saved_and_loaded_it_is_the_same(tmp_path):
    curve = LearningCurve((0.1, 1.0), (10.5, 100.0), (0.5, 0.75), (0.25, 0.7), (0.6, 0.8), 3, True)
    curve.save(tmp_path / "curve.json")
    assert LearningCurve.load(tmp_path / "curve.json") == curve


def test_errors():
    data = X, Y, GROUPS, X_TEST, Y_TEST
    for shares in ((), (0.0, 1.0), (0.5, 1.1), (0.5, 0.2), (0.2, 0.2), (0.1, 3.0, 0.5)):
        with pytest.raises(InputError, match="give ascending numbers above 0 and up to 1"):
            learning_curve(PROBE, *data, shares=shares)
    with pytest.raises(InputError, match="n_seeds is 0"):
        learning_curve(PROBE, *data, n_seeds=0)
    with pytest.raises(InputError, match="600 rows of activations for 599 labels"):
        learning_curve(PROBE, X, Y[1:], GROUPS[1:], X_TEST, Y_TEST)
    with pytest.raises(InputError, match="at least one row"):
        learning_curve(PROBE, X, Y, GROUPS, X_TEST[:0], Y_TEST[:0])
