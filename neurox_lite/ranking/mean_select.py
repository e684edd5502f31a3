"""Mean-select: rank neurons by their mean activation on the words of a class."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.inputs import validate_inputs
from neurox_lite.activations.moments import class_moments
from neurox_lite.ranking.class_scores import rank_by_class_scores
from neurox_lite.results.ranking import NeuronRanking


def mean_select(X: Any, y: Any = None) -> NeuronRanking:
    """Rank neurons by how unusual their mean is on a class (a baseline of Fan et al. 2023).

    The score of neuron j for class z is ``|mu_z - mu|_j / sigma_j``, its score the largest of any
    class. The mean of a class of few words is far from ``mu`` by chance: leave rare classes out.
    Memory, parameters and errors as for :func:`~neurox_lite.ranking.probeless`.
    """
    data = validate_inputs(X, y)
    moments = class_moments(data)
    class_scores = np.abs(moments.standardized_means)
    return rank_by_class_scores("mean-select", data, class_scores, moments.overall.is_constant)
