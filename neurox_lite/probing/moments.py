"""Mean and standard deviation of every neuron, accumulated in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.arrays import blocks, finite_blocks
from neurox_lite.neurons import NeuronSpace


def moments(X: Any, space: NeuronSpace, origin: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Per-neuron mean and population standard deviation, both float64 of shape (n_neurons,).

    Streams ``X`` (n, n_neurons) twice: the second pass centres first, which stays exact where the
    mean is large beside the deviation. The deviation of a constant neuron is exactly 0.

    Raises
    ------
    InputError
        When an activation is NaN or infinite; ``space`` names its neuron, ``origin`` its store.
    """
    n = X.shape[0]
    mean = np.zeros(X.shape[1])
    for _, block in finite_blocks(X, space, origin):
        mean += block.sum(0, dtype=np.float64)
    mean /= n
    variance = np.zeros(X.shape[1])
    for _, block in blocks(X):
        variance += np.square(block - mean).sum(0)
    deviation = np.sqrt(variance / n)
    # Rounding leaves a constant neuron a deviation of about 1e-16 of its value.
    deviation[deviation <= 1e-12 * np.abs(mean)] = 0
    return mean, deviation


def subtract(X: np.ndarray, mean: np.ndarray, *, in_place: bool) -> np.ndarray:
    """``X - mean`` in the dtype of ``X``, computed in float64."""
    out = X if in_place else np.empty(X.shape, X.dtype)
    for start, block in blocks(X):
        out[start : start + len(block)] = block - mean
    return out
