"""The correlation of every neuron with the closest, or with all, neurons of another model."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky

from neurox_lite.correlation.cross_moments import CrossMoments
from neurox_lite.errors import InputError

PANEL_ROWS = 1024

SMALLEST_PIVOT = 1e-6
"""Share of a neuron's variance that others may leave open; less is rounding in float32."""


def strongest_correlations(moments: CrossMoments) -> np.ndarray:
    """``max_j |rho(x_i, y_j)|`` for every neuron i of x; float64 of shape (n_neurons of x,).

    rho is Pearson's correlation over rows. Constant neurons of y are passed over; constant
    neurons of x have NaN. Memory: 1,024 rows of the covariance.
    """
    strongest = np.empty(len(moments.covariance))
    for start in range(0, len(strongest), PANEL_ROWS):
        panel = slice(start, start + PANEL_ROWS)
        strongest[panel] = np.abs(moments.covariance[panel] * moments.y.scale).max(axis=1)
    strongest = (strongest * moments.x.scale).clip(max=1)
    strongest[moments.x.is_constant] = np.nan
    return strongest


def multiple_correlations(moments: CrossMoments, ridge: float) -> np.ndarray:
    """Correlation R of every neuron of x with its regression on all neurons of y.

    On standardised columns, with correlations C within y and c_i of x_i with y::

        beta = (C + ridge I)^-1 c_i,   R = beta' c_i / sqrt(beta' C beta)

    Constant neurons of y are passed over; constant neurons of x have NaN. Memory: once more the
    covariances within y, and twice those of y with x.

    Parameters
    ----------
    moments : CrossMoments
        With the covariances of all neurons of y.
    ridge : float
        At least 0.

    Returns
    -------
    (n_neurons of x,) float64 array
        Between 0 and 1.
    """
    x, y = moments.x, moments.y
    varies = np.flatnonzero(~y.is_constant)
    if x.n_rows <= len(varies) + 1:
        raise InputError(
            f"{x.n_rows} words for a regression on {len(varies)} neurons, which would fit any; "
            "give more words or fewer layers"
        )
    scale = y.scale[varies]
    within = y.covariances[0][np.ix_(varies, varies)]
    within *= scale
    within *= scale[:, None]
    np.fill_diagonal(within, 1 + ridge)
    between = moments.covariance[:, varies].T * scale[:, None]
    between *= x.scale
    weights = cho_solve((_factor(within, ridge), True), between, check_finite=False)

    fitted = np.einsum("ji,ji->i", weights, between)
    variance = fitted - ridge * np.einsum("ji,ji->i", weights, weights)
    R = np.zeros(len(fitted))
    np.divide(fitted, np.sqrt(variance.clip(min=0)), where=variance > 0, out=R)
    R[x.is_constant] = np.nan
    return R.clip(0, 1)


def _factor(matrix: np.ndarray, ridge: float) -> np.ndarray:
    """Lower Cholesky factor, which overwrites the matrix."""
    try:
        factor = cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError:
        factor = np.zeros((1, 1))
    if np.diag(factor).min(initial=1) ** 2 < SMALLEST_PIVOT:
        raise InputError(
            f"the other model's neurons are linearly dependent and the ridge is {ridge:g}; "
            "give a larger one, as 1e-4"
        )
    return factor
