"""Standardised activations in bfloat16, of which some processors multiply four times as many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from neurox_lite.probing.standardized import StandardizedMatrix
from neurox_lite.showing import short_repr

FEWEST_NUMBERS, MOST_NUMBERS = 1 << 20, 6 * 10**8
"""A smaller matrix is not worth rounding; the copy of a larger one would take more than 1.2 GB."""

ROUNDED_BYTES = 2
"""Of a rounded number."""

BLOCK_ROWS, PRODUCT_ROWS = 16_384, 1024
"""Rows of the residual at a time, and of a product: these are rounded, too, and then added in
float32."""

N_OUTPUTS, CLOSE = 16, 0.05
"""Columns of the product that is tried on a block, and how far it may be off; rounding takes it off
by .01."""


@dataclass(frozen=True)
class RoundedMatrix:
    """A rounded copy of standardised activations, (n, n_neurons), in memory.

    Attributes
    ----------
    rows : (n, n_neurons) bfloat16 tensor
    like : tensor
        Of the dtype of what it is multiplied with.
    """

    rows: torch.Tensor
    like: torch.Tensor

    __repr__ = short_repr

    @classmethod
    def of(cls, X: StandardizedMatrix) -> RoundedMatrix:
        rows = torch.empty(len(X), X.n_neurons, dtype=torch.bfloat16)
        for some, block in X.blocks():
            rows[some] = (block - X.mean).mul_(X.inverse_scale)
        return cls(rows, X.like)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n_neurons(self) -> int:
        return self.rows.shape[1]

    def agrees_with(self, X: StandardizedMatrix) -> bool:
        """Whether a product of the first rows is that of the exact ones, but for rounding.

        It is not in a process in which a package with a copy of OpenMP of its own (cyanure 1.2) has
        run: there torch's products of bfloat16 are NaN.
        """
        W = torch.linspace(-1, 1, self.n_neurons).to(self.like)[:, None].expand(-1, N_OUTPUTS)
        first = np.arange(min(len(self), BLOCK_ROWS))
        exact = X.sample(first).times(W.contiguous())
        return bool(
            (RoundedMatrix(self.rows[: len(first)], self.like).times(W) - exact).norm()
            <= CLOSE * exact.norm()
        )

    def sample(self, positions: np.ndarray) -> RoundedMatrix:
        """Some rows."""
        return RoundedMatrix(self.rows[torch.from_numpy(positions)], self.like)

    def held(self) -> RoundedMatrix:
        """Itself, which is in memory."""
        return self

    def of_neurons(self, neurons: torch.Tensor) -> RoundedMatrix:
        """Some neurons."""
        return RoundedMatrix(self.rows[:, neurons], self.like)

    def times(self, W: torch.Tensor) -> torch.Tensor:
        """X W, shape (*, n) for W of shape (n_neurons, *)."""
        product = W.flatten(1).to(self.rows).T.contiguous() @ self.rows.T
        return product.to(self.like).view(*W.shape[1:], len(self))

    def transposed_times(
        self, residual: Callable[[slice], torch.Tensor], shape: Sequence[int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As :meth:`StandardizedMatrix.transposed_times`."""
        total, sums = self.like.new_zeros(()), self.like.new_zeros(())
        for start in range(0, len(self), BLOCK_ROWS):
            rows = self.rows[start : start + BLOCK_ROWS]
            R = residual(slice(start, start + len(rows))).flatten(0, -2)
            total = total + _product(R.to(rows), rows)
            sums = sums + R.sum(1)
        total = (total / len(self)).T.contiguous()
        return total.view(-1, *shape), (sums / len(self)).view(*shape)


def _product(R: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """R X in float32, as a sum of products of few rows."""
    shape = (len(rows) // PRODUCT_ROWS, PRODUCT_ROWS)
    n = shape[0] * shape[1]
    left, right = R[:, :n].unflatten(1, shape).transpose(0, 1), rows[:n].unflatten(0, shape)
    return torch.bmm(left, right).sum(0, dtype=torch.float32) + R[:, n:] @ rows[n:]


def is_faster(X: StandardizedMatrix) -> bool:
    """Whether products of a rounded copy take less time; not where float64 was asked for."""
    if X.like.dtype != torch.float32 or X.like.device.type != "cpu" or not has_units():
        return False
    return FEWEST_NUMBERS <= len(X) * X.n_neurons <= MOST_NUMBERS


def has_units() -> bool:
    """Whether the processor has units for bfloat16, and torch uses them."""
    has_them = torch.cpu.get_capabilities().get("avx512_bf16", False)
    return bool(has_them) and torch.backends.mkldnn.is_available()
