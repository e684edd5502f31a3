"""What a mask is fitted to: examples to train on and to hold out, and the effect to reach."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from neurox_lite.arguments import real_number
from neurox_lite.errors import InputError
from neurox_lite.masking.effects import Effect, effects_of, succeeds
from neurox_lite.masking.replacement_fit import fit_replacements, gates_of
from neurox_lite.masking.success_effect import SuccessEffect
from neurox_lite.results.objective import Objective
from neurox_lite.showing import short_repr

SUFFICIENT = 0.1
"""Default of sufficiency: KL divergence in nats."""
REPLACEMENT_STEPS = 30
TEMPERATURE = 0.2
"""Of the sigmoid that success is searched by, as a share of the way from the intact model to it."""


@dataclass(frozen=True)
class FitTask:
    """Examples to train on and to hold out, the effect without a mask, and the one asked for.

    ``alpha`` is what the mean effect is to reach or, with ``success``, what that share of the
    examples is to reach each. ``sought`` is the effect whose mean over examples is to reach
    ``least``: of ``success`` the share itself; ``unmasked`` is that mean without a mask. ``closed``
    are replacements when no gate is open, of *sufficiency* the best ones for training;
    ``runs_before`` counts runs of the model that are not of this fit.
    """

    train: torch.Tensor
    test: torch.Tensor
    closed: torch.Tensor
    intact: float
    alpha: float
    success: float | None
    sought: Effect
    least: float
    unmasked: float
    runs_before: int

    __repr__ = short_repr

    @property
    def gap(self) -> float:
        """Size of a large gap to ``least``."""
        return max(abs(self.least - self.unmasked), 1e-3)

    @property
    def asked(self) -> dict[str, float]:
        """What is asked of the mask, by the names of its options."""
        return {"alpha": self.alpha} | ({} if self.success is None else {"success": self.success})


def make_task(
    effect: Effect, alpha: float | None, success: float | None, held_out: float, seed: int
) -> FitTask:
    """Options as for :func:`~neurox_lite.masking.fitting.fit_mask`."""
    held_out = real_number(held_out, "held_out")
    alpha = None if alpha is None else real_number(alpha, "alpha")
    success = None if success is None else real_number(success, "success")
    if not 0 <= held_out < 1:
        raise InputError(f"held_out is {held_out}; give a share below 1")
    if alpha is not None and not math.isfinite(alpha):
        raise InputError(f"alpha is {alpha}; give a finite number")
    if success is not None and not 0 < success <= 1:
        raise InputError(f"success is {success}; give a share of the examples, above 0 and up to 1")
    if success is not None and alpha is not None and effect.objective is Objective.FLIP:
        raise InputError("alpha is a mean effect, success a share of examples; give one of them")
    runs_before = effect.n_runs
    train, test = (rows.to(effect.start.device) for rows in _split(len(effect), held_out, seed))
    intact, closed = _closed(effect, train)
    if alpha is None:
        alpha = _default_alpha(effect, intact, success)
    sought, least, unmasked = effect, alpha, intact
    if success is not None:
        temperature = max(TEMPERATURE * abs(alpha - intact), 1e-3)
        sought, least = SuccessEffect(effect, alpha, temperature), success
        found = effects_of(effect, torch.zeros_like(closed), closed, train)
        unmasked = float(succeeds(effect.objective, found, alpha).double().mean())
    return FitTask(
        train, test, closed, intact, alpha, success, sought, least, unmasked, runs_before
    )


def _default_alpha(effect: Effect, intact: float, success: float | None) -> float:
    if effect.objective is Objective.SUFFICIENCY:
        return -SUFFICIENT
    if effect.objective is Objective.FLIP and success is not None:
        return 0.0
    if intact >= 0:
        raise InputError(
            f"without a mask the effect is {intact:.3g} and there is nothing to turn; give alpha"
        )
    return -intact / 2


def _split(n: int, held_out: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers of the examples to train on, in random order, and of those to hold out."""
    n_out = round(held_out * n)
    if n - n_out < 1:
        raise InputError(f"{n} examples, {n_out} of them held out; give more")
    order = torch.from_numpy(np.random.default_rng(seed).permutation(n))
    return order[n_out:], order[:n_out].sort().values


def spread_over_templates(effect: Effect, rows: torch.Tensor, n: int) -> torch.Tensor:
    """As many of the rows of each template as of the others, as far as there are, ``n`` in all."""
    seen: dict[str, int] = {}
    turns = []
    for template in effect.templates[rows.cpu().numpy()]:
        turns.append(seen.get(template, 0))
        seen[template] = turns[-1] + 1
    return rows[np.argsort(turns, kind="stable")[:n]]


def without_gates(effect: Effect, rows: torch.Tensor) -> float:
    """Mean effect when no gate is open, of *sufficiency* with the best replacements of all."""
    return _closed(effect, rows)[0]


def _closed(effect: Effect, rows: torch.Tensor) -> tuple[float, torch.Tensor]:
    """:func:`without_gates`, and the replacements."""
    closed = gates_of(effect, [()])
    n_steps = REPLACEMENT_STEPS if effect.objective is Objective.SUFFICIENCY else 0
    found, values = fit_replacements(effect, closed, effect.start, rows, n_steps)
    return float(found[0]), values[0]
