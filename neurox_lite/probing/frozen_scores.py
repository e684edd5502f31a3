"""A fitted probe that sees some neurons only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from neurox_lite.activations.access import finite_blocks
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.matrix import rows_at_once
from neurox_lite.probing.linear import LinearProbe

MAP_BYTES, OUTPUT_BYTES = 64 << 20, 128 << 20
"""Memory for maps that are applied in one pass, and for what they make of a block."""


def frozen_scores(
    kept: Sequence[np.ndarray], probe: LinearProbe, data: LabelledActivations, replacement: str
) -> list[float]:
    """Accuracy (or R2) of a probe with all but the kept neurons replaced; one pass over ``data``.

    A replaced neuron adds a constant to the outputs, so a mask is a change of weights and
    intercept. Beside its mean a neuron adds to the outputs nothing (mean) or minus its mean's part
    (zero).

    Parameters
    ----------
    kept : sequence of int arrays
        Columns.
    probe : ElasticNetProbe or ElasticNetRegression
    data : LabelledActivations
        To test on.
    replacement : {"zero", "mean"}
    """
    weights, _ = probe.raw_weights()
    weights32 = weights.astype(np.float32)
    mean_part = probe.mean_[:, None] * weights

    def maps() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for columns in kept:
            constant = probe.intercept_.astype(np.float64)
            if replacement == "zero":
                constant -= np.delete(mean_part, columns, axis=0).sum(0)
            of_kept = np.zeros_like(weights32)
            of_kept[columns] = weights32[columns]
            yield of_kept, constant

    return _scores(maps(), probe, data)


def scores_of(probes: Sequence[LinearProbe], data: LabelledActivations) -> list[float]:
    """Accuracy (or R2) of probes that were fitted on the same rows; streams ``data``."""
    maps = ((one.raw_weights()[0].astype(np.float32), one.intercept_) for one in probes)
    return _scores(maps, probes[0], data)


def scored_at_once(probe: LinearProbe, data: LabelledActivations) -> int:
    """Of how many probes the weights take 64 MB at most, and the outputs of a block 128 MB."""
    n_rows = min(len(data), rows_at_once(data.X.shape[1]))
    outputs = 12 * n_rows * len(probe.coef_)  # in float32 and in float64
    return max(1, min(MAP_BYTES // (4 * probe.coef_.size), OUTPUT_BYTES // outputs))


def _scores(
    maps: Iterator[tuple[np.ndarray, np.ndarray]], probe: LinearProbe, data: LabelledActivations
) -> list[float]:
    """Of linear maps of activations less their means: weights (n_neurons, n_outputs), constant.

    One pass over ``data`` for as many of them as :func:`scored_at_once` says.
    """
    at_once = scored_at_once(probe, data)
    errors: list[float] = []
    while some := list(islice(maps, at_once)):
        weights = np.concatenate([one for one, _ in some], axis=1)
        constants = np.stack([constant for _, constant in some])
        wrong = np.zeros(len(some))
        for start, block in finite_blocks(data.X, probe.space_):
            labels = data.y[start : start + len(block)]
            centred = (block - probe.mean_).astype(np.float32)
            outputs = (centred @ weights).reshape(len(block), len(some), -1) + constants
            wrong += [probe.error(outputs[:, number], labels) for number in range(len(some))]
        errors += wrong.tolist()
    largest = probe.largest_error(data.y)
    return [(largest - error) / largest for error in errors]
