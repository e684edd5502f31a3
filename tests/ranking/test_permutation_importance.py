"""Permutation importance is scikit-learn's, and a small one says nothing of other words."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.inspection import permutation_importance as of_scikit_learn

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.errors import InputError
from neurox_lite.ranking import permutation_importance
from neurox_lite.ranking.forest import grow_forest
from neurox_lite.ranking.permutation_importance import mean_drops


def data(n: int, seed: int = 0) -> LabelledActivations:
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    X = rng.normal(size=(n, 12))
    X[:, :4] += np.eye(3, 4)[y]
    return LabelledActivations(X.astype(np.float32), y)


def test_the_drops_are_scikit_learns():
    dev = data(150, seed=1)
    forest = grow_forest(data(300), n_rows=300, n_trees=6, seed=0)
    features = forest.features(dev.X)

    def right(trees, X, y):
        return trees.predict_proba(X)[np.arange(len(y)), y].mean()

    theirs = of_scikit_learn(
        forest.trees, features, dev.y, scoring=right, n_repeats=3, random_state=5
    )
    # Its shuffles, the same of every feature, each of what the one before left.
    rng = np.random.RandomState(np.random.RandomState(5).randint(np.iinfo(np.int32).max + 1))
    order, shuffle, shuffles = np.arange(150), np.arange(150), []
    for _ in range(3):
        rng.shuffle(shuffle)
        order = order[shuffle]
        shuffles.append(order)
    ours = mean_drops(forest.trees.estimators_, features, dev.y, shuffles)
    np.testing.assert_allclose(ours, theirs.importances_mean, atol=1e-12)
    assert ours.max() > 0.01


def test_training_words_flatter_noise_and_dev_words_do_not():
    train, dev = data(600), data(2000, seed=1)
    on_train = permutation_importance(train, X_dev=train, n_trees=20).scores[4:]
    on_dev = permutation_importance(train, X_dev=dev, n_trees=20).scores[4:]
    assert on_train.min() > 0.001
    assert abs(on_dev.mean()) < 0.2 * on_train.mean()


def test_dev_words_of_other_classes_are_left_out():
    train, dev = data(200), data(50, seed=1)
    more = LabelledActivations(np.concatenate((dev.X, dev.X)), np.append(dev.y, dev.y + 7))
    ranking = permutation_importance(train, X_dev=more, n_trees=5)
    without = permutation_importance(train, X_dev=dev, n_trees=5)
    np.testing.assert_array_equal(ranking.scores, without.scores)
    assert ranking.parameters["n_dev"] == 50
    with pytest.raises(InputError, match="no dev word has a class of the training words"):
        permutation_importance(train, X_dev=dev.X, y_dev=dev.y + 7)
