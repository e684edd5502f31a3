"""What neurons may be replaced by: values from their activations on other inputs."""

from __future__ import annotations

import numpy as np

from neurox_lite.errors import InputError


def class_means(X: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Mean activations of every class, (n_neurons,) float64 each.

    Parameters
    ----------
    X : (n, n_neurons) array
    y : (n,) labels

    Raises
    ------
    InputError
        When the lengths differ or there are no rows.
    """
    y = np.asarray(y)
    if len(X) != len(y) or not len(y):
        raise InputError(f"{len(X)} rows and {len(y)} labels; give one label per row")
    return {str(label): X[y == label].mean(0, dtype=np.float64) for label in np.unique(y)}


def resampled(X: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Activations of ``n`` inputs drawn with replacement from the rows of ``X``.

    The rows stay whole, so that neurons keep their correlations. Shape (n, n_neurons).
    """
    if not len(X):
        raise InputError("no activations to draw from; give at least one row")
    return X[np.random.default_rng(seed).integers(len(X), size=n)]
