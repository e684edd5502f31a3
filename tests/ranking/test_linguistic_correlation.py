"""Linguistic correlation: what a class counts, and the exact limit of the papers' rule."""

from itertools import pairwise

import numpy as np
import pytest

from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.certificate import Certificate
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.ranking import linguistic_correlation, random_ranking


def probe_with(weights):
    """A probe with these weights, (n_classes, n_neurons), that was never fitted."""
    weights = np.asarray(weights)
    probe = ElasticNetProbe()
    probe.coef_ = weights
    probe.classes_ = np.array([f"c{i}" for i in range(len(weights))])
    probe.class_shares_ = np.full(len(weights), 1 / max(len(weights), 2))
    probe.space_ = NeuronSpace.of_array(weights.shape[1])
    probe.trained_on_ = ""
    probe.constant_ = np.zeros(weights.shape[1], dtype=bool)
    probe.certificate_ = Certificate("duality gap", 0.0, 1e-4, 0.5, 10)
    return probe


def by_mass(probe):
    """The papers' rule."""
    return linguistic_correlation(probe, aggregation="mass")


def test_classes_count_by_their_shares():
    probe = probe_with([[3.0, 0.0, 1.0, 0.0], [0.0, -2.0, 1.0, 0.0], [0.0] * 4])
    probe.class_shares_ = np.array([0.1, 0.5, 0.4])
    ranking = linguistic_correlation(probe)
    np.testing.assert_allclose(ranking.scores, [0.1 * 0.9 * 9, 0.5 * 0.5 * 4, 0.6 - 0.6**2, 0])
    assert ranking.order.tolist() == [1, 0, 2, 3]
    assert ranking.parameters["aggregation"] == "variance"


def test_the_score_is_twice_what_it_costs_to_leave_a_neuron_out():
    """To second order, of independent neurons and a probe that knows hardly more than shares."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40_000, 6))
    X = (X - X.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(X.T, bias=True))).T
    W = 0.05 * rng.normal(size=(6, 3))
    P = np.exp(X @ W + np.log([0.2, 0.3, 0.5]))
    P /= P.sum(1, keepdims=True)
    entropy = -np.sum(P * np.log(P), axis=1).mean()
    costs = []
    for j in range(6):
        rest = W.copy()
        rest[j] = 0
        Q = np.exp(X @ rest + np.log([0.2, 0.3, 0.5]))
        Q /= Q.sum(1, keepdims=True)
        costs.append(-np.sum(P * np.log(Q), axis=1).mean() - entropy)
    probe = probe_with(W.T)
    probe.class_shares_ = np.array([0.2, 0.3, 0.5])
    np.testing.assert_allclose(2 * np.array(costs), probe.weight_scores(), rtol=0.1)


def test_classes_that_no_neuron_knows_do_not_fill_the_top():
    """Twenty classes, ten of which are carried by one neuron each."""
    rng = np.random.default_rng(0)
    y = rng.integers(20, size=4000)
    X = rng.normal(size=(4000, 100))
    planted = rng.permutation(100)[:10]
    for label, column in enumerate(planted):
        X[:, column] += 1.5 * (y == label)
    probe = ElasticNetProbe().fit(X, y)
    assert set(linguistic_correlation(probe).order[:10]) == set(planted)
    assert set(by_mass(probe).order[:10]) == set(planted)
    assert np.sum(by_mass(probe).scores == 1) > 10


def test_by_hand():
    ranking = by_mass(probe_with([[5.0, -3.0, 2.0, 0.0], [0.0, 1.0, 0.0, -9.0]]))
    # Class 0 has 0, .5 and .8 ahead of neurons 0, 1, 2; class 1 has 0 and .9 ahead of 3 and 1.
    np.testing.assert_allclose(ranking.scores, [1.0, 0.5, 0.2, 1.0])
    assert ranking.order.tolist() == [3, 0, 1, 2]
    assert ranking.classes == ("c0", "c1")
    np.testing.assert_array_equal(ranking.class_scores[0], [5, 3, 2, 0])


def grow(weights, steps):
    """Dalvi et al. 2019 literally: at each p, add the neurons of every class's top p of mass."""
    seen, groups = set(), []
    for p in np.linspace(0, 1, steps + 1)[1:]:
        new = set()
        for row in np.abs(weights):
            mass = 0.0
            for neuron in sorted(range(len(row)), key=lambda j: (-row[j], j)):
                if mass >= p * row.sum() - 1e-12 or row[neuron] == 0:
                    break
                new.add(neuron)
                mass += row[neuron]
        groups.append(new - seen)
        seen |= new
    return [group for group in groups if group]


@pytest.mark.parametrize("seed", range(5))
def test_equals_growing_p_in_fine_steps(seed):
    rng = np.random.default_rng(seed)
    weights = rng.laplace(size=(4, 12)) * (rng.random((4, 12)) < 0.6)
    order = by_mass(probe_with(weights)).order.tolist()
    for group in grow(weights, steps=2000):
        assert set(order[: len(group)]) == group
        order = order[len(group) :]
    assert order == sorted(order)
    assert not np.any(weights[:, order])


def test_order_is_a_permutation_with_falling_scores():
    weights = np.random.default_rng(0).laplace(size=(17, 300)).astype(np.float32)
    ranking = by_mass(probe_with(weights))
    assert sorted(ranking.order.tolist()) == list(range(300))
    assert all(a >= b for a, b in pairwise(ranking.scores[ranking.order]))
    assert ranking.scores.min() > 0
    assert ranking.scores.max() == 1


def test_columns_can_be_permuted():
    rng = np.random.default_rng(1)
    weights = rng.laplace(size=(3, 40))
    permutation = rng.permutation(40)
    ranking = by_mass(probe_with(weights))
    permuted = by_mass(probe_with(weights[:, permutation]))
    np.testing.assert_allclose(permuted.scores, ranking.scores[permutation])
    # Every class's first neuron has score 1, a tie that is broken by weight.
    np.testing.assert_array_equal(permutation[permuted.order], ranking.order)


def test_a_class_without_weights_adds_nothing():
    weights = np.array([[0.0, 2.0, 1.0, 0.0]])
    alone = by_mass(probe_with(weights))
    ranking = by_mass(probe_with(np.vstack([weights, np.zeros((1, 4))])))
    np.testing.assert_array_equal(ranking.scores, alone.scores)
    assert ranking.order.tolist() == [1, 2, 0, 3]
    nothing = by_mass(probe_with(np.zeros((2, 4))))
    assert nothing.order.tolist() == [0, 1, 2, 3]
    assert not np.any(nothing.scores)


def test_rounding_never_puts_a_weight_behind_none():
    weights = np.full((1, 1001), 0.1)
    weights[0, 0] = 0
    weights[0, 1] = 1e-25
    ranking = by_mass(probe_with(weights))
    assert ranking.order[-2:].tolist() == [1, 0]
    assert 0 < ranking.scores[1] < ranking.scores[2]


def test_planted_neurons_come_first():
    rng = np.random.default_rng(2)
    y = rng.integers(3, size=400)
    X = 100 * rng.normal(size=(400, 30))
    planted = [4, 11, 25]
    X[:, planted] = 1e-3 * (np.eye(3)[y] + 0.3 * rng.normal(size=(400, 3)))
    probe = ElasticNetProbe(1e-2, 1e-3).fit(X, y)
    ranking = linguistic_correlation(probe)
    assert sorted(ranking.order[:3].tolist()) == planted
    assert ranking.parameters["l1"] == 1e-2
    assert ranking.provenance["certificate"]["value"] <= 1e-4


def test_random_ranking():
    space = NeuronSpace("m", "mlp", (0, 1), (30, 20))
    first, again, other = (random_ranking(space, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.order, again.order)
    assert np.any(first.order != other.order)
    np.testing.assert_allclose(first.scores[first.order], np.linspace(1, 0, 50))
    assert np.mean([random_ranking(space, s).order[0] < 30 for s in range(200)]) == pytest.approx(
        0.6, abs=0.12
    )


def test_equal_weights_have_equal_scores():
    ranking = by_mass(probe_with([[2.0, -2.0, 1.0, 2.0, 1.0]]))
    np.testing.assert_allclose(ranking.scores, [1, 1, 0.25, 1, 0.25])
