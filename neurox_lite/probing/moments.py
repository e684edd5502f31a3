"""Mean and standard deviation of every neuron, accumulated in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.arrays import blocks


def moments(X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Per-neuron mean and population standard deviation, both float64 of shape (n_neurons,).

    Streams ``X`` (n, n_neurons) twice: the second pass centres first, which stays exact where the
    mean is large beside the deviation. A constant neuron gets deviation 1.
    """
    n = X.shape[0]
    mean = np.zeros(X.shape[1])
    for _, block in blocks(X):
        mean += block.sum(0, dtype=np.float64)
    mean /= n
    variance = np.zeros(X.shape[1])
    for _, block in blocks(X):
        variance += np.square(block - mean).sum(0)
    deviation = np.sqrt(variance / n)
    # Rounding leaves a constant neuron a deviation of about 1e-16 of its value.
    deviation[deviation <= 1e-12 * np.abs(mean)] = 0
    deviation[deviation == 0] = 1
    return mean, deviation
