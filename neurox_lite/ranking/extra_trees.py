"""Extra trees: rank neurons by how much splits on them separate the classes."""

from __future__ import annotations

from typing import Any

from neurox_lite.activations.inputs import validate_inputs
from neurox_lite.arguments import whole_number
from neurox_lite.ranking.forest import MIN_WORDS, grow_forest
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed


def extra_trees(
    X: Any, y: Any = None, *, n_rows: int = 10_000, n_trees: int = 200, seed: int = 0
) -> NeuronRanking:
    """Rank neurons by what they take from the impurity of random trees (Geurts et al. 2006).

    scikit-learn's ``ExtraTreesClassifier``. A split of a tree takes from the Gini impurity of the
    words that reach it; the score of a neuron is what its splits take, as a share of what all do,
    mean over the trees (Breiman et al. 1984, section 5.3.4). It sees means, spreads, and neurons
    that tell something only together, and ranks all that carry: copies share the score of one.
    Trees split on the ranks of activations, so that neither scale nor outliers count.

    Impurity is that of training words, by which neurons that tell nothing get a share, too;
    :func:`~neurox_lite.ranking.permutation_importance` reads the same trees on other words.

    Reads ``X`` twice. Memory: two samples in the dtype of ``X``, and one in
    float32.

    Parameters
    ----------
    X, y
        As for :func:`~neurox_lite.ranking.probeless`.
    n_rows : int
        Size of the sample, drawn without replacement, with the same share of every class.
    n_trees : int
    seed : int
        Of the sample and the trees. The number of threads changes nothing.

    Raises
    ------
    InputError
        As :func:`~neurox_lite.ranking.probeless`, or when there are fewer than 40 words, or
        ``n_rows`` is less, or ``n_trees`` less than 1.
    """
    n_rows, seed = whole_number(n_rows, "n_rows", least=MIN_WORDS), validate_seed(seed)
    n_trees = whole_number(n_trees, "n_trees", least=1)
    data = validate_inputs(X, y)
    forest = grow_forest(data, n_rows, n_trees, seed)
    return NeuronRanking.from_scores(
        data.space,
        forest.by_neuron(forest.trees.feature_importances_),
        "extra-trees",
        provenance=data.provenance,
        parameters={"n_rows": forest.n_rows, "n_trees": n_trees, "seed": seed},
    )
