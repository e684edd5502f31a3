"""What a mask is fitted to: examples to train on and to hold out, and the effect to reach."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from neurox_lite.arguments import real_number
from neurox_lite.errors import InputError
from neurox_lite.masking.effects import Effect
from neurox_lite.masking.replacement_fit import fit_replacements, gates_of
from neurox_lite.results.objective import Objective
from neurox_lite.showing import short_repr

SUFFICIENT = 0.1
"""Default of sufficiency: KL divergence in nats."""
REPLACEMENT_STEPS = 30


@dataclass(frozen=True)
class FitTask:
    """Examples to train on and to hold out, the effect without a mask, and the one asked for.

    ``closed`` are replacements when no gate is open, of *sufficiency* the best ones for training;
    ``runs_before`` counts runs of the model that are not of this fit.
    """

    train: torch.Tensor
    test: torch.Tensor
    closed: torch.Tensor
    intact: float
    alpha: float
    runs_before: int

    __repr__ = short_repr

    @property
    def gap(self) -> float:
        """Size of a large gap to ``alpha``."""
        return max(abs(self.alpha - self.intact), 1e-3)


def make_task(effect: Effect, alpha: float | None, held_out: float, seed: int) -> FitTask:
    """Options as for :func:`~neurox_lite.masking.fitting.fit_mask`."""
    held_out = real_number(held_out, "held_out")
    alpha = None if alpha is None else real_number(alpha, "alpha")
    if not 0 <= held_out < 1:
        raise InputError(f"held_out is {held_out}; give a share below 1")
    runs_before = effect.n_runs
    train, test = (rows.to(effect.start.device) for rows in _split(len(effect), held_out, seed))
    intact, closed = _closed(effect, train)
    keeps = effect.objective is Objective.SUFFICIENCY
    if alpha is None and not keeps and intact >= 0:
        raise InputError(
            f"without a mask the effect is {intact:.3g} and there is nothing to turn; give alpha"
        )
    if alpha is not None and not math.isfinite(alpha):
        raise InputError(f"alpha is {alpha}; give a finite number")
    if alpha is None:
        alpha = -SUFFICIENT if keeps else -intact / 2
    return FitTask(train, test, closed, intact, float(alpha), runs_before)


def _split(n: int, held_out: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers of the examples to train on, in random order, and of those to hold out."""
    n_out = round(held_out * n)
    if n - n_out < 1:
        raise InputError(f"{n} examples, {n_out} of them held out; give more")
    order = torch.from_numpy(np.random.default_rng(seed).permutation(n))
    return order[n_out:], order[:n_out].sort().values


def without_gates(effect: Effect, rows: torch.Tensor) -> float:
    """Mean effect when no gate is open, of *sufficiency* with the best replacements of all."""
    return _closed(effect, rows)[0]


def _closed(effect: Effect, rows: torch.Tensor) -> tuple[float, torch.Tensor]:
    """:func:`without_gates`, and the replacements."""
    closed = gates_of([()], effect.start)
    n_steps = REPLACEMENT_STEPS if effect.objective is Objective.SUFFICIENCY else 0
    found, values = fit_replacements(effect, closed, effect.start, rows, n_steps)
    return float(found[0]), values[0]
