"""Means, deviations and covariances of the columns of one matrix, or of two over the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from neurox_lite.activations.access import column_squares, load, read_ahead, space_of
from neurox_lite.activations.store import ActivationMatrix
from neurox_lite.errors import InputError
from neurox_lite.showing import short_repr

BLOCK_ROWS = 2048
PANEL_COLUMNS = 4096
"""Columns of the left matrix that are multiplied at once; bounds the size of temporary products."""


@dataclass(frozen=True)
class Moments:
    """Of the columns of one matrix, over its rows.

    Attributes
    ----------
    n_rows : int
    mean, deviation : (n_neurons,) float64 arrays
        The population standard deviation; exactly 0 for a constant neuron.
    covariances : tuple of (width, width) float64 arrays
        Of every run of columns that was asked for.
    """

    n_rows: int
    mean: np.ndarray
    std: np.ndarray
    covariances: tuple[np.ndarray, ...]

    __repr__ = short_repr

    @property
    def scale(self) -> np.ndarray:
        """One over the deviation, and 0 for a constant neuron; shape (n_neurons,)."""
        varies = self.std > 0
        return np.divide(1, self.std, where=varies, out=np.zeros_like(self.std))


@dataclass(frozen=True)
class CrossMoments:
    """Of the columns of two matrices over the same rows.

    Attributes
    ----------
    x, y : Moments
    covariance : (n_neurons of x, n_neurons of y) float64 array
    """

    x: Moments
    y: Moments
    covariance: np.ndarray

    __repr__ = short_repr


def moments(X: Any, columns: Sequence[slice] = ()) -> Moments:
    """Mean, deviation and covariances of the columns of one matrix, in one pass.

    Memory: the covariances, and a few blocks of 2,048 rows.

    Parameters
    ----------
    X : (n, n_neurons) array, tensor or store's matrix
    columns : sequence of slice
        Runs of columns, such as layers, within which covariances are computed.

    Raises
    ------
    InputError
        When ``X`` is no matrix of at least two rows, or an activation is NaN or infinite.
    """
    sums = _Sums(X, columns)
    for start, (block,) in _blocks(X):
        sums.add(start, block)
    return sums.moments()


def cross_moments(
    X: Any, Y: Any, columns_x: Sequence[slice] = (), columns_y: Sequence[slice] = ()
) -> CrossMoments:
    """Covariance of every column of ``X`` with every column of ``Y``, in one pass over both.

    Blocks of rows are multiplied in float32, in float64 where an input is float64, and added in
    float64. Sums are of differences from the mean of the first block, which stay exact where the
    mean is large beside the deviation, in units of their size there, so that neurons of 1e-30 have
    products too. A block of a store is read while the one before is used.
    Memory: the covariances, n_neurons of x times n_neurons of y, and a few blocks of 2,048 rows.

    Parameters
    ----------
    X, Y : (n, n_neurons) arrays, tensors or stores' matrices
        Of the same rows.
    columns_x, columns_y : sequences of slice
        Runs of columns within which the matrix's own covariances are computed, too.

    Raises
    ------
    InputError
        When the matrices differ in their number of rows, one is no matrix of at least two rows, or
        an activation is NaN or infinite.
    """
    x, y = _Sums(X, columns_x), _Sums(Y, columns_y)
    if len(X) != len(Y):
        raise InputError(
            f"{len(X)} rows beside {len(Y)}; give matrices of the same words, as 'aligned' does"
        )
    products = np.zeros((X.shape[1], Y.shape[1]))
    for start, (block_x, block_y) in _blocks(X, Y):
        _add_products(products, x.add(start, block_x), y.add(start, block_y))
    _centre(products, x, y)
    return CrossMoments(x.moments(), y.moments(), products)


class _Sums:
    """Running sums of one matrix, of differences from the mean of its first block.

    Columns are divided by a power of two near their largest difference in that block, which
    changes no digit.
    """

    def __init__(self, X: Any, columns: Sequence[slice]):
        shape = tuple(getattr(X, "shape", ()))
        if len(shape) != 2 or shape[0] < 2 or shape[1] < 1:
            raise InputError(
                f"activations of shape {shape}; give a matrix (n_rows, n_neurons) of at least two "
                "rows"
            )
        self.X = X
        self.space = space_of(X)
        self.columns = columns
        self.shift: torch.Tensor | None = None
        self.unit: torch.Tensor | None = None
        self.total = np.zeros(shape[1])
        self.squares = np.zeros(shape[1])
        widths = [len(range(shape[1])[run]) for run in columns]
        self.products = [np.zeros((width, width)) for width in widths]

    def add(self, start: int, block: torch.Tensor) -> torch.Tensor:
        """Add a block of rows; gives its differences from the shift, in their units."""
        if self.shift is None or self.unit is None:
            mean = block.mean(0, dtype=torch.float64).nan_to_num(0, 0, 0)
            self.shift = mean.to(block.dtype)
            largest = (block - self.shift).abs().amax(0).nan_to_num(0, 0, 0)
            exponent = torch.where(largest > 0, largest, 1).double().log2().floor()
            self.unit = torch.exp2(exponent.clip(-120, 120)).to(block.dtype)
        difference = (block - self.shift).div_(self.unit)
        squares = column_squares(difference, block, start, self.space, self.X)
        if squares.dtype != difference.dtype:
            difference = difference.double()  # products, too, may be too large for float32
        self.total += difference.sum(0).numpy()
        self.squares += squares.numpy()
        for products, run in zip(self.products, self.columns, strict=True):
            part = difference[:, run]
            _add_products(products, part, part)
        return difference

    @property
    def drift(self) -> np.ndarray:
        """Mean of the differences, in their units."""
        return self.total / len(self.X)

    @property
    def units(self) -> np.ndarray:
        """What differences are counted in; (n_columns,) float64."""
        assert self.unit is not None  # X has rows
        return self.unit.double().numpy()

    def moments(self) -> Moments:
        assert self.shift is not None  # X has rows
        n, drift, units = len(self.X), self.drift, self.units
        mean = self.shift.double().numpy() + drift * units
        std = np.sqrt((self.squares / n - drift**2).clip(min=0)) * units
        # Rounding leaves a constant neuron a deviation of about 1e-16 of its value.
        std[std <= 1e-12 * np.abs(mean)] = 0
        for products, run in zip(self.products, self.columns, strict=True):
            _mirror(products)
            _centre(products, self, self, run)
        return Moments(n, mean, std, tuple(self.products))


def _blocks(*matrices: Any) -> Iterator[tuple[int, tuple[torch.Tensor, ...]]]:
    """The same rows of all matrices, block by block, with the number of the first row."""
    n_rows = len(matrices[0])
    whole = [X if isinstance(X, ActivationMatrix | torch.Tensor) else load(X) for X in matrices]

    def read() -> Iterator[tuple[int, tuple[torch.Tensor, ...]]]:
        for start in range(0, n_rows, BLOCK_ROWS):
            yield start, tuple(_tensor(X[start : start + BLOCK_ROWS]) for X in whole)

    is_stored = any(isinstance(X, ActivationMatrix) for X in matrices)
    with tqdm(desc="correlate", total=n_rows, unit="word", disable=None, delay=2) as progress:
        for start, blocks in read_ahead(read()) if is_stored else read():
            yield start, blocks
            progress.update(len(blocks[0]))


def _tensor(block: Any) -> torch.Tensor:
    """A block in float32, or in float64 if it is that; not copied where it need not be."""
    if isinstance(block, torch.Tensor):
        block = block.detach().cpu()
        return block if block.dtype == torch.float64 else block.float()
    dtype = np.float64 if block.dtype == np.float64 else np.float32
    return torch.from_numpy(np.require(block, dtype, ["C", "W"]))


def _add_products(products: np.ndarray, left: torch.Tensor, right: torch.Tensor) -> None:
    """Add ``left.T @ right``; of a matrix with itself only what is on or above the diagonal."""
    if left.dtype != right.dtype:
        left, right = left.double(), right.double()
    for start in range(0, left.shape[1], PANEL_COLUMNS):
        panel = slice(start, start + PANEL_COLUMNS)
        first = start if left is right else 0
        total = products[panel, first:]
        np.add(total, (left[:, panel].T @ right[:, first:]).numpy(), out=total)


def _mirror(products: np.ndarray) -> None:
    """Fill in what is below the diagonal."""
    for start in range(0, len(products), PANEL_COLUMNS):
        stop = start + PANEL_COLUMNS
        products[stop:, start:stop] = products[start:stop, stop:].T


def _centre(products: np.ndarray, x: _Sums, y: _Sums, run: slice = slice(None)) -> None:
    """Turn sums of products into covariances, in place; of runs of columns, of the same in both."""
    drift_y, units_y = y.drift[run], y.units[run]
    for row, drift, unit in zip(products, x.drift[run], x.units[run], strict=True):
        row /= len(x.X)
        row -= drift * drift_y
        row *= unit * units_y
