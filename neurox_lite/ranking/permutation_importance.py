"""Permutation importance: rank neurons by what trees lose when one of them is shuffled."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.access import require_finite
from neurox_lite.activations.inputs import LabelledActivations, sample_rows, validate_inputs
from neurox_lite.arguments import whole_number
from neurox_lite.errors import InputError
from neurox_lite.progress import tqdm
from neurox_lite.ranking.forest import MIN_WORDS, grow_forest
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed


def permutation_importance(
    X: Any,
    y: Any = None,
    X_dev: Any = None,
    y_dev: Any = None,
    *,
    n_rows: int = 10_000,
    n_trees: int = 200,
    n_repeats: int = 5,
    seed: int = 0,
) -> NeuronRanking:
    """Rank neurons by what trees lose on dev when one is shuffled (Breiman 2001, section 10).

    The trees are those of :func:`~neurox_lite.ranking.extra_trees`, grown on ``X``. The score of
    neuron j is the probability of the right label, mean over dev words and trees, less the same
    when j has the activations of other dev words. Breiman takes words that a tree was not grown on,
    here those of dev: on words that trees have learned from, neurons that tell nothing look as if
    they did. It is scikit-learn's ``permutation_importance`` with that
    probability as the score.

    Cost: on a word's path through a tree are splits on few neurons, and only these can change it.
    With t trees of depth d, n dev words and r repeats it is ``O(t n d^2 r)``, whatever the number
    of neurons, about as much as growing the trees. A neuron on which no tree splits has the score
    0; a score is negative when dev words are by chance predicted better with the neuron shuffled.

    Memory: four samples in float32.

    Parameters
    ----------
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
        Training data.
    X_dev, y_dev : array-likes, or LabelledActivations
        Words of classes that ``y`` has not are left out.
    n_rows : int
        Size of the samples of train and of dev, drawn without replacement, with the same share of
        every class.
    n_trees : int
    n_repeats : int
        How often dev is shuffled; the score is the mean.
    seed : int
        Of samples, trees and shuffles. The number of threads changes nothing.

    Raises
    ------
    InputError
        As :func:`~neurox_lite.ranking.extra_trees`, when no dev word has a class of the training
        words, or ``n_repeats`` is less than 1.
    """
    n_rows, seed = whole_number(n_rows, "n_rows", least=MIN_WORDS), validate_seed(seed)
    n_trees = whole_number(n_trees, "n_trees", least=1)
    n_repeats = whole_number(n_repeats, "n_repeats", least=1)
    data = validate_inputs(X, y)
    dev_data = validate_inputs(X_dev, y_dev, "dev", like=data)
    require_finite(dev_data.X)
    dev = _of_known_classes(data, dev_data, n_rows, seed)
    forest = grow_forest(data, n_rows, n_trees, seed)
    features, ids = forest.features(dev.X), np.searchsorted(data.classes, dev.y)
    rng = np.random.default_rng(seed)
    shuffles = [rng.permutation(len(ids)) for _ in range(n_repeats)]
    drops = mean_drops(forest.trees.estimators_, features, ids, shuffles)
    return NeuronRanking.from_scores(
        data.space,
        forest.by_neuron(drops),
        "permutation-importance",
        provenance=data.provenance,
        parameters={
            "n_rows": forest.n_rows,
            "n_dev": len(ids),
            "n_trees": n_trees,
            "n_repeats": n_repeats,
            "seed": seed,
        },
    )


def _of_known_classes(
    train: LabelledActivations, dev: LabelledActivations, n_rows: int, seed: int
) -> LabelledActivations:
    """A sample of the dev words whose class the training words have, too."""
    known = np.flatnonzero(np.isin(dev.y, train.classes))
    if not len(known):
        raise InputError("no dev word has a class of the training words; give such words as dev")
    numbers = np.searchsorted(train.classes, dev.y[known])
    return dev.take(known[sample_rows(numbers, n_rows, seed)])


def mean_drops(
    trees: list[Any], features: np.ndarray, ids: np.ndarray, shuffles: list[np.ndarray]
) -> np.ndarray:
    """What the probability of the right class loses when a feature is shuffled, mean over trees.

    Parameters
    ----------
    trees : list of DecisionTreeClassifier
    features : (n, n_features) float32 array
    ids : (n,) int array
        Numbers of the right classes.
    shuffles : list of (n,) int arrays
        Which word's activation each word gets.

    Returns
    -------
    (n_features,) array
        Mean over words, trees and shuffles.
    """
    drops = np.zeros(features.shape[1])
    for fitted in tqdm(trees, desc="permutation importance", unit="tree", disable=None, delay=2):
        tree = fitted.tree_
        before = tree.value[tree.apply(features), 0, ids]
        paths = tree.decision_path(features).tocoo()
        is_split = tree.feature[paths.col] >= 0
        rows, nodes = paths.row[is_split], paths.col[is_split]
        for shuffle in shuffles:
            words, asked, leaves = _moved(tree, features, rows, nodes, shuffle)
            lost = before[words] - tree.value[leaves, 0, ids[words]]
            drops += np.bincount(asked, lost, minlength=len(drops))
    return drops / (len(ids) * len(trees) * len(shuffles))


def _moved(
    tree: Any, features: np.ndarray, rows: np.ndarray, nodes: np.ndarray, shuffle: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Words that leave their path when a feature is shuffled, the feature, and their new leaf.

    ``rows`` and ``nodes`` are the splits on the words' paths, each path from the root down.
    """
    asked, threshold = tree.feature[nodes], tree.threshold[nodes]
    given = features[shuffle[rows], asked]
    leaves_path = (features[rows, asked] <= threshold) != (given <= threshold)
    rows, nodes, asked, given = (part[leaves_path] for part in (rows, nodes, asked, given))
    # Of a word and a feature, the first split at which they part.
    _, first = np.unique(rows * np.int64(features.shape[1]) + asked, return_index=True)
    rows, nodes, asked, given = (part[first] for part in (rows, nodes, asked, given))
    while len(moving := np.flatnonzero(tree.feature[nodes] >= 0)):
        node, feature = nodes[moving], tree.feature[nodes[moving]]
        own = features[rows[moving], feature]
        value = np.where(feature == asked[moving], given[moving], own)
        is_left = value <= tree.threshold[node]
        nodes[moving] = np.where(is_left, tree.children_left[node], tree.children_right[node])
    return rows, asked, nodes
