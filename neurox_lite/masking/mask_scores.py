"""What is said about a hard mask, on the examples that were held out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from neurox_lite.intervals import Interval, accuracy_interval
from neurox_lite.masking.effects import Effect, to_replacing_gates
from neurox_lite.masking.fit_task import FitTask
from neurox_lite.masking.gate_search import SearchState, to_z_scores
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.masking.replacement_fit import gates_of
from neurox_lite.masking.rounding import HardMask
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.objective import Objective

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
    gates = gates_of([hard.columns], effect.start)[0]
    before, _ = _on(effect, torch.zeros_like(gates), task.closed, task.test, task.alpha)
    after, succeeds = _on(effect, gates, hard.values, task.test, task.alpha)
    success = Interval(math.nan, math.nan, math.nan)
    if len(task.test):
        success = accuracy_interval(succeeds, effect.groups[task.test.cpu().numpy()])
    probabilities = gates if found is None else found.probabilities
    replaces = to_replacing_gates(effect, gates)
    z_scores = to_z_scores(effect, hard.values).abs()[replaces > 0]
    away = (hard.values - effect.start).abs()
    mask = NeuronMask(
        effect.space,
        replaces.double().cpu().numpy(),
        hard.values.double().cpu().numpy(),
        method,
        {"objective": effect.objective.value, **parameters},
    )
    return MaskFit(
        mask=mask,
        size=len(hard.columns),
        objective=effect.objective.value,
        alpha=task.alpha,
        feasible=hard.effect >= task.alpha,
        converged=found is None or _settled(found, task.alpha, task.gap),
        intact=task.intact,
        effect=hard.effect,
        held_out_intact=before,
        held_out_effect=after,
        held_out_success=success.value,
        held_out_low=success.low,
        held_out_high=success.high,
        max_replacement_z=float(z_scores.max()) if len(z_scores) else 0.0,
        out_of_range=bool((away > FAR * effect.reach)[replaces > 0].any()),
        probabilities=probabilities.double().cpu().numpy(),
        sizes=() if found is None else found.sizes,
        effects=() if found is None else found.effects,
        n_runs=effect.n_runs - task.runs_before,
        counts={"trained on": len(task.train), "held out": len(task.test)},
    )


def _on(
    effect: Effect, gates: torch.Tensor, values: torch.Tensor, rows: torch.Tensor, alpha: float
) -> tuple[float, np.ndarray]:
    """Mean effect of a mask, and on which examples it succeeds."""
    if not len(rows):
        return float("nan"), np.zeros(0, dtype=bool)
    parts = rows.split(min(256, effect.rows_at_once))
    with torch.no_grad():
        found = torch.cat([effect(gates, values, some) for some in parts]).double()
    succeeds = found > 0 if effect.objective is Objective.FLIP else found >= alpha
    return float(found.mean()), succeeds.cpu().numpy()


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
