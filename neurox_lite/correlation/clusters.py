"""Groups of neurons that say the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.arrays import checked_activations, space_of
from neurox_lite.arguments import real_number
from neurox_lite.correlation.moments import moments
from neurox_lite.errors import InputError
from neurox_lite.results import NeuronClusters


def correlation_clusters(X: Any, *, threshold: float = 0.5) -> NeuronClusters:
    """Cluster neurons by their correlation (Dalvi et al. 2020, Analyzing redundancy).

    Average linkage on the distances ``1 - |rho|`` of neurons over all words; clusters are joined
    while their distance is at most the threshold. A constant neuron is a cluster of its own.
    Memory: four times n_neurons squared in float64.

    Parameters
    ----------
    X : (n, n_neurons) array, tensor or store's matrix
    threshold : float
        Between 0 and 1. The larger, the fewer clusters.

    Raises
    ------
    InputError
        When the threshold is outside, or an activation is NaN or infinite.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    X, threshold = checked_activations(X), real_number(threshold, "threshold")
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold is {threshold}; give a distance 1 - |r| from 0 to 1")
    found = moments(X, [slice(None)])
    varies = np.flatnonzero(found.deviation > 0)
    # Every neuron is alone, unless linkage gives it a lower number together with others.
    labels = len(found.mean) + 1 + np.arange(len(found.mean))
    if len(varies) > 1:
        distances = _distances(found.covariances[0], varies, found.scale)
        labels[varies] = fcluster(linkage(distances, "average"), threshold, "distance")
    _, first, number = np.unique(labels, return_index=True, return_inverse=True)
    in_order = np.argsort(np.argsort(first))  # clusters are numbered by their first column
    return NeuronClusters(space_of(X), threshold, tuple(in_order[number].tolist()))


def _distances(covariance: np.ndarray, columns: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """``1 - |rho|`` of all pairs of columns, as scipy wants them: row by row, each pair once."""
    rows = [
        np.abs(covariance[column, columns[place + 1 :]] * scale[columns[place + 1 :]])
        * scale[column]
        for place, column in enumerate(columns)
    ]
    return (1 - np.concatenate(rows)).clip(min=0)
