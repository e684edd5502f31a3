"""Point-biserial correlation: rank neurons by how they correlate with being of a class."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.inputs import validate_inputs
from neurox_lite.activations.moments import class_moments
from neurox_lite.ranking.class_scores import rank_by_class_scores
from neurox_lite.results.ranking import NeuronRanking


def point_biserial(X: Any, y: Any = None) -> NeuronRanking:
    """Rank neurons by their correlation with being of a class.

    The score of neuron j for class z is ``|r|`` of its activation and the indicator of z,
    ``|mu_z - mu|_j / sigma_j * sqrt(p_z / (1 - p_z))`` with ``p_z`` the share of z; its score is
    the largest of any class. Memory, parameters and errors as for
    :func:`~neurox_lite.ranking.probeless`.
    """
    data = validate_inputs(X, y)
    moments = class_moments(data)
    share = moments.counts / moments.counts.sum()
    odds = np.sqrt(share / (1 - share))
    class_scores = np.abs(moments.standardized_means) * odds[:, None]
    return rank_by_class_scores("point-biserial", data, class_scores, moments.overall.is_constant)
