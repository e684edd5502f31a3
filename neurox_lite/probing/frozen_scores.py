"""A fitted probe that sees some neurons only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurox_lite.activations.access import finite_blocks
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.probing.linear import LinearProbe


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
    constants = []
    for columns in kept:
        constant = probe.intercept_.astype(np.float64)
        if replacement == "zero":
            constant -= np.delete(mean_part, columns, axis=0).sum(0)
        constants.append(constant)
    errors = np.zeros(len(kept))
    for start, block in finite_blocks(data.X, probe.space_):
        labels = data.y[start : start + len(block)]
        centred = (block - probe.mean_).astype(np.float32)
        for number, (columns, constant) in enumerate(zip(kept, constants, strict=True)):
            outputs = centred[:, columns] @ weights32[columns] + constant
            errors[number] += probe.error(outputs, labels)
    largest = probe.largest_error(data.y)
    return ((largest - errors) / largest).tolist()
