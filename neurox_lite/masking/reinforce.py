"""REINFORCE: the search for a mask without a gradient through its gates, as a baseline."""

from __future__ import annotations

from typing import Any

import torch

from neurox_lite.masking.effects import Effect
from neurox_lite.masking.search import Run, Search, search_mask

SMOOTHING = 0.9
"""Of the moving average of effects, the baseline."""


def reinforce_mask(effect: Effect, alpha: float, **options: Any) -> Search:
    """As :func:`~neurox_lite.masking.search.search_mask`, with the score function (Williams 1992).

    Gates are Bernoulli(sigmoid(phi)). Their gradient is that of the expected size, which is exact,
    less ``lambda (R - baseline) grad log p(gates)``, with a moving average of R as the baseline.
    Replacements and lambda are fitted as there.

    Parameters
    ----------
    effect, alpha, **options
        As there.
    """
    return search_mask(effect, alpha, **options, estimate=_ScoreFunction())


class _ScoreFunction:
    """Bernoulli gates, and the gradient of their probability."""

    def __init__(self) -> None:
        self.baseline: float | None = None

    def __call__(
        self, phi: torch.Tensor, noise: torch.Tensor, run: Run
    ) -> tuple[torch.Tensor, torch.Tensor, float]:
        open_share = torch.sigmoid(phi)
        gates = (noise < open_share.detach()).float()
        found = run(gates)
        measured = found.mean().item()
        baseline = measured if self.baseline is None else self.baseline
        log_probability = torch.where(gates > 0, phi, -phi).sigmoid().log().sum(1)
        advantage = (found.detach() - baseline) * log_probability
        self.baseline = SMOOTHING * baseline + (1 - SMOOTHING) * measured
        return open_share.sum(), (advantage + found).mean(), measured
