"""REINFORCE: the search for a mask without a gradient through its gates, as a baseline.

The steps are those of :mod:`~neurox_lite.masking.gate_search`, but for the gates (Williams 1992):

1. Gates are drawn from Bernoulli(sigmoid(phi)), each 0 or 1.
2. Their gradient is that of the expected size, ``sum_i sigmoid(phi_i)``, which is exact, less
   ``lambda (R - baseline) grad log p(gates)``.
3. The baseline is a moving average of R; or, with several draws of gates for each example, the mean
   R of its other draws (leave-one-out: Kool et al. 2019).

Replacements and lambda are fitted as there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from neurox_lite.masking.effects import Effect
from neurox_lite.masking.gate_search import Run, SearchState, search_mask

SMOOTHING = 0.9
"""Of the moving average of effects, the baseline."""


def reinforce_mask(
    effect: Effect, alpha: float, *, exact_size: bool = True, draws: int = 1, **options: Any
) -> SearchState:
    """As :func:`~neurox_lite.masking.gate_search.search_mask`, by the score function.

    Without ``exact_size``, the size is part of what is rewarded, as in plain REINFORCE, which is
    noisier. With more ``draws`` than one, the baseline is that of leaving one out, and a batch has
    as many times fewer examples.
    """
    estimate = _ScoreFunction(exact_size, draws)
    found = search_mask(effect, alpha, **options, draws=draws, estimate=estimate)
    return replace(found, probabilities=torch.sigmoid(found.phi))


class _ScoreFunction:
    """Bernoulli gates, and the gradient of their probability."""

    def __init__(self, exact_size: bool, draws: int) -> None:
        self.exact_size = exact_size
        self.effect = _LeaveOneOut(draws) if draws > 1 else _MovingAverage()
        self.size = _LeaveOneOut(draws) if draws > 1 else _MovingAverage()

    def __call__(
        self, phi: torch.Tensor, noise: torch.Tensor, run: Run
    ) -> tuple[torch.Tensor, torch.Tensor, float]:
        expected_size = torch.sigmoid(phi).sum()
        gates = (noise < torch.sigmoid(phi).detach()).float()
        log_probability = torch.where(gates > 0, phi, -phi).sigmoid().log().sum(1)
        found = run(gates)
        gain = (self.effect.surplus(found.detach()) * log_probability + found).mean()
        if self.exact_size:
            return expected_size, gain, found.mean().item()
        size = (self.size.surplus(gates.sum(1)) * log_probability).mean()
        return expected_size.detach() + size - size.detach(), gain, found.mean().item()


class _MovingAverage:
    """The baseline of a reward."""

    def __init__(self) -> None:
        self.value: float | None = None

    def surplus(self, rewards: torch.Tensor) -> torch.Tensor:
        """Rewards less their average so far."""
        mean = rewards.mean().item()
        before = mean if self.value is None else self.value
        self.value = SMOOTHING * before + (1 - SMOOTHING) * mean
        return rewards - before


class _LeaveOneOut:
    """The mean reward of the other draws for the same example, which stand side by side."""

    def __init__(self, draws: int) -> None:
        self.draws = draws

    def surplus(self, rewards: torch.Tensor) -> torch.Tensor:
        """Rewards less that mean."""
        each = rewards.view(-1, self.draws)
        return (each - each.mean(1, keepdim=True)).flatten() * self.draws / (self.draws - 1)
