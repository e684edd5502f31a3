"""Variance: the ranking that knows the activations and not the labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.access import space_of
from neurox_lite.activations.inputs import validate_activations
from neurox_lite.activations.moments import moments
from neurox_lite.results.ranking import NeuronRanking


def variance(X: Any) -> NeuronRanking:
    """Rank neurons by the variance of their activations; one pass over ``X``.

    Parameters
    ----------
    X : (n, n_neurons) array-like
        Activations: an array, a tensor or a store's matrix.

    Returns
    -------
    NeuronRanking
        Constant neurons have score NaN and come last.

    Raises
    ------
    InputError
        When an activation is NaN or infinite.
    """
    X = validate_activations(X)
    found = moments(X)
    scores = np.where(found.is_constant, np.nan, found.std**2)
    return NeuronRanking.from_scores(space_of(X), scores, "variance")
