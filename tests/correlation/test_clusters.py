"""Clusters: planted groups are found, and one neuron of each comes first in a ranking."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.correlation.clusters import NeuronClusters, correlation_clusters
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.ranking import one_per_cluster
from neurox_lite.results.ranking import NeuronRanking


def planted(n=5000):
    """Columns 0, 3 and 5 say the same, so do 1 and 4 with opposite sign; 2 alone; 6, 7 constant."""
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, n))
    noise = 0.1 * rng.normal(size=(8, n))
    columns = [a, b, c, 5 * a, -b, -a + 100, 0 * a, 0 * a + 3]
    X = np.stack([column + noise[i] * (i < 6) for i, column in enumerate(columns)], axis=1)
    return X.astype("f4")


def test_planted_groups_are_found():
    found = correlation_clusters(planted())
    assert found.numbers == (0, 1, 2, 0, 1, 0, 3, 4)
    assert [list(columns) for columns in found.members()] == [[0, 3, 5], [1, 4], [2], [6], [7]]
    assert found.independent.tolist() == [2, 6, 7]
    assert found.n_clusters == 5


def test_average_linkage_by_hand():
    """|r|: 0-1 .8, 0-2 .6, 1-2 .2, so the distance of 2 from {0, 1} is (.4 + .8) / 2 = .6."""
    r = np.array([[1, 0.8, -0.6], [0.8, 1, -0.2], [-0.6, -0.2, 1]])
    values = np.random.default_rng(0).normal(size=(200, 3))
    white = np.linalg.qr(values - values.mean(0))[0]
    X = white @ np.linalg.cholesky(r).T
    for threshold, numbers in [
        (0.19, (0, 1, 2)),
        (0.21, (0, 0, 1)),
        (0.59, (0, 0, 1)),
        (0.61, (0, 0, 0)),
    ]:
        assert correlation_clusters(X, threshold=threshold).numbers == numbers


def test_few_neurons():
    x = np.arange(10.0)[:, None]
    assert correlation_clusters(x).numbers == (0,)
    assert correlation_clusters(np.ones((10, 3))).numbers == (0, 1, 2)
    assert correlation_clusters(np.hstack([np.ones((10, 1)), x])).numbers == (0, 1)


def test_saved_and_loaded(tmp_path):
    found = correlation_clusters(planted(), threshold=0.25)
    found.save(tmp_path / "c.json")
    assert NeuronClusters.load(tmp_path / "c.json") == found


SPACE = NeuronSpace("m", "mlp", (0, 1), (3, 3))


@given(st.lists(st.integers(0, 5), min_size=6, max_size=6), st.permutations(range(6)))
def test_representatives_are_the_best_of_their_clusters(raw, order):
    numbers = np.unique(raw, return_inverse=True)[1]
    clusters = NeuronClusters(SPACE, 0.5, tuple(numbers.tolist()))
    scores = np.empty(6)
    scores[list(order)] = np.arange(6, 0, -1)
    ranking = NeuronRanking.from_scores(SPACE, scores, "m", parameters={"p": 1})
    best = [next(c for c in order if numbers[c] == number) for number in set(numbers.tolist())]
    expected = [column for column in order if column in best]
    assert clusters.representatives(ranking).tolist() == expected

    new = one_per_cluster(ranking, clusters)
    assert new.order.tolist() == expected + [c for c in order if c not in expected]
    assert new.method == "m, one per cluster"
    assert new.parameters == {"p": 1, "cluster_threshold": 0.5}
    np.testing.assert_array_equal(new.scores, scores)
    assert ranking.order.tolist() == list(order)


def test_errors():
    for threshold in (-0.1, 1.1, np.nan):
        with pytest.raises(InputError, match="give a distance"):
            correlation_clusters(planted(10), threshold=threshold)
    ranking = NeuronRanking.from_scores(NeuronSpace.of_array(6), np.arange(6.0), "m")
    with pytest.raises(InputError, match="'m' ranks other neurons"):
        one_per_cluster(ranking, NeuronClusters(SPACE, 0.5, (0, 1, 2, 3, 4, 5)))
