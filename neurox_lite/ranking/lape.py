"""LAPE: rank neurons by how few of the classes, such as languages, they are positive in."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import entr

from neurox_lite.activations.inputs import validate_inputs
from neurox_lite.arguments import real_number
from neurox_lite.errors import InputError
from neurox_lite.ranking.class_scores import rank_by_class_scores
from neurox_lite.ranking.positive_shares import positive_shares
from neurox_lite.results.ranking import NeuronRanking


def lape(X: Any, y: Any = None, *, min_quantile: float = 0.95) -> NeuronRanking:
    """Rank neurons by language activation probability entropy (Tang et al. 2024, section 2.2).

    Classes are languages, domains or whatever the labels are. With the activation probability
    ``p_jg = P(a_j > 0 | g)`` of neuron j in class g, the score is minus the entropy of these,
    normalised over the classes, in nats:

        sum over g of q_jg log q_jg,   q_jg = p_jg / (sum over h of p_jh)

    It is 0 of a neuron that is positive in one class only, and ``-log(n_classes)`` of one that is
    as often positive in all, such as one that always is. Neurons that are active too rarely come
    after all others, with ``2 log(n_classes)`` taken off their score: those whose largest ``p_jg``
    is below a quantile of the ``p`` of all classes and neurons that vary and are ever positive. One
    that is never positive has no entropy and, like a constant one, the score NaN.

    A neuron is specific to the classes in which its ``p_jg`` reaches the quantile: its scores for
    them are ``log(n_classes)`` less the entropy, for the others 0; ``ranking.for_class(g)`` is the
    ranking of one. Entropies are small by chance where a class has few words.

    For neurons with a meaningful zero, those of feed-forward layers; of a gated layer, whose
    neurons are products, the sign is not the gate's, which the paper reads. One pass over ``X``;
    memory (n_classes, n_neurons).

    Parameters
    ----------
    X, y
        As for :func:`~neurox_lite.ranking.probeless`.
    min_quantile : float
        The quantile, 0 to 1; 0 leaves no neuron behind. The paper has 0.95.

    Raises
    ------
    InputError
        As :func:`~neurox_lite.ranking.probeless`, or when the quantile is not from 0 to 1.
    """
    min_quantile = real_number(min_quantile, "min_quantile")
    if not 0 <= min_quantile <= 1:
        raise InputError(f"min_quantile is {min_quantile}; give a share from 0 to 1")
    data = validate_inputs(X, y)
    shares = positive_shares(data, "lape")
    p, largest = shares.of_class, np.log(len(data.classes))
    is_scored = p.any(0) & ~shares.is_constant
    entropy = entr(p / np.where(is_scored, p.sum(0), 1)).sum(0)
    quantile = np.quantile(p[:, is_scored], min_quantile) if is_scored.any() else 0
    is_active = is_scored & (p > 0) & (p >= quantile)
    scores = np.where(is_active.any(0), -entropy, -entropy - 2 * largest)
    return rank_by_class_scores(
        "lape",
        data,
        np.where(is_active, (largest - entropy).clip(min=0), 0),
        ~is_scored,
        scores=scores,
        min_quantile=min_quantile,
    )
