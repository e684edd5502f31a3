"""What is said about a hard mask, on training examples and on those that were held out."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import torch

from neurox_lite.intervals import Interval, accuracy_interval, mean_interval
from neurox_lite.masking.effects import (
    Effect,
    effects_of,
    succeeds,
    to_replacing_gates,
    to_z_scores,
)
from neurox_lite.masking.fit_task import FitTask
from neurox_lite.masking.gate_search import SearchState
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.masking.prefix_fit import HardMask
from neurox_lite.masking.replacement_fit import gates_of
from neurox_lite.masking.template_effects import by_template
from neurox_lite.results.neuron_mask import NeuronMask

SETTLED_SIZE, SETTLED_EFFECT = 0.25, 0.1
FAR = 2.0
"""A replacement is out of range so many times as far from the mean as any activation is."""


def score_mask(
    effect: Effect,
    task: FitTask,
    hard: HardMask,
    found: SearchState | None,
    method: str,
    parameters: dict[str, Any],
) -> MaskFit:
    """A hard mask and all that is said about it."""
    gates = gates_of(effect, [hard.columns])[0]
    before = effects_of(effect, torch.zeros_like(gates), task.closed, task.test)
    train, test = (
        effects_of(effect, gates, hard.values, rows).cpu() for rows in (task.train, task.test)
    )
    succeeds_on = partial(succeeds, effect.objective, alpha=task.alpha)
    nothing = Interval(math.nan, math.nan, math.nan)
    held_out, share = nothing, nothing
    if len(task.test):
        groups = effect.groups[task.test.cpu().numpy()]
        held_out = mean_interval(test, groups)
        share = accuracy_interval(succeeds_on(test).numpy(), groups)
    asked_of, least = (held_out, task.alpha) if task.success is None else (share, task.success)
    probabilities = gates if found is None else found.probabilities
    replaces = to_replacing_gates(effect, gates)
    z_scores = to_z_scores(effect, hard.values).abs()[replaces > 0]
    away = (hard.values - effect.start).abs()
    mask = NeuronMask(
        effect.space.ungrouped,
        replaces.double().cpu().numpy(),
        hard.values.double().cpu().numpy(),
        method,
        {"objective": effect.objective.value, **parameters},
        units=None if effect.space.groups is None else effect.space,
    )
    return MaskFit(
        mask=mask,
        size=len(hard.columns),
        objective=effect.objective.value,
        alpha=task.alpha,
        success=task.success,
        # On other examples a constraint is missed only beyond chance; NaN is no comparison.
        feasible=hard.effect >= task.least and not asked_of.high < least,
        converged=found is None or _settled(found, task.least, task.gap),
        intact=task.intact,
        effect=float(train.mean()),
        train_success=float(succeeds_on(train).double().mean()),
        templates=by_template(
            effect.templates[task.train.cpu().numpy()],
            train.numpy(),
            succeeds_on(train).numpy(),
            task.alpha,
            task.success,
        ),
        held_out_intact=float(before.mean()) if len(before) else math.nan,
        held_out_effect=held_out.value,
        held_out_effect_low=_finite(held_out.low),
        held_out_effect_high=_finite(held_out.high),
        held_out_success=share.value,
        held_out_low=share.low,
        held_out_high=share.high,
        max_replacement_z=float(z_scores.max()) if len(z_scores) else 0.0,
        out_of_range=bool((away > FAR * effect.reach)[replaces > 0].any()),
        probabilities=probabilities.double().cpu().numpy(),
        sizes=() if found is None else found.sizes,
        effects=() if found is None else found.effects,
        n_runs=effect.n_runs - task.runs_before,
        counts={"trained on": len(task.train), "held out": len(task.test)},
    )


def _finite(end: float) -> float:
    """An end of an interval, NaN where it is infinite: of examples that all count together."""
    return end if math.isfinite(end) else math.nan


def _settled(found: SearchState, alpha: float, scale: float) -> bool:
    """Whether in the last fifth of the steps the effect was there and the size did not change."""
    if len(found.sizes) < 2:
        return False
    fifth = max(1, len(found.sizes) // 5)
    before, last = (
        (float(np.mean(found.sizes[part])), float(np.mean(found.effects[part])))
        for part in (slice(-2 * fifth, -fifth), slice(-fifth, None))
    )
    same_size = abs(last[0] - before[0]) <= max(1.0, SETTLED_SIZE * before[0])
    return same_size and last[1] >= alpha - SETTLED_EFFECT * scale
