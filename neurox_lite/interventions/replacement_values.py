"""What neurons may be replaced by: values from their activations on other inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.arguments import whole_number
from neurox_lite.errors import InputError
from neurox_lite.labels import validate_labels
from neurox_lite.seeds import validate_seed


def class_means(X: np.ndarray, y: np.ndarray) -> dict[Any, np.ndarray]:
    """Mean of the rows X (n, n_neurons) of every class in y (n,), (n_neurons,) float64 each."""
    X, y = np.asarray(X), validate_labels(y)
    if len(X) != len(y) or not len(y):
        raise InputError(f"{len(X)} rows and {len(y)} labels; give one label per row")
    return {label: X[y == label].mean(0, dtype=np.float64) for label in np.unique(y).tolist()}


def resample(X: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Activations of ``n`` inputs drawn with replacement from the rows of ``X``.

    The rows stay whole, so that neurons keep their correlations. Shape (n, n_neurons).
    """
    n = whole_number(n, "n", least=0)
    if not len(X):
        raise InputError("no activations to draw from; give at least one row")
    return X[np.random.default_rng(validate_seed(seed)).integers(len(X), size=n)]
