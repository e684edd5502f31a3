"""Covariances of the columns of two matrices over the same rows, in one pass over both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurox_lite.activations import moments
from neurox_lite.activations.access import row_blocks
from neurox_lite.activations.moments import Moments, RunningMoments, require_rows
from neurox_lite.errors import InputError
from neurox_lite.progress import tqdm
from neurox_lite.showing import short_repr


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


def cross_moments(
    X: Any, Y: Any, columns_x: Sequence[slice] = (), columns_y: Sequence[slice] = ()
) -> CrossMoments:
    """Covariance of every column of ``X`` with every column of ``Y``.

    As precise as :class:`~neurox_lite.activations.moments.RunningMoments`; neurons of 1e-30 have
    products too. Blocks of a store are read while the ones before are used.
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
        When the matrices differ in their number of rows, one is not a matrix of at least two
        rows, or an activation is NaN or infinite.
    """
    require_rows(X)
    require_rows(Y)
    if len(X) != len(Y):
        raise InputError(
            f"{len(X)} rows against {len(Y)}; give matrices of the same words, as 'align_stores' "
            "does"
        )
    x, y = RunningMoments(X, columns_x), RunningMoments(Y, columns_y)
    products = np.zeros((X.shape[1], Y.shape[1]))
    with tqdm(desc="correlate", total=len(X), unit="word", disable=None, delay=2) as progress:
        for start, (block_x, block_y) in row_blocks(X, Y, n_rows=moments.BLOCK_ROWS):
            left, right = x.add(start, block_x), y.add(start, block_y)
            moments.add_products(products, left, right)
            progress.update(len(block_x))
    moments.centre_products(products, x, y)
    return CrossMoments(x.moments(), y.moments(), products)
