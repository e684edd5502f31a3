"""Activation difference: what changes between the two sides of minimal pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.access import row_blocks, space_of
from neurox_lite.activations.inputs import validate_activations
from neurox_lite.activations.matrix import BLOCK_ROWS
from neurox_lite.activations.moments import CONSTANT, moments
from neurox_lite.errors import InputError
from neurox_lite.results.ranking import NeuronRanking


def activation_difference(X: Any, X_other: Any) -> NeuronRanking:
    """Rank neurons by how much they differ between the two sides of pairs.

    The score of neuron j is the mean over pairs of ``|x_j - x'_j| / sigma_j``, with ``sigma_j`` its
    standard deviation over all words of both sides. Two passes over each.

    Parameters
    ----------
    X, X_other : (n_pairs, n_neurons) array-likes
        Activations of one word per pair, in the same order on both sides.

    Returns
    -------
    NeuronRanking
        Constant neurons have score NaN and come last.

    Raises
    ------
    InputError
        When the two sides have different shapes or neurons, or an activation is NaN or infinite.
    """
    X, X_other = validate_activations(X), validate_activations(X_other)
    space = space_of(X)
    if tuple(X.shape) != tuple(X_other.shape) or space != space_of(X_other):
        raise InputError(
            f"activations of shapes {tuple(X.shape)} and {tuple(X_other.shape)}; give the same "
            "neurons for both sides of every pair"
        )
    one, other = moments(X), moments(X_other)
    # Of both sides together: half the distance of the means is part of the standard deviation.
    std = np.sqrt((one.std**2 + other.std**2) / 2 + ((one.mean - other.mean) / 2) ** 2)
    total = np.zeros(space.n_neurons)
    for _, (one_side, other_side) in row_blocks(X, X_other, n_rows=BLOCK_ROWS):
        total += (one_side.double() - other_side).abs().sum(0).numpy()
    scores = np.full(space.n_neurons, np.nan)
    varies = std > CONSTANT * np.abs(one.mean + other.mean) / 2
    np.divide(total / X.shape[0], std, out=scores, where=varies)
    return NeuronRanking.from_scores(space, scores, "activation-difference")
