"""Mean of every neuron in every class, and its deviation, in one pass over the activations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from neurox_lite.activations.access import column_squares
from neurox_lite.activations.inputs import Labelled, small_blocks
from neurox_lite.showing import short_repr


@dataclass(frozen=True)
class ClassMoments:
    """First moments per class, second moments over all rows.

    Attributes
    ----------
    counts : (n_classes,) int array
        Rows of each class.
    means : (n_classes, n_neurons) float64 array
    mean, deviation : (n_neurons,) float64 arrays
        Over all rows; the deviation of a constant neuron is exactly 0.
    """

    counts: np.ndarray
    means: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    __repr__ = short_repr

    @property
    def is_constant(self) -> np.ndarray:
        """True for neurons that say nothing; shape (n_neurons,)."""
        return self.std == 0

    @property
    def standardised_means(self) -> np.ndarray:
        """Class means where every neuron has mean 0 and variance 1; (n_classes, n_neurons)."""
        scale = np.where(self.is_constant, np.inf, self.std)
        return (self.means - self.mean) / scale


def class_moments(data: Labelled) -> ClassMoments:
    """Stream the activations once.

    Sums are of differences from the mean of the first block, in float32 within a block of rows and
    in float64 over blocks. Memory: one block, and (n_classes, n_neurons) in float64.

    Raises
    ------
    InputError
        When an activation is NaN or infinite; its neuron and row are named.
    """
    shift: torch.Tensor | None = None
    for start, raw in small_blocks(data.X):
        block = raw if raw.dtype == torch.float64 else raw.float()
        if shift is None:
            shift = block.mean(0, dtype=torch.float64).nan_to_num(0, 0, 0).to(block.dtype)
            sums = shift.new_zeros((len(data.classes), len(shift)), dtype=torch.float64)
            squares = torch.zeros_like(shift, dtype=torch.float64)
        difference = block - shift
        squared = column_squares(difference, block, start, data.space, data.X)
        members = data.one_hot(start, start + len(block), block).to(difference.dtype)
        sums += members @ difference
        squares += squared
    assert shift is not None  # X has rows
    n_rows = len(data.ids)
    counts = np.bincount(data.ids, minlength=len(data.classes))
    totals, origin = sums.cpu().numpy(), shift.double().cpu().numpy()
    drift = totals.sum(0) / n_rows
    mean = origin + drift
    std = np.sqrt((squares.cpu().numpy() / n_rows - drift**2).clip(min=0))
    # Rounding leaves a constant neuron a deviation of about 1e-16 of its value.
    std[std <= 1e-12 * np.abs(mean)] = 0
    return ClassMoments(counts, origin + totals / counts[:, None], mean, std)
