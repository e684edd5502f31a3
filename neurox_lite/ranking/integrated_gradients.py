"""Integrated gradients over a probe: what takes its answer from a baseline to where it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neurox_lite.activations.access import as_tensor, finite_blocks, take_rows
from neurox_lite.activations.inputs import sample_rows, validate_inputs
from neurox_lite.arguments import whole_number
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.probing.linear import require_fitted
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.progress import tqdm
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed

ROWS_AT_ONCE = 32


def integrated_gradients(
    probe: ElasticNetProbe,
    X: Any,
    y: Any = None,
    *,
    baseline: str = "mean",
    n_rows: int = 1000,
    n_steps: int = 50,
    seed: int = 0,
) -> NeuronRanking:
    """Rank neurons by their integrated gradients (Sundararajan et al. 2017, eq. 1), by captum.

    For a word x of class z, with f its log-probability under the probe and x' the baseline:

        IG_j(x) = (x_j - x'_j) * integral over a from 0 to 1 of df/dx_j (x' + a (x - x'))

    The score of neuron j is the mean of ``|IG_j|`` over words, its score for class z that over the
    words of z. A neuron without weight has score 0.

    Parameters
    ----------
    probe : ElasticNetProbe
        Fitted.
    X, y : (n, n_neurons) and (n,) array-likes, or LabelledActivations
        As for :func:`~neurox_lite.ranking.probeless`; all labels are classes of the probe.
    baseline : {"mean", "zero"}
        The mean of the training data, or no activation.
    n_rows : int
        Size of the sample of words, drawn without replacement, with the same share of every class.
    n_steps : int
        Points of the integral (Gauss-Legendre).
    seed : int
        Of the sample.

    Returns
    -------
    NeuronRanking
        Neurons that were constant when the probe was fitted have score NaN and come last.

    Raises
    ------
    InputError
        When captum is not installed, shapes differ, a label is not a class of the probe, an option
        is out of range, or an activation is NaN or infinite.
    """
    require_fitted(probe, ElasticNetProbe)
    seed = validate_seed(seed)
    n_rows = whole_number(n_rows, "n_rows", least=1)
    n_steps = whole_number(n_steps, "n_steps", least=1)
    try:
        from captum.attr import IntegratedGradients
    except ImportError:
        raise InputError(
            "integrated gradients need captum; pip install 'neurox-lite[captum]'"
        ) from None
    if baseline not in ("mean", "zero"):
        raise unknown_choice("baseline", baseline, ("mean", "zero"))
    data = validate_inputs(X, y)
    weights, intercept = (torch.from_numpy(part) for part in probe.raw_weights())
    probe.check_neurons(data)
    probe.check_classes(data)
    classes = torch.from_numpy(np.searchsorted(probe.classes_, data.classes)[data.ids])
    origin = torch.from_numpy(probe.mean_ if baseline == "mean" else np.zeros(len(weights)))

    attribution = IntegratedGradients(lambda x: torch.log_softmax(x @ weights + intercept, dim=1))
    rows = sample_rows(data.ids, n_rows, seed)
    sums = torch.zeros((len(probe.classes_), len(weights)), dtype=torch.float64)
    progress = tqdm(
        total=len(rows), desc="integrated gradients", unit="word", disable=None, delay=2
    )
    with progress:
        for start, block in finite_blocks(take_rows(data.X, rows), data.space):
            targets = classes[rows[start : start + len(block)]]
            words = as_tensor(block).double()
            for x, target in zip(
                words.split(ROWS_AT_ONCE), targets.split(ROWS_AT_ONCE), strict=True
            ):
                found = attribution.attribute(
                    x, baselines=origin.expand_as(x), target=target, n_steps=n_steps
                )
                sums.index_add_(0, target, found.detach().abs())
                progress.update(len(x))
    counts = np.bincount(classes[rows], minlength=len(sums))
    scores = sums.sum(0).numpy() / len(rows)
    scores[probe.constant_] = np.nan
    return NeuronRanking.from_scores(
        probe.space_,
        scores,
        "integrated-gradients",
        classes=tuple(probe.classes_.tolist()),
        class_scores=sums.numpy() / np.maximum(counts, 1)[:, None],
        provenance=data.provenance,
        parameters={"baseline": baseline, "n_rows": len(rows), "n_steps": n_steps, "seed": seed},
    )
