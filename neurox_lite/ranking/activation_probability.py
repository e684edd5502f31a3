"""Activation probability: rank neurons by how much more often they are positive in a class."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.inputs import validate_inputs
from neurox_lite.ranking.class_scores import rank_by_class_scores
from neurox_lite.ranking.positive_shares import positive_shares
from neurox_lite.results.ranking import NeuronRanking


def activation_probability(X: Any, y: Any = None) -> NeuronRanking:
    """Rank neurons by how far apart a class and the others are in how often they are active.

    The score of neuron j for class g is ``|P(a_j > 0 | g) - P(a_j > 0 | not g)|`` with the
    activation probability of Tang et al. (2024, section 2.2): Youden's index (1950) of the neuron,
    or of its silence, as a detector of g. Its score is the largest of any class;
    ``ranking.for_class(g)`` is the ranking of one. For neurons with a meaningful zero, those of
    feed-forward layers; of a gated layer, whose neurons are products, the sign is not the gate's.

    A neuron that is always or never positive has the score 0. One pass over ``X``; memory
    (n_classes, n_neurons). Parameters and errors as for :func:`~neurox_lite.ranking.probeless`.
    """
    data = validate_inputs(X, y)
    shares = positive_shares(data, "activation-probability")
    class_scores = np.abs(shares.of_class - shares.of_others)
    return rank_by_class_scores("activation-probability", data, class_scores, shares.is_constant)
