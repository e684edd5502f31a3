"""A metric of a running model, and its value under each of many masks or additions.

A metric holds the inputs and says how to score what the model outputs for them. Scores of inputs
are summed with weights (a sentence's words, say), and :attr:`ModelMetric.finish` turns the mean
into the number that is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neurox_lite.arguments import expect, shown, whole_number
from neurox_lite.errors import InputError
from neurox_lite.interventions.pair_inputs import PairInputs
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.models.neuron_spaces import check_fits
from neurox_lite.showing import short_repr

Scores = tuple[torch.Tensor, torch.Tensor]
"""Sum and weight of each input, (n_rows,) both."""


@dataclass(frozen=True)
class ModelMetric:
    """How well a model does on its inputs, or how far it is from the intact one.

    Attributes
    ----------
    name : str
    runner : InterventionRunner
        With the inputs.
    score : function
        Of logits (n_rows, n_tokens, n_outputs) and the numbers of the inputs (n_rows,); gives the
        sum and the weight of each row, (n_rows,) both.
    finish : function
        Of the weighted mean.
    inputs : PairInputs, optional
        Of a task that the model may be right or wrong in.
    """

    name: str
    runner: InterventionRunner
    score: Callable[[torch.Tensor, torch.Tensor], Scores]
    finish: Callable[[float], float] = float
    inputs: PairInputs | None = None

    __repr__ = short_repr


A_METRIC = "one of nx.interventions.metrics, as pair_accuracy(model, pairs)"


def evaluate(
    metric: ModelMetric,
    gates: np.ndarray,
    values: np.ndarray,
    *,
    by_input: bool = False,
    per_input: bool = False,
    masks_at_once: int = 32,
) -> np.ndarray:
    """A metric under each of many masks, several of them in every batch.

    Parameters
    ----------
    metric : ModelMetric
    gates : (n_masks, n_neurons) array
    values : (n_neurons,) or (n_masks, n_neurons) array
        Replacements, the same for all masks or of each.
    by_input : bool
        ``values`` are (n_inputs, n_neurons) instead: replacements of each input.
    per_input : bool
        Give the score of every input instead, (n_masks, n_inputs); NaN where it counts nothing.
    masks_at_once : int

    Returns
    -------
    (n_masks,) array

    Raises
    ------
    InputError
        When a shape does not fit, a gate is not in [0, 1] or a value is not finite.
    """
    runner = expect(metric, ModelMetric, "metric", A_METRIC).runner
    gates, values = _array(gates, "gates"), _array(values, "values")
    masks_at_once = whole_number(masks_at_once, "masks_at_once", least=1)
    n_masks, n_neurons = len(np.atleast_1d(gates)), runner.space.n_neurons
    fitting = [(len(runner), n_neurons)] if by_input else [(n_masks, n_neurons), (n_neurons,)]
    if not n_masks or gates.shape != (n_masks, n_neurons) or values.shape not in fitting:
        raise InputError(
            f"gates of shape {gates.shape}, values of shape {values.shape} for "
            f"{n_neurons} neurons and {len(runner)} inputs"
        )
    if not ((gates >= 0) & (gates <= 1)).all():
        raise InputError("a gate is not between 0 and 1")
    if not np.isfinite(values).all():
        raise InputError("a replacement is NaN or infinite; give finite numbers")
    touched = gates > 0 if values.ndim == 2 and not by_input else (gates > 0).any(0)
    all_gates = torch.as_tensor(gates, dtype=torch.float32, device=runner.device)
    all_values = torch.as_tensor(
        np.where(touched, values, 0), dtype=torch.float32, device=runner.device
    )
    check_fits(all_values, runner.dtype, "a replacement")

    def logits(masks: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        own = all_values
        if own.dim() == 2:
            own = own[inputs if by_input else masks]
        return runner.logits(all_gates[masks], own, inputs)

    return _evaluate(metric, logits, n_masks, per_input, masks_at_once)


def evaluate_additions(
    metric: ModelMetric,
    shifts: np.ndarray,
    *,
    per_input: bool = False,
    shifts_at_once: int = 32,
) -> np.ndarray:
    """:func:`evaluate` with numbers added to neurons instead.

    Shifts are (n_shifts, n_neurons), all finite; the result is (n_shifts,). The rest as there.
    """
    runner = expect(metric, ModelMetric, "metric", A_METRIC).runner
    shifts_at_once = whole_number(shifts_at_once, "shifts_at_once", least=1)
    shifts = _array(shifts, "shifts")
    if not shifts.size or shifts.shape[1:] != (runner.space.n_neurons,):
        raise InputError(f"shifts of shape {shifts.shape} for {runner.space.n_neurons} neurons")
    all_shifts = torch.as_tensor(shifts, dtype=torch.float32, device=runner.device)
    check_fits(all_shifts, runner.dtype, "a shift")

    def logits(numbers: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        return runner.logits_with_addition(all_shifts[numbers], inputs)

    return _evaluate(metric, logits, len(shifts), per_input, shifts_at_once)


def _array(values: Any, name: str) -> np.ndarray:
    if isinstance(values, np.ndarray):
        return values
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} is {shown(values)}; give an array of numbers") from None


@torch.no_grad()
def _evaluate(
    metric: ModelMetric,
    logits: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    n_changes: int,
    per_input: bool,
    at_once: int,
) -> np.ndarray:
    """A metric under each of many changes; ``logits`` takes their numbers and those of inputs."""
    runner = metric.runner
    at_once = max(1, min(at_once, runner.tokens_at_once // int(runner.lengths.max())))
    found = torch.zeros((2, n_changes, len(runner)), dtype=torch.float64, device=runner.device)
    for some in torch.arange(n_changes, device=runner.device).split(at_once):
        for rows in runner.batches(len(some)):
            changes, inputs = some.repeat_interleave(len(rows)), rows.repeat(len(some))
            scores = metric.score(logits(changes, inputs), inputs)
            for each, score in zip(found, scores, strict=True):
                each[some[:, None], rows] = score.double().view(len(some), len(rows))
    sums, weights = found if per_input else found.sum(2)
    means = (sums / weights).cpu().numpy()
    finished = [metric.finish(float(mean)) for mean in means.ravel()]
    return np.reshape(finished, means.shape)


def one_each(values: torch.Tensor) -> Scores:
    """A number of each input, which all weigh the same."""
    return values, torch.ones_like(values)


def divergence(runner: InterventionRunner, counted: torch.Tensor) -> ModelMetric:
    """Mean of ``KL(p || p~)`` over the tokens that are counted, (n_inputs, n_tokens)."""

    def score(logits: torch.Tensor, rows: torch.Tensor) -> Scores:
        each, index = torch.unique(rows, return_inverse=True)
        intact = runner.intact_logits(each).log_softmax(-1)[index][:, : logits.shape[1]]
        difference = intact.exp() * (intact - logits.log_softmax(-1))
        weights = counted[rows, : logits.shape[1]].double()
        return (difference.sum(-1).double() * weights).sum(1), weights.sum(1)

    return ModelMetric("KL from intact", runner, score)
