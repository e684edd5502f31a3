"""Rankings by the means of the classes: each in one pass over the activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.inputs import validate_inputs
from neurox_lite.activations.moments import class_moments
from neurox_lite.ranking.class_scores import rank_by_class_scores
from neurox_lite.results.ranking import NeuronRanking


def probeless(X: Any, y: Any, *, standardize: bool = True) -> NeuronRanking:
    """Rank neurons by the distances between class means (Antverg & Belinkov 2022, section 3.1).

    The score of neuron j is the sum over pairs of classes of ``|mu_z - mu_z'|_j``, its score for
    class z the sum over all ``z'``. One pass over ``X``; memory (n_classes, n_neurons).

    Parameters
    ----------
    X : (n, n_neurons) array-like
        Activations: an array, a tensor or a store's matrix.
    y : (n,) array-like
        Labels.
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


def mean_select(X: Any, y: Any) -> NeuronRanking:
    """Rank neurons by how unusual their mean is on a class (a baseline of Fan et al. 2023).

    The score of neuron j for class z is ``|mu_z - mu|_j / sigma_j``, its score the largest of any
    class. The mean of a class of few words is far from ``mu`` by chance: leave rare classes out.
    Memory, parameters and errors as for :func:`probeless`.
    """
    data = validate_inputs(X, y)
    moments = class_moments(data)
    class_scores = np.abs(moments.standardized_means)
    return rank_by_class_scores("mean-select", data, class_scores, moments.overall.is_constant)


def point_biserial(X: Any, y: Any) -> NeuronRanking:
    """Rank neurons by their correlation with being of a class.

    The score of neuron j for class z is ``|r|`` of its activation and the indicator of z,
    ``|mu_z - mu|_j / sigma_j * sqrt(p_z / (1 - p_z))`` with ``p_z`` the share of z; its score is
    the largest of any class. Memory, parameters and errors as for :func:`probeless`.
    """
    data = validate_inputs(X, y)
    moments = class_moments(data)
    share = moments.counts / moments.counts.sum()
    odds = np.sqrt(share / (1 - share))
    class_scores = np.abs(moments.standardized_means) * odds[:, None]
    return rank_by_class_scores("point-biserial", data, class_scores, moments.overall.is_constant)
