"""Intersection over union of the words a neuron fires on and the words of a class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from neurox_lite.activations.access import SMALL_ROWS, check_finite, layers_of, small_blocks
from neurox_lite.activations.inputs import LabelledActivations, validate_inputs
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.moments import RunningMoments
from neurox_lite.arguments import real_number
from neurox_lite.errors import InputError
from neurox_lite.ranking.class_scores import rank_by_class_scores
from neurox_lite.results.ranking import NeuronRanking

SAMPLE_RUNS, RUN_ROWS = 16, 256
"""Thresholds are quantiles of so many runs of neighbouring rows, or of all rows if no more."""

ALIKE = 1e-6
"""Activations of a constant neuron differ by less than this share of them, whatever the rounding:
of the n words one may be off by sqrt(n) standard deviations, each 1e-12 of the mean."""


def iou(X: Any, y: Any = None, *, quantile: float = 0.05) -> NeuronRanking:
    """Rank neurons by how well their strongest activations coincide with a class.

    A neuron is active on the words of its ``quantile`` largest activations (Mu & Andreas 2020,
    section 2). The score of neuron j for class z is ``|active and z| / |active or z|``, or the same
    for its smallest activations where that is larger; its score is the largest of any class. A
    class whose share of the words is far from ``quantile`` cannot reach 1.

    One pass over ``X``, and one over at most 4,096 rows, spread over it, of which the thresholds
    are quantiles. Memory: those rows, and (n_classes, n_neurons).

    Parameters
    ----------
    X, y
        As for :func:`~neurox_lite.ranking.probeless`.
    quantile : float
        Share of the words on which a neuron is active. Words tied with the threshold are active
        too, except those at the neuron's minimum: a neuron that is 0 but for a few words is active
        on these only.

    Raises
    ------
    InputError
        As :func:`~neurox_lite.ranking.probeless`, or when the quantile is not between 0 and 1.
    """
    quantile = real_number(quantile, "quantile")
    if not 0 < quantile < 1:
        raise InputError(f"quantile is {quantile}; give a share between 0 and 1")
    data = validate_inputs(X, y)
    lowest, highest, alike = map(torch.from_numpy, _thresholds(data, quantile))
    of_alike = RunningMoments()
    shape = len(data.classes), data.space.n_neurons
    low, high = torch.zeros(shape, dtype=torch.float64), torch.zeros(shape, dtype=torch.float64)
    buffer = torch.empty(SMALL_ROWS, shape[1])
    for start, raw in small_blocks(data.X):
        block = (raw if raw.dtype == torch.float64 else raw.float()).cpu()
        if not torch.isfinite(block.sum()):
            check_finite(block.numpy(), start, data.space, data.X)
        members = data.one_hot(start, start + len(block), block)
        active = buffer[: len(block)]
        low += members @ torch.le(block, lowest, out=active)
        high += members @ torch.ge(block, highest, out=active)
        if alike.any():
            of_alike.add(start, block[:, alike])
    counts = np.bincount(data.ids, minlength=shape[0])[:, None]
    class_scores = np.maximum(*(_iou(hits.numpy(), counts) for hits in (low, high)))
    is_constant = (low + high).sum(0).numpy() == 0  # active on no word
    if alike.any():
        is_constant[alike.numpy()] = of_alike.moments().is_constant
    return rank_by_class_scores("iou", data, class_scores, is_constant, quantile=quantile)


def _iou(hits: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """From the active words of each class (n_classes, n_neurons) and its words (n_classes, 1)."""
    return hits / (counts + hits.sum(0) - hits)


def _thresholds(data: LabelledActivations, quantile: float) -> Iterator[np.ndarray]:
    """Largest value of the low activations, smallest of the high ones; (n_neurons,) each.

    And whether those sampled are so much alike that the moments have to tell if they are constant.
    """
    runs = _runs(len(data.X))
    found = [
        _quantiles(np.concatenate([_in_memory(part, run) for run in runs]), quantile)
        for part in (layers_of(data.X, data.space, [layer]) for layer in data.space.layers)
    ]
    return map(np.concatenate, zip(*found, strict=True))


def _quantiles(sample: np.ndarray, quantile: float) -> tuple[np.ndarray, ...]:
    """:func:`_thresholds` of the columns of a sample (n_sampled, n_columns)."""
    n_active = max(1, round(quantile * len(sample)))
    ends = [0, n_active - 1, len(sample) - n_active, len(sample) - 1]
    least, lowest, highest, most = np.sort(np.ascontiguousarray(sample.T))[:, ends].T
    # Where the threshold is the other end, active are the values beyond it.
    lowest = np.where(lowest == most, np.nextafter(lowest, -np.inf), lowest)
    highest = np.where(highest == least, np.nextafter(highest, np.inf), highest)
    # Of a neuron that is 0 in the sample any other value is far from constant.
    return lowest, highest, (most != 0) & (least >= most - ALIKE * np.abs(most))


def _runs(n_rows: int) -> list[slice]:
    """Rows to sample, evenly spread."""
    if n_rows <= SAMPLE_RUNS * RUN_ROWS:
        return [slice(0, n_rows)]
    starts = np.linspace(0, n_rows - RUN_ROWS, SAMPLE_RUNS).astype(int).tolist()
    return [slice(start, start + RUN_ROWS) for start in starts]


def _in_memory(X: Any, rows: slice) -> np.ndarray:
    """Some rows as float32 or float64."""
    part = X[rows]
    if isinstance(X, ActivationMatrix | np.ndarray):
        return part if part.dtype == np.float64 else part.astype(np.float32)
    return (part if part.dtype == torch.float64 else part.float()).detach().cpu().numpy()
