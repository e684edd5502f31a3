"""Matching pursuit against its definition, and what it is for: few neurons that suffice."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from neurox_lite.errors import InputError
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.ranking import linguistic_correlation, matching_pursuit
from neurox_lite.ranking.matching_pursuit import L2


def task(seed=0, n=500, n_neurons=12, n_classes=3):
    """Correlated neurons; the label depends on all, on the first ones more."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_neurons)) @ (
        np.eye(n_neurons) + 0.4 * rng.normal(size=(n_neurons, n_neurons))
    )
    W = rng.normal(size=(n_neurons, n_classes)) / np.arange(1, n_neurons + 1)[:, None]
    y = np.argmax(X @ W + rng.gumbel(size=(n, n_classes)), axis=1)
    return X, np.array(["a", "b", "c", "d"])[y]


def by_definition(X, y, n_neurons):
    """Every step with a probe from scipy, in float64."""
    X = (X - X.mean(0)) / X.std(0)
    Y = (y[:, None] == np.unique(y)).astype(float)
    n, n_classes = Y.shape
    selected, P = [], np.broadcast_to(Y.mean(0), Y.shape)
    for _ in range(n_neurons):
        residual = Y - P
        if selected:
            residual -= X[:, selected] @ np.linalg.lstsq(X[:, selected], residual)[0]
        slopes = np.linalg.norm(X.T @ residual, axis=1)
        slopes[selected] = -1
        selected.append(int(slopes.argmax()))
        some = X[:, selected]

        def loss(v, some=some):
            W, b = v[n_classes:].reshape(-1, n_classes), v[:n_classes]
            log_P = log_softmax(some @ W + b, axis=1)
            R = (np.exp(log_P) - Y) / n
            gradient = np.concatenate([R.sum(0), (some.T @ R + 2 * L2 * W).ravel()])
            return -np.sum(Y * log_P) / n + L2 * np.sum(W**2), gradient

        found = minimize(loss, np.zeros((len(selected) + 1) * n_classes), jac=True, tol=1e-10).x
        P = softmax(some @ found[n_classes:].reshape(-1, n_classes) + found[:n_classes], axis=1)
    return selected


@pytest.mark.parametrize("seed", range(3))
def test_selects_as_defined(seed):
    X, y = task(seed)
    ranking = matching_pursuit(ElasticNetProbe().fit(X, y), X, y, n_neurons=8)
    assert ranking.order[:8].tolist() == by_definition(X, y, 8)


def test_a_neuron_that_only_cancels_noise_is_selected():
    """It says nothing alone; beside the one whose noise it has, it is worth most."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=2000)
    noise = rng.normal(size=2000)
    X = rng.normal(size=(2000, 30))
    X[:, 7] = 0.8 * y + noise
    X[:, 21] = noise + 0.1 * rng.normal(size=2000)
    ranking = matching_pursuit(ElasticNetProbe().fit(X, y), X, y, n_neurons=5)
    assert set(ranking.order[:2]) == {7, 21}


def test_of_copies_it_takes_one_first():
    rng = np.random.default_rng(1)
    y = rng.integers(4, size=2000)
    codes = np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]).T
    sources = 0.8 * codes[y] + rng.normal(size=(2000, 3))
    X = np.concatenate([sources] * 4 + [rng.normal(size=(2000, 20))], axis=1)
    ranking = matching_pursuit(ElasticNetProbe().fit(X, y), X, y, n_neurons=6)
    assert sorted(ranking.order[:3] % 3) == [0, 1, 2]
    assert max(ranking.order[:3]) < 12


def test_of_copies_it_takes_one_though_others_say_little():
    """Ten neurons that say less and less, each three times, once with noise of its own."""
    rng = np.random.default_rng(0)
    y = rng.integers(8, size=4000)
    codes = np.stack([rng.permutation([1] * 4 + [-1] * 4) for _ in range(10)], axis=1)
    sources = np.linspace(0.2, 1, 10) * codes[y] + rng.normal(size=(4000, 10))
    noisy = sources + 0.1 * rng.normal(size=sources.shape)
    X = np.concatenate([sources, sources, noisy, rng.normal(size=(4000, 60))], axis=1)
    ranking = matching_pursuit(ElasticNetProbe().fit(X, y), X, y, n_neurons=10)
    assert sorted(ranking.order[:10] % 10) == list(range(10))
    assert max(ranking.order[:10]) < 30


def test_the_others_follow_in_the_order_of_the_probe():
    X, y = task()
    probe = ElasticNetProbe().fit(X, y)
    ranking = matching_pursuit(probe, X, y, n_neurons=4)
    others = [j for j in linguistic_correlation(probe).order if j not in ranking.order[:4]]
    assert ranking.order[4:].tolist() == others
    np.testing.assert_allclose(np.sort(ranking.scores)[::-1][:4], [2, 1.75, 1.5, 1.25])
    assert np.sort(ranking.scores)[-5] <= 1


def test_more_neurons_than_there_are():
    X, y = task(n_neurons=5)
    X[:, 2] = 7
    ranking = matching_pursuit(ElasticNetProbe().fit(X, y), X, y, n_neurons=50)
    assert ranking.order[-1] == 2
    assert np.isnan(ranking.scores[2])
    assert ranking.parameters["n_neurons"] == 4


def test_a_probe_of_other_neurons_or_classes_is_refused():
    X, y = task()
    with pytest.raises(InputError, match="of 12 neurons, a probe of 5"):
        matching_pursuit(ElasticNetProbe().fit(X[:, :5], y), X, y)
    with pytest.raises(InputError, match="the probe has no class 'new'"):
        matching_pursuit(ElasticNetProbe().fit(X, y), X, np.where(y == "a", "new", y))


def test_activations_that_are_too_large():
    X, y = task()
    with pytest.raises(InputError, match="too large to compute with"):
        matching_pursuit(ElasticNetProbe().fit(X, y), (X * 2e37).astype(np.float32), y)


@pytest.mark.parametrize("option", ["n_neurons", "n_rows"])
def test_numbers_are_checked(option):
    X, y = task()
    with pytest.raises(InputError, match=option):
        matching_pursuit(ElasticNetProbe().fit(X, y), X, y, **{option: 0})
