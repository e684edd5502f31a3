"""How important neurons are to a probe, by its weights."""

from __future__ import annotations

import numpy as np


def weight_scores(coef: np.ndarray) -> np.ndarray:
    """Score of each neuron, float64 of shape (n_neurons,), for weights (n_outputs, n_neurons).

    Per output c, neurons are sorted by decreasing ``|W_c|``; the score is ``1 - min_c m_c(j)``,
    where ``m_c(j)`` is the share of all weight of c that neurons strictly ahead of j hold (Dalvi et
    al. 2019, section 3.1, with an infinitely fine step).
    """
    weights = np.abs(coef).astype(np.float64)
    not_ahead = np.zeros_like(weights)
    for row, share in zip(weights, not_ahead, strict=True):
        order = np.argsort(-row, kind="stable")
        # Summed from the least weight up, so that rounding cannot hide a small one.
        mass = np.cumsum(row[order][::-1])[::-1]
        if mass[0] > 0:
            share[order] = mass / mass[0]
    return not_ahead.max(axis=0)
