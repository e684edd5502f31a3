"""Probeless: rank neurons by how far apart the means of the classes are."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.inputs import validate_inputs
from neurox_lite.activations.moments import class_moments
from neurox_lite.ranking.class_scores import rank_by_class_scores
from neurox_lite.results.ranking import NeuronRanking


def probeless(X: Any, y: Any = None, *, standardize: bool = True) -> NeuronRanking:
    """Rank neurons by the distances between class means (Antverg & Belinkov 2022, section 3.1).

    The score of neuron j is the sum over pairs of classes of ``|mu_z - mu_z'|_j``, its score for
    class z the sum over all ``z'``. One pass over ``X``; memory (n_classes, n_neurons).

    Parameters
    ----------
    X : (n, n_neurons) array-like, or LabelledActivations
        Activations: an array, a tensor or a store's matrix; or these with their labels.
    y : (n,) array-like
        Labels; left out where ``X`` has its own.
    standardize : bool
        Give every neuron variance 1 first. Without it the distances measure a neuron's scale too;
        False reproduces the paper.

    Returns
    -------
    NeuronRanking
        Constant neurons have score NaN and come last.

    Raises
    ------
    InputError
        When shapes differ, there is one class only, or an activation is NaN or infinite.
    """
    data = validate_inputs(X, y)
    moments = class_moments(data)
    means = moments.standardized_means if standardize else moments.means
    class_scores = np.stack([np.abs(mean - means).sum(0) for mean in means])
    return rank_by_class_scores(
        "probeless",
        data,
        class_scores,
        moments.overall.is_constant,
        scores=class_scores.sum(0) / 2,
        standardize=standardize,
    )
