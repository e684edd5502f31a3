"""Means, standard deviations and covariances of neurons, in one pass over their activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neurox_lite.activations.access import check_finite, row_blocks, small_blocks, space_of
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.errors import InputError
from neurox_lite.progress import tqdm
from neurox_lite.showing import short_repr

CONSTANT = 1e-12
"""Rounding leaves a constant neuron a standard deviation of about 1e-16 of its mean; up to this
share of it a neuron is constant, and its standard deviation exactly 0."""

BLOCK_ROWS = 2048
"""Rows of which products of columns are summed in the precision of the activations."""

PANEL_COLUMNS = 4096
"""Columns of the left matrix that are multiplied at once; bounds the size of temporary products."""


@dataclass(frozen=True)
class Moments:
    """Of the columns of one matrix, over its rows.

    Attributes
    ----------
    n_rows : int
    mean, std : (n_neurons,) float64 arrays
        The population standard deviation; exactly 0 for a constant neuron.
    covariances : tuple of (width, width) float64 arrays
        Of every run of columns that was asked for.
    """

    n_rows: int
    mean: np.ndarray
    std: np.ndarray
    covariances: tuple[np.ndarray, ...] = ()

    __repr__ = short_repr

    @property
    def is_constant(self) -> np.ndarray:
        """True for neurons that have the same activation in all rows; shape (n_neurons,)."""
        return self.std == 0

    @property
    def scale(self) -> np.ndarray:
        """One over the standard deviation, and 0 for a constant neuron; shape (n_neurons,)."""
        return np.divide(1, self.std, where=~self.is_constant, out=np.zeros_like(self.std))


@dataclass(frozen=True)
class ClassMoments:
    """Means of the columns over the rows of each class, and moments over all rows.

    Attributes
    ----------
    counts : (n_classes,) int array
        Rows of each class.
    means : (n_classes, n_neurons) float64 array
    overall : Moments
    """

    counts: np.ndarray
    means: np.ndarray
    overall: Moments

    __repr__ = short_repr

    @property
    def standardized_means(self) -> np.ndarray:
        """Class means where every neuron has mean 0 and variance 1; (n_classes, n_neurons)."""
        return (self.means - self.overall.mean) * self.overall.scale


def moments(X: Any, *, weights: Any = None, origin: Any = None) -> Moments:
    """Mean and standard deviation of every neuron.

    Parameters
    ----------
    X : (n, n_neurons) array, tensor or store's matrix
    weights : (n,) array-like, optional
        How much each row counts.
    origin : store's matrix, optional
        What ``X`` was read from, whose rows an error names.

    Raises
    ------
    InputError
        When an activation is NaN or infinite; its neuron and row are named.
    """
    running = RunningMoments(X if origin is None else origin)
    share = None if weights is None else torch.as_tensor(np.asarray(weights) / np.mean(weights))
    for start, block in small_blocks(X):
        running.add(start, block, None if share is None else share[start : start + len(block)])
    return running.moments()


def class_moments(data: LabelledActivations) -> ClassMoments:
    """Mean of every neuron in every class. Memory: one block, and (n_classes, n_neurons) twice."""
    running = RunningMoments(data.X)
    for start, block in small_blocks(data.X):
        running.add(start, block, members=data.one_hot(start, start + len(block), block))
    counts = np.bincount(data.ids, minlength=len(data.classes))
    return ClassMoments(counts, running.means(counts[:, None]), running.moments())


def covariances(X: Any, columns: Sequence[slice]) -> Moments:
    """Moments with the covariances within runs of columns, such as layers.

    Memory: the covariances, and a few blocks of 2,048 rows.

    Parameters
    ----------
    X : (n, n_neurons) array, tensor or store's matrix
    columns : sequence of slice

    Raises
    ------
    InputError
        When ``X`` is not a matrix of at least two rows, or as :func:`moments`.
    """
    require_rows(X)
    running = RunningMoments(X, columns)
    with tqdm(desc="correlate", total=len(X), unit="word", disable=None, delay=2) as progress:
        for start, (block,) in row_blocks(X, n_rows=BLOCK_ROWS):
            running.add(start, block)
            progress.update(len(block))
    return running.moments()


def require_rows(X: Any) -> None:
    """Raise InputError for what is not a matrix of at least two rows."""
    shape = tuple(getattr(X, "shape", ()))
    if len(shape) != 2 or shape[0] < 2 or shape[1] < 1:
        raise InputError(
            f"activations of shape {shape}; give a matrix (n_rows, n_neurons) of at least two rows"
        )


class RunningMoments:
    """Sums over the rows of a matrix that were added so far.

    Of differences from the mean of the first block, which stay exact where the mean is large beside
    the standard deviation. A block is summed in float32, in float64 if it is that or float32 cannot
    hold the squares; blocks are added in float64. Columns whose squares float32 could not hold are
    counted in a unit of their own, a power of two, which changes no digit.

    Parameters
    ----------
    X : (n, n_neurons) array, tensor or store's matrix, optional
        Whose rows an error names; without it all that is added must be finite.
    columns : sequence of slice
        Runs of columns within which products are summed, too; then blocks are on the CPU.
    """

    def __init__(self, X: Any = None, columns: Sequence[slice] = ()):
        self.X, self.columns = X, columns
        self.n_rows = 0
        widths = [len(range(X.shape[1])[run]) for run in columns]
        self.products = [np.zeros((width, width)) for width in widths]

    def add(
        self,
        start: int,
        block: torch.Tensor,
        weights: torch.Tensor | None = None,
        members: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Add rows, those of ``X`` from ``start``; gives their differences, in the units.

        Parameters
        ----------
        start : int
        block : (n_rows, n_neurons) tensor
        weights : (n_rows,) tensor, optional
            How much each row counts, 1 on average over all rows.
        members : (n_groups, n_rows) tensor, optional
            Zeros and ones: in which group's sum each row counts; one group has all by default.

        Raises
        ------
        InputError
            When an activation is NaN or infinite, or too large to be squared at all.
        """
        block = block if block.dtype == torch.float64 else block.float()
        if not self.n_rows:
            self._begin(block, 1 if members is None else len(members))
        self.n_rows += len(block)
        difference = block - self.shift
        if self.has_units:
            difference /= self.unit
        weighted = difference
        if weights is not None:
            weights = weights.to(block)
            members, weighted = weights[None], weights.sqrt()[:, None] * difference
        squares = self._squares(weighted, block, start)
        if squares.dtype != difference.dtype:
            difference = difference.double()  # products, too, may be too large for float32
        self.squares += squares
        self.sums += difference.sum(0) if members is None else members.to(difference) @ difference
        for products, run in zip(self.products, self.columns, strict=True):
            part = difference[:, run]
            add_products(products, part, part)
        return difference

    def _begin(self, block: torch.Tensor, n_groups: int) -> None:
        mean = block.mean(0, dtype=torch.float64).nan_to_num(0, 0, 0)
        self.shift = mean.to(block.dtype)
        self.squares = torch.zeros_like(mean)
        self.sums = self.squares.new_zeros((n_groups, len(mean)))
        largest = (block - self.shift).abs().amax(0).nan_to_num(0, 0, 0).double()
        fits = (largest == 0) | ((largest > 2.0**-40) & (largest < 2.0**40))
        exponent = torch.where(fits, 1, largest).log2().floor().clip(-120, 120)
        self.unit, self.has_units = torch.exp2(exponent).to(block.dtype), not bool(fits.all())

    def _squares(self, difference: torch.Tensor, block: torch.Tensor, start: int) -> torch.Tensor:
        """Sums of squares of the columns, in float64 where float32 cannot hold them."""
        squares = difference.square().sum(0)
        lost = ~torch.isfinite(squares) | (squares == 0)
        if lost.any():
            if self.X is not None:
                check_finite(block.cpu().numpy(), start, space_of(self.X), self.X)
            exact = difference[:, lost].double().square().sum(0)
            if not exact.any():
                return squares  # of neurons that are constant in these rows
            squares = squares.double()
            squares[lost] = exact
            if not torch.isfinite(squares).all():
                raise InputError("activations are too large to be squared; scale them down")
        return squares

    @property
    def units(self) -> np.ndarray:
        """What differences are counted in; (n_neurons,) float64."""
        return self.unit.double().cpu().numpy()

    @property
    def drift(self) -> np.ndarray:
        """Mean of the differences, in the units; (n_neurons,)."""
        return self.sums.sum(0).cpu().numpy() / self.n_rows

    def means(self, n_rows: np.ndarray) -> np.ndarray:
        """Mean of each group, (n_groups, n_neurons), of so many rows (n_groups, 1)."""
        return self.shift.double().cpu().numpy() + self.sums.cpu().numpy() / n_rows * self.units

    def moments(self) -> Moments:
        """Of the rows so far."""
        drift = self.drift
        mean = self.shift.double().cpu().numpy() + drift * self.units
        variance = self.squares.cpu().numpy() / self.n_rows - drift**2
        std = np.sqrt(variance.clip(min=0)) * self.units
        std[std <= CONSTANT * np.abs(mean)] = 0
        for products, run in zip(self.products, self.columns, strict=True):
            _mirror(products)
            centre_products(products, self, self, run)
        return Moments(self.n_rows, mean, std, tuple(self.products))


def add_products(products: np.ndarray, left: torch.Tensor, right: torch.Tensor) -> None:
    """Add ``left.T @ right``; of a matrix with itself only what is on or above the diagonal."""
    if left.dtype != right.dtype:
        left, right = left.double(), right.double()
    for start in range(0, left.shape[1], PANEL_COLUMNS):
        panel = slice(start, start + PANEL_COLUMNS)
        first = start if left is right else 0
        total = products[panel, first:]
        np.add(total, (left[:, panel].T @ right[:, first:]).numpy(), out=total)


def centre_products(
    products: np.ndarray, x: RunningMoments, y: RunningMoments, run: slice = slice(None)
) -> None:
    """Turn sums of products into covariances, in place; of runs of columns, of the same in both."""
    drift_y, units_y = y.drift[run], y.units[run]
    for row, drift, unit in zip(products, x.drift[run], x.units[run], strict=True):
        row /= x.n_rows
        row -= drift * drift_y
        row *= unit * units_y


def _mirror(products: np.ndarray) -> None:
    """Fill in what is below the diagonal."""
    for start in range(0, len(products), PANEL_COLUMNS):
        stop = start + PANEL_COLUMNS
        products[stop:, start:stop] = products[start:stop, stop:].T
