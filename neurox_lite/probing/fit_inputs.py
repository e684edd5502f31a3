"""What estimators are fitted to: activations, validated and standardised, labels and weights."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import column_or_1d, validate_data

from neurox_lite.activations.access import space_of, take_rows
from neurox_lite.activations.inputs import (
    LabelledActivations,
    require_array,
    unpack,
    validate_inputs,
)
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.moments import moments
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.rounded import ROUNDED_BYTES, has_units
from neurox_lite.probing.standardized import StandardizedMatrix
from neurox_lite.showing import short_repr

HELD_BYTES = 1_200_000_000
"""A store's matrix up to this size is held in memory, with its rounded copy where one is faster."""

CONSTANT_SHARE = 1e-5
"""Of the mean square of float32 numbers, a variance that may be rounding."""


@dataclass(frozen=True)
class FitInputs:
    """Activations ready for a solver.

    Attributes
    ----------
    X : StandardizedMatrix
    mean, scale : (n_neurons,) float64 arrays
        Of the standardisation.
    constant : (n_neurons,) bool array
        Neurons that have the same activation in all rows.
    space : NeuronSpace
    like : tensor
        Of the dtype and on the device of the computation.
    """

    X: StandardizedMatrix
    mean: np.ndarray
    scale: np.ndarray
    constant: np.ndarray
    space: NeuronSpace
    like: torch.Tensor

    __repr__ = short_repr

    @classmethod
    def of(
        cls,
        X: Any,
        raw: Any,
        sample_weight: np.ndarray | None,
        *,
        standardize: bool,
        device: str | None,
    ) -> FitInputs:
        """Find mean and standard deviation in one pass over the activations, which are not copied.

        Parameters
        ----------
        X : array-like
            As the user gave it; errors name its rows and neurons.
        raw : tensor or ActivationMatrix
            The same, from :func:`validate_fit`.
        sample_weight : (n,) array, optional
        standardize : bool
        device : str, optional
        """
        is_stored = isinstance(X, ActivationMatrix)
        space = space_of(X if is_stored else raw)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if isinstance(raw, torch.Tensor):
            raw = raw.to(device)
        found = moments(raw, weights=sample_weight, origin=X if is_stored else None)
        scale = np.where(found.is_constant | (not standardize), 1, found.std)
        is_double = isinstance(raw, torch.Tensor) and raw.dtype == torch.float64
        like = torch.empty(0, dtype=torch.float64 if is_double else torch.float32, device=device)
        matrix = StandardizedMatrix.of(raw, found, scale, like)
        return cls(matrix, found.mean, scale, found.is_constant, space, like)

    def of_weights(self, weights: np.ndarray, *, standardize: bool) -> list[FitInputs]:
        """The same with rows that count by weights (n, n_problems), one for each; in one pass."""
        shares = torch.from_numpy(weights / weights.sum(0)).to(self.like)
        centre = torch.from_numpy(self.mean).to(self.like)
        unit = torch.from_numpy(1 / self.scale).to(self.like)
        means = shares.new_zeros(weights.shape[1], len(centre), dtype=torch.float64)
        squares = torch.zeros_like(means)
        for rows, block in self.X.blocks():
            centred = (block - centre).mul_(unit)
            means += shares[rows].T @ centred
            squares += shares[rows].T @ centred.square_()
        variances = (squares - means.square()).cpu().numpy()
        maybe = np.flatnonzero((variances <= CONSTANT_SHARE * squares.cpu().numpy()).any(0))
        constant = np.zeros(variances.shape, dtype=bool)
        if len(maybe):
            columns = self.X.of_neurons(torch.from_numpy(maybe).to(self.like.device)).raw
            for number, counts in enumerate(weights.T):
                drawn = np.flatnonzero(counts)
                exact = moments(take_rows(columns, drawn), weights=counts[drawn])
                constant[number, maybe] = exact.is_constant
                variances[number, maybe] = (exact.std / self.scale[maybe]) ** 2
        found = []
        each = zip(means.cpu().numpy(), variances, constant, strict=True)
        for mean, variance, is_constant in each:
            std = self.scale * np.sqrt(variance.clip(0))
            scale = np.where(is_constant | (not standardize), 1, std)
            mean = self.mean + self.scale * mean
            found.append(replace(self, mean=mean, scale=scale, constant=is_constant))
        return found

    def penalties(self, values: Any) -> torch.Tensor:
        """A tensor (n_problems,) of penalties, in float64."""
        return torch.tensor(
            [float(value) for value in values], dtype=torch.float64, device=self.like.device
        )


def validate_fit(estimator: BaseEstimator, X: Any, y: Any) -> tuple[Any, Any, np.ndarray]:
    """What an estimator is fitted to: X as given, as a tensor or a store's matrix, labels (n,).

    :func:`~neurox_lite.activations.inputs.validate_inputs`, and what scikit-learn asks of
    estimators beside: they know the number and the names of their columns.
    """
    X, y = unpack(X, y)
    require_array(X)
    given = X
    if y is None:
        raise InputError("requires y to be passed, but the target y is None; give one label a row")
    try:
        if isinstance(X, ActivationMatrix | torch.Tensor):
            validate_data(estimator, X, skip_check_array=True)
        else:
            dtypes = [np.float32, np.float64, np.float16]
            X = validate_data(estimator, X, dtype=dtypes, ensure_all_finite=False)
        y = column_or_1d(y, warn=True) if getattr(y, "ndim", 1) == 2 else y
    except ValueError as error:
        raise InputError(str(error)) from None
    data = validate_inputs(X, y)
    return given, held(data.X), data.y


def held(X: Any) -> Any:
    """Validated activations as a tensor; a store's matrix that is not small stays on the disk."""
    if isinstance(X, ActivationMatrix):
        return torch.from_numpy(X[:]) if _is_small(X) else X
    if isinstance(X, torch.Tensor):
        return X
    dtype = np.float64 if X.dtype.itemsize > 8 else X.dtype.newbyteorder("=")
    X = X.astype(dtype, copy=False)
    # Neighbouring columns of an array are read where they are.
    has_rows = X.strides[1] == X.itemsize and X.strides[0] > 0
    return _tensor(X if has_rows else np.ascontiguousarray(X))


def loaded_if_small(data: LabelledActivations) -> LabelledActivations:
    """Activations in memory, for many fits of the same rows, unless there are too many."""
    is_small = isinstance(data.X, ActivationMatrix) and _is_small(data.X)
    return replace(data, X=data.X[:]) if is_small else data


def is_held(n_rows: int, n_neurons: int, itemsize: int) -> bool:
    """Whether a store's matrix of such a size is held in memory, and with it a rounded copy."""
    rounded = ROUNDED_BYTES if has_units() else 0
    return n_rows * n_neurons * (itemsize + rounded) <= HELD_BYTES


def _is_small(X: ActivationMatrix) -> bool:
    return is_held(*X.shape, X.dtype.itemsize)


def validate_weights(sample_weight: Any, n_rows: int) -> np.ndarray | None:
    """Weights of the rows, float64 of shape (n,)."""
    if sample_weight is None:
        return None
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("sample_weight: give one number per row") from None
    if weights.shape != (n_rows,):
        raise InputError(
            f"sample_weight has shape {weights.shape} for {n_rows} rows; give one weight per row"
        )
    if not np.all(np.isfinite(weights)) or np.any(weights < 0) or not weights.any():
        raise InputError("sample weights must be finite numbers of at least 0, not all zero")
    return weights


def _tensor(X: np.ndarray) -> torch.Tensor:
    """The array as a tensor that shares its memory."""
    if X.flags.writeable:
        return torch.from_numpy(X)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(X)
