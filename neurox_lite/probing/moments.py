"""Mean and standard deviation of every neuron."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neurox_lite.activations.access import column_squares, tensor_blocks
from neurox_lite.neurons import NeuronSpace


def moments(
    X: Any, space: NeuronSpace, weights: Any = None, origin: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Per-neuron mean and population standard deviation, both float64 of shape (n_neurons,).

    Streams ``X`` (n, n_neurons) once. Sums are of differences from the mean of the first block,
    which stay exact where the mean is large beside the deviation; those of blocks are added in
    float64. The deviation of a constant neuron is exactly 0.

    Parameters
    ----------
    X : (n, n_neurons) array, tensor or store's matrix
    space : NeuronSpace
    weights : (n,) array-like, optional
        How much each row counts.
    origin : store's matrix, optional
        What ``X`` was read from, whose rows an error names.

    Raises
    ------
    InputError
        When an activation is NaN or infinite; ``space`` names its neuron.
    """
    share = None if weights is None else torch.as_tensor(np.asarray(weights) / np.mean(weights))
    shift: torch.Tensor | None = None
    for start, raw in tensor_blocks(X):
        block = raw if raw.dtype == torch.float64 else raw.float()
        if shift is None:
            shift = block.mean(0, dtype=torch.float64).nan_to_num(0, 0, 0).to(block.dtype)
            total = torch.zeros_like(shift, dtype=torch.float64)
            squares = torch.zeros_like(total)
        difference = block - shift
        weighted = difference
        if share is not None:
            here = share[start : start + len(block), None].to(block)
            difference, weighted = here * difference, here.sqrt() * difference
        squared = column_squares(weighted, block, start, space, X if origin is None else origin)
        added = difference.sum(0)
        total += added
        squares += squared
    assert shift is not None  # X has rows
    drift = (total / len(X)).cpu().numpy()
    mean = shift.double().cpu().numpy() + drift
    variance = squares.cpu().numpy() / len(X) - drift**2
    std = np.sqrt(variance.clip(min=0))
    # Rounding leaves a constant neuron a deviation of about 1e-16 of its value.
    std[std <= 1e-12 * np.abs(mean)] = 0
    return mean, std
