"""The share of examples that succeed, as the effect of a mask.

Whether an example succeeds, 1 or 0, has no gradient. So the gradient is that of
``sigmoid((R - alpha) / T)``, with the effect R, the least of it that is a success, and a
temperature T: a search moves along the sigmoid, and all that is measured is the share itself.
"""

from __future__ import annotations

import torch

from neurox_lite.masking.effects import Effect, succeeds


class SuccessEffect:
    """1 for each example that succeeds, 0 for others.

    Parameters
    ----------
    effect : Effect
    alpha : float
        What an example is to reach; of *flip* 0.
    temperature : float
        In the units of the effect.
    """

    def __init__(self, effect: Effect, alpha: float, temperature: float):
        self.effect, self.alpha, self.temperature = effect, alpha, temperature
        self.space, self.objective = effect.space, effect.objective
        self.start, self.std = effect.start, effect.std
        self.low, self.high, self.reach = effect.low, effect.high, effect.reach
        self.groups, self.templates = effect.groups, effect.templates
        self.rows_at_once = effect.rows_at_once

    @property
    def n_runs(self) -> int:
        return self.effect.n_runs

    def __len__(self) -> int:
        return len(self.effect)

    def __call__(
        self, gates: torch.Tensor, values: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor:
        effects = self.effect(gates, values, rows)
        smooth = torch.sigmoid((effects - self.alpha) / self.temperature)
        return succeeds(self.objective, effects, self.alpha) + smooth - smooth.detach()
