"""Orthogonal matching pursuit: few neurons that together tell the label."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from neurox_lite.activations.access import require_finite
from neurox_lite.activations.inputs import LabelledActivations, sample_rows, validate_inputs
from neurox_lite.arguments import whole_number
from neurox_lite.errors import InputError
from neurox_lite.probing.fit_inputs import FitInputs, held
from neurox_lite.probing.linear import require_fitted
from neurox_lite.probing.losses import CrossEntropy
from neurox_lite.probing.objective import Problem
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.solver import solve
from neurox_lite.probing.standardized import StandardizedMatrix
from neurox_lite.progress import tqdm
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed

L2 = 1e-2
"""Penalty of the refitted probe; of 0.0001 to 0.1 the best at 10 to 134 neurons of MiniLM."""

TOL, MAX_PASSES = 1e-4, 100
"""Certificate asked of a refit, and passes over the selected neurons that it may take."""

SPANNED = 1e-3
"""A neuron of which no larger share is new is a copy of what has been selected."""


def matching_pursuit(
    probe: ElasticNetProbe,
    X: Any,
    y: Any = None,
    *,
    n_neurons: int = 150,
    n_rows: int = 20_000,
    seed: int = 0,
) -> NeuronRanking:
    """Rank neurons by orthogonal matching pursuit (Pati et al. 1993; Lozano et al. 2011).

    Neurons are selected one by one. With P the class probabilities of a probe of those selected so
    far (at first the shares of the classes) and Y one-hot labels, the next is

        argmax_j ||x_j' (I - Q Q') (Y - P)||_2,   the norm over classes, x_j standardised,

    the neuron whose weights would lower the loss fastest. Q spans the neurons selected so far: what
    these could still tell, but for the penalty of their probe (l2 = 0.01), does not count for their
    copies. Then the probe is fitted again on all selected. So the method asks which *few suffice*:
    of neurons that carry the same it takes one, where other methods rank all of them high.

    Memory: a copy of the sample, which of a store is read from the disk every time when it is above
    1.2 GB, and ``8 * n_rows * n_neurons`` bytes. It is read twice for every neuron selected.

    Parameters
    ----------
    probe : ElasticNetProbe
        Fitted on these neurons and classes. Neurons that are not selected follow in the order of
        its weights.
    X, y : (n, n_neurons) and (n,) array-likes, or LabelledActivations
        As for :func:`~neurox_lite.ranking.probeless`.
    n_neurons : int
        Number of neurons to select.
    n_rows : int
        Size of the sample of words, with the same share of every class.
    seed : int
        Of the sample.

    Returns
    -------
    NeuronRanking
        Score: of a selected neuron from 2 for the first down to above 1, of the others that of
        :func:`~neurox_lite.ranking.linguistic_correlation`, with 1 for the best. Neurons that were
        constant when the probe was fitted have NaN and come last.

    Raises
    ------
    InputError
        As :func:`~neurox_lite.ranking.probeless`, when the probe was fitted on other neurons or has
        not all classes, a number is below 1, or activations are too large to compute with.
    """
    require_fitted(probe, ElasticNetProbe)
    n_neurons = whole_number(n_neurons, "n_neurons", least=1)
    n_rows, seed = whole_number(n_rows, "n_rows", least=1), validate_seed(seed)
    data = validate_inputs(X, y)
    probe.check_neurons(data)
    probe.check_classes(data)
    sample = data.take(sample_rows(data.ids, n_rows, seed))
    require_finite(data.X, data.space)
    selected = select(sample, n_neurons)
    scores = probe.weight_scores()
    scores /= scores.max() or 1
    scores[probe.constant_] = np.nan
    scores[selected] = 2 - np.arange(len(selected)) / max(len(selected), 1)
    return NeuronRanking.from_scores(
        data.space,
        scores,
        "matching-pursuit",
        provenance=data.provenance,
        parameters={"n_neurons": len(selected), "n_rows": len(sample), "seed": seed},
    )


def select(data: LabelledActivations, n_neurons: int) -> list[int]:
    """Columns of the neurons selected, the first first; fewer where others are constant."""
    inputs = FitInputs.of(data.X, held(data.X), None, standardize=True, device=None)
    X, like = inputs.X, inputs.like
    loss = CrossEntropy(torch.from_numpy(data.ids[:, None]).to(like.device), len(data.classes))
    is_open = torch.from_numpy(~inputs.constant).to(like.device)
    n_steps = min(n_neurons, int(is_open.sum()))
    columns, basis = like.new_zeros(2, len(data), n_steps)
    W = like.new_zeros(n_steps, *loss.shape)
    b = loss.first_intercept().to(like)
    scores = b[..., None].expand(-1, -1, len(data))
    selected: list[int] = []
    for step in tqdm(range(n_steps), desc="matching pursuit", unit="neuron", disable=None, delay=2):
        residual = loss.residual(scores, slice(None))[0][0]
        residual -= (residual @ basis) @ basis.T
        gradient, _ = X.transposed_times(partial(_of_rows, residual), loss.shape[1:])
        slopes = gradient.norm(dim=1)
        if not bool(slopes.isfinite().all()):
            raise InputError("the activations are too large to compute with; give float64")
        best = int(slopes.masked_fill(~is_open, -1).argmax())
        is_open[best] = False
        selected.append(best)
        neuron = X.of_neurons(torch.tensor([best], device=like.device))
        columns[:, step] = neuron.times(like.new_ones(1, 1))[0]
        basis[:, step] = _orthogonal(columns[:, step], basis)
        problem = _problem(columns[:, : step + 1], loss, inputs)
        start = W[: step + 1], b
        found, b_found, _ = solve(problem, tol=TOL, max_iter=MAX_PASSES, start=start)
        W[: step + 1], b = found, b_found
        scores = problem.scores(found) + b[..., None]
    return selected


def _of_rows(residual: torch.Tensor, rows: slice) -> torch.Tensor:
    return residual[:, rows]


def _orthogonal(column: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """The part of a column that is orthogonal to a basis, of length 1; 0 if there is hardly any."""
    part = column
    for _ in range(2):  # once is not enough where little is left
        part = part - basis @ (basis.T @ part)
    length = part.norm()
    return part / length if length > SPANNED * column.norm() else torch.zeros_like(part)


def _problem(columns: torch.Tensor, loss: CrossEntropy, inputs: FitInputs) -> Problem:
    """Of standardised columns."""
    zeros, ones = columns.new_zeros(columns.shape[1]), columns.new_ones(columns.shape[1])
    none = torch.zeros(0, dtype=torch.int64, device=columns.device)
    matrix = StandardizedMatrix(columns, zeros, ones, none)
    return Problem(matrix, loss, inputs.penalties([0]), inputs.penalties([L2]))
