"""The strongest correlation of every neuron with a neuron of another model."""

from __future__ import annotations

import numpy as np

from neurox_lite.correlation.cross_moments import CrossMoments

PANEL_ROWS = 1024


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
