"""Mean and standard deviation of every neuron."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neurox_lite.activations.arrays import check_finite, tensor_blocks
from neurox_lite.neurons import NeuronSpace


def moments(X: Any, space: NeuronSpace, weights: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Per-neuron mean and population standard deviation, both float64 of shape (n_neurons,).

    Streams ``X`` (n, n_neurons) once. Sums are of differences from the mean of the first block,
    which stay exact where the mean is large beside the deviation; they accumulate in float64. The
    deviation of a constant neuron is exactly 0.

    Parameters
    ----------
    X : (n, n_neurons) array, tensor or store's matrix
    space : NeuronSpace
    weights : (n,) array-like, optional
        How much each row counts.

    Raises
    ------
    InputError
        When an activation is NaN or infinite; ``space`` names its neuron.
    """
    shares = None if weights is None else torch.as_tensor(np.asarray(weights) / np.sum(weights))
    shift: torch.Tensor | None = None
    for start, raw in tensor_blocks(X):
        block = raw if raw.dtype == torch.float64 else raw.float()
        if shift is None:
            shift = block.mean(0, dtype=torch.float64).nan_to_num(0, 0, 0).to(block.dtype)
            total = torch.zeros_like(shift, dtype=torch.float64)
            squares = torch.zeros_like(total)
        difference = block - shift
        if shares is not None:
            check_finite(block.cpu().numpy(), start, space, X)
            share = shares[start : start + len(block), None].to(block.device)
            total += (share * difference).sum(0)
            squares += (share * difference.double().square()).sum(0)
            continue
        added, squared = difference.sum(0), difference.square().sum(0)
        if not torch.isfinite(squared).all():
            check_finite(block.cpu().numpy(), start, space, X)
            difference = block.double() - shift
            added, squared = difference.sum(0), difference.square().sum(0)
        total += added
        squares += squared
    assert shift is not None  # X has rows
    n = len(X) if shares is None else 1
    drift = (total / n).cpu().numpy()
    mean = shift.double().cpu().numpy() + drift
    variance = squares.cpu().numpy() / n - drift**2
    deviation = np.sqrt(variance.clip(min=0))
    # Rounding leaves a constant neuron a deviation of about 1e-16 of its value.
    deviation[deviation <= 1e-12 * np.abs(mean)] = 0
    return mean, deviation
