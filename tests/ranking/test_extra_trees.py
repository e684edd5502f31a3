"""Extra trees are scikit-learn's, on ranks, and see what no linear method does.

Also of ``neurox_lite.ranking.forest``.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesClassifier

import neurox_lite as nx
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.ranking import extra_trees, linguistic_correlation, permutation_importance
from neurox_lite.ranking.forest import LEAF_WORDS, grow_forest


def pair_and_spread(n: int = 1500) -> LabelledActivations:
    """Neurons 3 and 7 tell the class together, 11 by its spread, none by its mean."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, 30)), rng.integers(2, size=n)
    X[:, 7] = np.abs(X[:, 7]) * np.sign(X[:, 3]) * (2 * y - 1)
    X[:, 11] *= 1 + 2 * y
    return LabelledActivations(X.astype(np.float32), y)


def test_a_pair_and_a_spread_are_seen_that_a_probe_cannot_see():
    data = pair_and_spread()
    for ranking in (
        extra_trees(data, n_trees=30),
        permutation_importance(data, X_dev=pair_and_spread(700), n_trees=30),
    ):
        assert set(ranking.order[:3].tolist()) == {3, 7, 11}
    probe = nx.ElasticNetProbe().fit(data)
    assert not {3, 7, 11} <= set(linguistic_correlation(probe).order[:5].tolist())


def test_the_scores_are_scikit_learns():
    data = pair_and_spread(400)
    forest = grow_forest(data, n_rows=400, n_trees=5, seed=3)
    ranks = rankdata(data.X, axis=0)[:, forest.columns]
    trees = ExtraTreesClassifier(5, min_samples_leaf=LEAF_WORDS, random_state=3)
    trees.fit(ranks, data.y)
    ranking = extra_trees(data, n_trees=5, seed=3)
    np.testing.assert_allclose(ranking.scores[forest.columns], trees.feature_importances_)
    assert abs(ranking.scores.sum() - 1) < 1e-12


def test_the_number_of_threads_changes_nothing():
    data = pair_and_spread(300)
    one = extra_trees(data, n_trees=8), permutation_importance(data, X_dev=data, n_trees=8)
    n_threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        three = extra_trees(data, n_trees=8), permutation_importance(data, X_dev=data, n_trees=8)
    finally:
        torch.set_num_threads(n_threads)
    for first, second in zip(one, three, strict=True):
        np.testing.assert_array_equal(first.scores, second.scores)


def test_outliers_do_not_take_the_thresholds():
    data = pair_and_spread()
    X = data.X.copy()
    X[0], X[1] = 1e6, -1e6
    ranking = extra_trees(X, data.y, n_trees=30)
    assert set(ranking.order[:3].tolist()) == {3, 7, 11}


def test_all_constant_and_few_words():
    y = np.arange(40) % 2
    assert np.isnan(extra_trees(np.ones((40, 3)), y, n_trees=2).scores).all()
    X = np.random.default_rng(0).normal(size=(39, 3))
    with pytest.raises(nx.InputError, match="39 words are too few to grow trees; give at least 40"):
        extra_trees(X, np.arange(39) % 2)
