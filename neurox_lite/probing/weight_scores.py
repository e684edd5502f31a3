"""How important neurons are to a probe, by its weights."""

from __future__ import annotations

import numpy as np


def weight_scores(coef: np.ndarray) -> np.ndarray:
    """Score of each neuron, float64 of shape (n_neurons,), for weights (n_outputs, n_neurons).

    The score is ``1 - min_c m_c(j)``, where ``m_c(j)`` is the share of all weight of c that neurons
    of a larger ``|W_c|`` hold (Dalvi et al. 2019, section 3.1, with an infinitely fine step).
    """
    weights = np.abs(coef).astype(np.float64)
    not_ahead = np.zeros_like(weights)
    for row, share in zip(weights, not_ahead, strict=True):
        ascending = np.sort(row)
        # Summed from the least weight up, so that rounding cannot hide a small one.
        mass = np.cumsum(ascending)
        if mass[-1] > 0:
            share[:] = mass[np.searchsorted(ascending, row, side="right") - 1] / mass[-1]
    return not_ahead.max(axis=0)
