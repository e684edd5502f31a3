"""Canonical correlations between the principal subspaces of two matrices (SVCCA)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurox_lite.activations.inputs import validate_activations
from neurox_lite.correlation.cross_moments import CrossMoments, cross_moments
from neurox_lite.errors import InputError
from neurox_lite.showing import short_repr

FLOAT32_ROUNDING = 5e-7
"""Four times float32's; products of blocks are summed in it, on every CPU in another order."""


@dataclass(frozen=True)
class CanonicalCorrelations:
    """Directions of two matrices in the order of their correlation.

    Attributes
    ----------
    correlations : (n_directions,) float64 array
        Descending, between 0 and 1.
    directions_x, directions_y : (n_neurons, n_directions) float64 arrays
        ``(X - mean) @ directions_x`` are the canonical variates, which have variance 1 and no
        correlation with each other; with those of y only one by one.
    loadings_x : (n_neurons of x, n_directions) float64 array
        Correlation of every neuron of x with every canonical variate of x; 0 where it is constant.
    """

    correlations: np.ndarray
    directions_x: np.ndarray
    directions_y: np.ndarray
    loadings_x: np.ndarray

    __repr__ = short_repr


@dataclass(frozen=True)
class Principal:
    """The first principal components of a matrix.

    Attributes
    ----------
    axes : (n_neurons, n_components) array
        Orthonormal.
    stds : (n_components,) array
        Standard deviations along them.
    """

    axes: np.ndarray
    stds: np.ndarray

    __repr__ = short_repr

    @property
    def whitening(self) -> np.ndarray:
        """From differences from the mean to components of variance 1."""
        return self.axes / self.stds


def principal(covariance: np.ndarray, variance: float) -> Principal:
    """The fewest principal components that hold a share of the variance."""
    values, axes = np.linalg.eigh(covariance)
    values, axes = values[::-1], axes[:, ::-1]
    if not values[0] > 0:
        raise InputError("all neurons are constant; leave out such layers")
    # The eigenvalues of a symmetric matrix of n x n rounding errors lie within about 2 sqrt(n).
    rank = int(np.sum(values > FLOAT32_ROUNDING * np.sqrt(len(values)) * values[0]))
    held = np.cumsum(values[:rank]) / values[:rank].sum()
    n_components = min(rank, int(np.searchsorted(held, variance)) + 1)
    return Principal(axes[:, :n_components], np.sqrt(values[:n_components]))


def validate_variance(variance: float) -> float:
    """The share of the variance that is kept, if it is one."""
    if not 0 < variance <= 1:
        raise InputError(f"variance is {variance}; give a share above 0, at most 1")
    return variance


def correlate_components(
    x: Principal, y: Principal, covariance: np.ndarray, n_rows: int
) -> np.ndarray:
    """Correlations of components, (n_components of x, n_components of y)."""
    n_components = len(x.stds) + len(y.stds)
    if n_rows <= n_components:
        raise InputError(
            f"{n_rows} words for {n_components} principal components, which correlate by chance; "
            "give more words, fewer layers or less of the variance"
        )
    return x.whitening.T @ covariance @ y.whitening


def canonical_correlations(X: Any, other: Any, *, variance: float = 0.99) -> CanonicalCorrelations:
    """SVCCA: PCA of both matrices, then CCA between what is kept (Raghu et al. 2017).

    With principal components of variance 1 in both, the canonical correlations are the singular
    values of their cross-correlation. Memory: the covariances within and between the matrices,
    and as much again; time grows with the cube of the number of neurons.

    Parameters
    ----------
    X, other : (n, n_neurons) arrays, tensors or stores' matrices
        Of the same words.
    variance : float
        Share of the variance that the principal components of each hold.

    Raises
    ------
    InputError
        When the matrices differ in rows, hold NaN or infinity or are constant, ``variance`` is not
        a share, or there are fewer words than principal components.
    """
    validate_variance(variance)
    X, other = validate_activations(X), validate_activations(other, "other")
    whole = [slice(None)]
    return canonical(cross_moments(X, other, whole, whole), variance)


def canonical(moments: CrossMoments, variance: float) -> CanonicalCorrelations:
    """:func:`canonical_correlations` from moments with the covariances of all neurons."""
    x = principal(moments.x.covariances[0], variance)
    y = principal(moments.y.covariances[0], variance)
    between = correlate_components(x, y, moments.covariance, moments.x.n_rows)
    left, correlations, right = np.linalg.svd(between, full_matrices=False)
    return CanonicalCorrelations(
        correlations.clip(0, 1),
        x.whitening @ left,
        y.whitening @ right.T,
        moments.x.scale[:, None] * ((x.axes * x.stds) @ left),
    )
