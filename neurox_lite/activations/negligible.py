"""Neurons that vary so little beside their layer that no later computation of a model can tell."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.access import load, space_of
from neurox_lite.neurons import Neuron

NEGLIGIBLE = 1e-12
"""Of what the median neuron of a layer varies by. In float32, what is less than 1e-7 of the other
terms of a sum is lost in it. A probe that standardises its neurons, or a ranking, sees such ones as
well as any other: they may tell much of what the model cannot read."""

RUNS, RUN_ROWS = 16, 16
"""Of neighbouring rows, which tell."""


def is_negligible(smallest: np.ndarray, largest: np.ndarray, layers: np.ndarray) -> np.ndarray:
    """Which neurons vary, but by a negligible share of what others of their layer vary by.

    Parameters
    ----------
    smallest, largest : (n_neurons,) arrays
        Activations.
    layers : (n_neurons,) int array
        Of each neuron.

    Returns
    -------
    (n_neurons,) bool array
    """
    spread = largest.astype(np.float64) - smallest
    found = np.zeros(len(spread), dtype=bool)
    for layer in np.unique(layers):
        varies = (layers == layer) & (spread > 0)
        if varies.any():
            found |= varies & (spread <= NEGLIGIBLE * np.median(spread[varies]))
    return found


def negligible_neurons(X: Any) -> list[Neuron]:
    """Those of activations (n, n_neurons), by some rows of all."""
    space = space_of(X)
    starts = np.unique(np.linspace(0, max(len(X) - RUN_ROWS, 0), RUNS).astype(int)).tolist()
    sample = np.concatenate([load(X[start : start + RUN_ROWS]) for start in starts])
    layers = np.repeat(space.layers, space.widths)
    found = is_negligible(sample.min(0), sample.max(0), layers)
    return space.neurons(np.flatnonzero(found))
