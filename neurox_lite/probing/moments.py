"""Mean and standard deviation of every neuron."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neurox_lite.activations.arrays import check_finite, tensor_blocks
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
        here = None if share is None else share[start : start + len(block), None].to(block.device)
        added, squared = _sums(block - shift, here)
        if not torch.isfinite(squared).all():
            check_finite(block.cpu().numpy(), start, space, X if origin is None else origin)
            added, squared = _sums(block.double() - shift, here)
        total += added
        squares += squared
    assert shift is not None  # X has rows
    drift = (total / len(X)).cpu().numpy()
    mean = shift.double().cpu().numpy() + drift
    variance = squares.cpu().numpy() / len(X) - drift**2
    deviation = np.sqrt(variance.clip(min=0))
    # Rounding leaves a constant neuron a deviation of about 1e-16 of its value.
    deviation[deviation <= 1e-12 * np.abs(mean)] = 0
    return mean, deviation


def _sums(
    difference: torch.Tensor, share: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weighted sums over rows, of the differences and of their squares."""
    if share is None:
        return difference.sum(0), difference.square().sum(0)
    return (share * difference).sum(0), (share * difference.square()).sum(0)
