"""Standardised activations as a solver sees them: not copied, but read block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from neurox_lite.activations.access import take_rows, tensor_blocks
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.moments import Moments
from neurox_lite.showing import short_repr

MOST_STDS = 10
"""A mean beyond so many standard deviations is subtracted before a product is rounded."""


@dataclass(frozen=True)
class StandardizedMatrix:
    """The matrix ``(raw - mean) * inverse_scale``, shape (n, n_neurons).

    Attributes
    ----------
    raw : (n, n_neurons) tensor or ActivationMatrix
        Of any floating dtype; a matrix of a store is read from the disk for every product.
    mean, inverse_scale : (n_neurons,) tensors
        In the dtype and on the device of the computation.
    offset_columns : (n_offset,) int64 tensor
        Columns whose mean is beyond ``MOST_STDS`` standard deviations.
    """

    raw: Any
    mean: torch.Tensor
    inverse_scale: torch.Tensor
    offset_columns: torch.Tensor

    __repr__ = short_repr

    @classmethod
    def of(
        cls,
        raw: Any,
        moments: Moments,
        scale: np.ndarray,
        like: torch.Tensor,
    ) -> StandardizedMatrix:
        """Computed in the dtype and on the device of ``like``; a constant neuron becomes zero."""
        varies = ~moments.is_constant
        offset_columns = np.flatnonzero(varies & (np.abs(moments.mean) > MOST_STDS * moments.std))
        return cls(
            raw,
            torch.from_numpy(moments.mean).to(like),
            torch.from_numpy(varies / scale).to(like),
            torch.from_numpy(offset_columns).to(like.device),
        )

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def n_neurons(self) -> int:
        return len(self.mean)

    def sample(self, positions: np.ndarray) -> StandardizedMatrix:
        """Some rows; those of a store stay on the disk."""
        return replace(self, raw=take_rows(self.raw, positions))

    def held(self) -> StandardizedMatrix:
        """The same in memory."""
        if not isinstance(self.raw, ActivationMatrix):
            return self
        return replace(self, raw=torch.from_numpy(self.raw[:]))

    def of_neurons(self, neurons: torch.Tensor) -> StandardizedMatrix:
        """Some neurons, whose activations are copied into memory."""
        is_offset = torch.zeros(self.n_neurons, dtype=torch.bool, device=neurons.device)
        is_offset[self.offset_columns] = True
        if isinstance(self.raw, ActivationMatrix):
            raw = self.mean.new_empty(len(self), len(neurons))
            for rows, block in self.blocks():
                torch.index_select(block, 1, neurons, out=raw[rows])
        else:
            raw = self.raw[:, neurons]
        return StandardizedMatrix(
            raw,
            self.mean[neurons],
            self.inverse_scale[neurons],
            torch.nonzero(is_offset[neurons])[:, 0],
        )

    @property
    def like(self) -> torch.Tensor:
        """Of the dtype and on the device of the computation."""
        return self.mean

    def blocks(self) -> Iterator[tuple[slice, torch.Tensor]]:
        """Activations as they are, not standardised, block by block."""
        for start, block in tensor_blocks(self.raw):
            yield slice(start, start + len(block)), block.to(self.mean)

    def times(self, W: torch.Tensor) -> torch.Tensor:
        """X W, shape (*, n) for W of shape (n_neurons, *)."""
        raw_weights = W.flatten(1) * self.inverse_scale[:, None]
        offset_weights = raw_weights[self.offset_columns]
        raw_weights[self.offset_columns] = 0
        constant = -(self.mean @ raw_weights)
        out = W.new_empty(raw_weights.shape[1], len(self))
        for rows, block in self.blocks():
            torch.addmm(constant[:, None], raw_weights.T, block.T, out=out[:, rows])
            if len(self.offset_columns):
                centred = block[:, self.offset_columns] - self.mean[self.offset_columns]
                out[:, rows] += offset_weights.T @ centred.T
        return out.view(*W.shape[1:], len(self))

    def transposed_times(
        self, residual: Callable[[slice], torch.Tensor], shape: Sequence[int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """X' R' / n, shape (n_neurons, *), and the means of R (*), for R of shape (*, n).

        Parameters
        ----------
        residual : function of slice
            Gives a block of rows of R; blocks are added in float64.
        shape : ints
            The *.
        """
        n_columns = math.prod(shape)
        total = self.mean.new_zeros(n_columns, self.n_neurons, dtype=torch.float64)
        offset_columns = total.new_zeros(n_columns, len(self.offset_columns))
        sums = total.new_zeros(n_columns)
        for rows, block in self.blocks():
            R = residual(rows).flatten(0, -2)
            total += R @ block
            sums += R.sum(1, dtype=torch.float64)
            if len(self.offset_columns):
                offset_columns += R @ (
                    block[:, self.offset_columns] - self.mean[self.offset_columns]
                )
        total -= torch.outer(sums, self.mean.double())
        total[:, self.offset_columns] = offset_columns
        total *= self.inverse_scale / len(self)
        sums /= len(self)
        by_weights = total.T.to(self.mean).contiguous()
        return by_weights.view(-1, *shape), sums.to(self.mean).view(*shape)
