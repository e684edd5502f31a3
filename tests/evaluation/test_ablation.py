"""Ablation: equal to explicit copies of X and fresh fits, and right about planted neurons.

Also of ``neurox_lite.probing.frozen_scores``.
"""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import r2_score

from neurox_lite.errors import InputError
from neurox_lite.evaluation.ablation import ablate
from neurox_lite.evaluation.minimal_set import disjoint_minimal_sets, minimal_set
from neurox_lite.metrics import accuracy, majority_accuracy
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.regression import ElasticNetRegression
from neurox_lite.probing.side_by_side import REFIT_TOL
from neurox_lite.ranking import linguistic_correlation, random_ranking
from neurox_lite.results.ranking import NeuronRanking

N, D = 400, 20
PLANTED = [3, 8, 9, 17]
"""Each tells one class from the rest, and the fifth class is told by none."""


def task(seed=0, n=N, mean=2.0):
    rng = np.random.default_rng(seed)
    y = rng.integers(5, size=n)
    X = mean + rng.normal(size=(n, D)).astype(np.float32)
    X[:, PLANTED] += 6 * np.eye(5, 4, dtype=np.float32)[y]
    return X, np.array(["A", "B", "C", "D", "E"])[y]


@pytest.fixture(scope="module")
def fitted():
    X, y = task()
    probe = ElasticNetProbe(3e-3, 1e-3).fit(X, y)
    return probe, linguistic_correlation(probe), X, y, *task(seed=1, n=300)


def run(fitted, rankings=None, **options):
    probe, ranking, X, y, X_test, y_test = fitted
    options = {"probe": probe, "X_test": X_test, "y_test": y_test, "n_random": 3} | options
    return ablate(rankings or [ranking], X, y, **options).curves


@pytest.mark.parametrize("replacement", ["zero", "mean"])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("mean", [2.0, 1e4])
def test_frozen_is_the_probe_on_replaced_activations(replacement, standardize, mean):
    (X, y), (X_test, y_test) = task(mean=mean), task(seed=1, mean=mean)
    probe = ElasticNetProbe(1e-2, 1e-2, standardize=standardize).fit(X, y)
    ranking = random_ranking(NeuronSpace.of_array(D), seed=4)
    (curve,) = run(
        (probe, ranking, X, y, X_test, y_test),
        replacement=replacement,
        retrain=False,
        shares=(0.1, 0.3, 0.6),
    )
    substitute = np.zeros(D) if replacement == "zero" else X.mean(0, dtype=np.float64)

    def by_hand(kept):
        replaced = np.tile(substitute, (len(X_test), 1))
        replaced[:, kept] = X_test[:, kept]
        return accuracy(y_test, probe.predict(replaced))

    order = ranking.order
    assert curve.counts == (2, 6, 12)
    assert curve.keep.top == tuple(by_hand(order[:k]) for k in curve.counts)
    assert curve.remove.top == tuple(by_hand(order[k:]) for k in curve.counts)
    assert curve.keep.bottom == tuple(by_hand(order[-k:]) for k in curve.counts)
    assert curve.intact == accuracy(y_test, probe.predict(X_test))
    assert len(set(curve.keep.top + curve.remove.top)) > 1


def test_retrained_is_a_fresh_fit_on_the_columns(fitted):
    probe, ranking, X, y, X_test, y_test = fitted
    _, curve = run(fitted, shares=(0.05, 0.1, 0.5))

    def by_hand(columns):
        fresh = ElasticNetProbe(probe.l1, probe.l2, tol=REFIT_TOL).fit(X[:, columns], y)
        return accuracy(y_test, fresh.predict(X_test[:, columns]))

    order = ranking.order
    expected = [by_hand(order[:k]) for k in curve.counts]
    # Two solutions within the tolerance may differ in a few of the 300 words.
    assert curve.keep.top == pytest.approx(expected, abs=0.015)
    assert curve.remove.top == pytest.approx([by_hand(order[k:]) for k in curve.counts], abs=0.015)
    assert curve.intact == accuracy(y_test, probe.predict(X_test))


@pytest.mark.parametrize("replacement", ["zero", "mean"])
def test_planted_neurons_are_enough_and_needed(fitted, replacement):
    _, ranking, *_, y_test = fitted
    assert sorted(ranking.order[:4].tolist()) == PLANTED
    chance = majority_accuracy(fitted[3], y_test)
    for curve in run(fitted, shares=(0.2,), replacement=replacement, n_random=10):
        assert curve.retrained == (curve.replacement == "none")
        assert curve.intact > 0.95
        assert curve.keep.top[0] >= curve.intact - 0.02
        assert curve.remove.top[0] < chance + 0.12
        assert curve.keep.bottom[0] < chance + 0.12
        assert curve.remove.top[0] + 0.05 < curve.keep.random_mean[0] < curve.keep.top[0] - 0.2
        assert curve.keep.random_low[0] <= curve.keep.random_mean[0] <= curve.keep.random_high[0]
        assert curve.area_above_random > 0.2


def test_all_rankings_are_compared_with_the_same_random_sets(fitted):
    other = random_ranking(NeuronSpace.of_array(D), seed=9)
    curves = run(fitted, [fitted[1], other], shares=(0.1, 0.3))
    assert [(c.method, c.retrained) for c in curves] == [
        ("linguistic-correlation", False),
        ("random", False),
        ("linguistic-correlation", True),
        ("random", True),
    ]
    for first, second in (curves[:2], curves[2:]):
        for name in ("random_mean", "random_low", "random_high", "intact"):
            assert getattr(first.keep, name) == getattr(second.keep, name)
        assert first.keep.top != second.keep.top
    # A ranking's curve does not depend on its company.
    assert run(fitted, [other], shares=(0.1, 0.3))[1] == curves[3]


def test_deterministic_by_seed(fitted):
    options = {"shares": (0.2, 0.4), "retrain": False}
    assert run(fitted, seed=1, **options) == run(fitted, seed=1, **options)
    assert run(fitted, seed=1, **options) != run(fitted, seed=2, **options)


def test_inputs_are_not_changed(fitted):
    arrays = [*fitted[2:], fitted[1].order, fitted[0].coef_, fitted[0].intercept_]
    before = [array.copy() for array in arrays]
    run(fitted, shares=(0.2,), n_random=1)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_by_default_the_last_fifth_is_tested_and_not_trained_on():
    X, y = task()
    ranking = random_ranking(NeuronSpace.of_array(D))
    poisoned = y.copy()
    poisoned[320:] = "F"
    for curve in ablate([ranking], X, poisoned, shares=(0.5, 1.0), n_random=1).curves:
        # A label that was never trained on is never right.
        assert {curve.intact, *curve.keep.top, *curve.remove.top} == {0.0}
    frozen, _ = ablate([ranking], X, y, shares=(0.5,), n_random=1).curves
    probe = ElasticNetProbe().fit(X[:320], y[:320])
    assert frozen.intact == accuracy(y[320:], probe.predict(X[320:]))


def test_all_neurons_and_none(fitted):
    probe, y, y_test = fitted[0], fitted[3], fitted[5]
    frozen, retrained = run(fitted, shares=(1.0,), n_random=1)
    assert frozen.counts == (D,)
    assert frozen.keep.top == frozen.keep.random_mean == (frozen.intact,)
    most_likely = probe.classes_[np.argmax(probe.logits(np.zeros((1, D))))]
    assert frozen.remove.top == (np.mean(y_test == most_likely),)
    assert retrained.keep.top[0] == pytest.approx(retrained.intact, abs=0.01)
    assert retrained.remove.top == (majority_accuracy(y, y_test),)


def test_one_neuron():
    X, y = task()
    X = X[:, [3]]
    ranking = random_ranking(NeuronSpace.of_array(1))
    frozen, retrained = ablate([ranking], X, y == "A", shares=(0.01,), n_random=1).curves
    assert frozen.counts == (1,)
    assert frozen.keep.top[0] > 0.95
    assert retrained.remove.top[0] < 0.9


def test_half_precision_activations(fitted):
    probe, ranking, X, y, X_test, y_test = fitted
    half = (probe, ranking, X.astype(np.float16), y.tolist(), X_test.astype("f2"), y_test.tolist())
    for curve, expected in zip(
        run(half, shares=(0.2, 0.5)), run(fitted, shares=(0.2, 0.5)), strict=True
    ):
        assert curve.keep.top == pytest.approx(expected.keep.top, abs=0.02)


def test_errors(fitted):
    probe, ranking, X, y, X_test, y_test = fitted
    with pytest.raises(InputError, match="over 3 neurons, the activations have 20"):
        run(fitted, [random_ranking(NeuronSpace.of_array(3))])
    for shares in ((), (0.0,), (0.5, 1.1), (-0.1,)):
        with pytest.raises(InputError, match="shares"):
            run(fitted, shares=shares)
    with pytest.raises(InputError, match="unknown replacement 'median'"):
        run(fitted, replacement="median")
    with pytest.raises(InputError, match="n_random is 0"):
        run(fitted, n_random=0)
    with pytest.raises(InputError, match="not trained on"):
        ablate([ranking], X, y, probe=probe)
    with pytest.raises(InputError, match="belong together"):
        ablate([ranking], X, y, X_test=X_test)
    with pytest.raises(InputError, match="y_test: 300 rows of activations for 299 labels"):
        run(fitted, y_test=y_test[1:])
    with pytest.raises(InputError, match="at least one row"):
        ablate([ranking], X[:4], y[:4])
    broken = X_test.copy()
    broken[5, 7] = np.nan
    with pytest.raises(InputError, match="neuron 0:7 in row 5 is NaN"):
        run(fitted, X_test=broken)


def test_minimal_set_finds_the_planted_size(fitted):
    probe, ranking, X, y, X_dev, y_dev = fitted
    shares = (0.05, 0.10, 0.15, 0.20, 0.25, 0.50)
    found = minimal_set(ranking, probe, X, y, X_dev, y_dev, shares=shares)
    assert sorted(found.columns) == PLANTED
    assert found.share == 0.20
    assert found.shares == shares[:4]
    assert list(found.accuracies) == sorted(found.accuracies)
    assert found.full_accuracy == accuracy(y_dev, probe.predict(X_dev))


def test_no_minimal_set_says_none(fitted):
    probe, ranking, *data = fitted
    worst_first = NeuronRanking.from_scores(ranking.space, -ranking.scores, "reversed")
    found = minimal_set(worst_first, probe, *data, shares=(0.1, 0.5))
    assert found.columns is None
    assert found.share is None
    assert found.shares == (0.1, 0.5)
    assert len(found.accuracies) == 2


def test_minimal_set_accepts_a_loss_of_exactly_delta(fitted):
    probe, ranking, *data = fitted
    first = minimal_set(ranking, probe, *data, delta=0.0, shares=(0.05,))
    assert first.columns is None
    loss = first.full_accuracy - first.accuracies[0]
    rounded = loss - 1e-12
    assert minimal_set(ranking, probe, *data, delta=rounded, shares=(0.05,)).share == 0.05
    assert minimal_set(ranking, probe, *data, delta=loss - 0.003, shares=(0.05,)).share is None


def test_minimal_set_refuses_a_ranking_of_other_neurons(fitted):
    probe, _, *data = fitted
    smaller = replace(random_ranking(NeuronSpace.of_array(5)), method="small")
    with pytest.raises(InputError, match="'small' is over 5 neurons, the activations have 20"):
        minimal_set(smaller, probe, *data)


@pytest.mark.parametrize("replacement", ["zero", "mean"])
def test_a_regression_is_ablated_by_r2(replacement):
    X, _ = task()
    depth = 2 * X[:, 3] - X[:, 8]
    X_test, _ = task(seed=1, n=300)
    depth_test = 2 * X_test[:, 3] - X_test[:, 8]
    probe = ElasticNetRegression(1e-3, 1e-3).fit(X, depth)
    ranking = linguistic_correlation(probe)
    assert ranking.order[:2].tolist() == [3, 8]
    assert ranking.class_scores is None
    curves = ablate(
        [ranking],
        X,
        depth.astype(str),
        probe=probe,
        X_test=X_test,
        y_test=depth_test.astype(str),
        shares=(0.1, 0.5),
        replacement=replacement,
        n_random=2,
    )
    substitute = np.zeros(D) if replacement == "zero" else X.mean(0, dtype=np.float64)
    others = np.setdiff1d(np.arange(D), [3, 8])
    replaced = X_test.copy()
    replaced[:, others] = substitute[others]
    frozen, retrained = curves.curves
    assert frozen.metric == "R2"
    assert frozen.keep.top[0] == pytest.approx(r2_score(depth_test, probe.predict(replaced)))
    assert retrained.keep.top[0] > 0.99
    assert retrained.remove.top[0] < 0.1
    minimal = minimal_set(ranking, probe, X, depth, X_test, depth_test, shares=(0.05, 0.1, 0.5))
    assert set(minimal.columns) == {3, 8}


def test_copies_of_planted_neurons_are_the_next_minimal_sets():
    """Four neurons tell the classes, eight more are noisier copies of them, the rest is noise."""

    def copied(seed, n):
        X, y = task(seed=seed, n=n)
        rng = np.random.default_rng(100 + seed)
        for k, noise in ((0, 0.3), (4, 0.5)):
            others = [c for c in range(D) if c not in PLANTED][k : k + 4]
            X[:, others] = X[:, PLANTED] + noise * rng.normal(size=(n, 4))
        return X.astype("f4"), y

    (X, y), (X_dev, y_dev) = copied(0, 2000), copied(1, 1000)
    probe = ElasticNetProbe(1e-2, 1e-3).fit(X, y)
    sets = disjoint_minimal_sets(
        probe,
        lambda probe: linguistic_correlation(probe, aggregation="mass"),
        X,
        y,
        X_dev,
        y_dev,
        n_sets=4,
        delta=0.05,
        shares=(0.1, 0.2, 0.4),
    )
    others = [c for c in range(D) if c not in PLANTED]
    found = [None if one.columns is None else sorted(one.columns) for one in sets]
    assert found == [PLANTED, others[:4], others[4:8], None]
    assert sets[3].accuracies[-1] < 0.5
    assert len({one.full_accuracy for one in sets}) == 1


def test_one_set_that_takes_all_neurons_is_the_last():
    X, y = task()
    X, y = X[:, PLANTED], y
    probe = ElasticNetProbe(1e-3, 1e-3).fit(X, y)
    (only,) = disjoint_minimal_sets(
        probe, linguistic_correlation, X, y, X, y, delta=0.0, shares=(1.0,)
    )
    assert sorted(only.columns) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shares": ()}, "shares"),
        ({"shares": (2.0,)}, "shares"),
        ({"shares": (0.2, 0.1)}, "shares"),
        ({"delta": -1}, "delta is -1"),
        ({"delta": float("nan")}, "delta is nan"),
    ],
)
def test_options_of_minimal_sets_are_checked(fitted, options, message):
    probe, ranking, *data = fitted
    with pytest.raises(InputError, match=message):
        minimal_set(ranking, probe, *data, **options)
    with pytest.raises(InputError, match=message):
        disjoint_minimal_sets(probe, linguistic_correlation, *data, **options)
    with pytest.raises(InputError, match="n_sets is 0"):
        disjoint_minimal_sets(probe, linguistic_correlation, *data, n_sets=0)
