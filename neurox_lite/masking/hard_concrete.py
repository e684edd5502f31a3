"""The hard concrete distribution: gates between 0 and 1 that are often exactly either.

Of a location phi (Louizos et al. 2018, eq. 10-12, their log alpha):

1. Draw u uniformly on (0, 1), and squash: ``s = sigmoid((logit u + phi) / tau)``.
2. Stretch to (l, r), which begins below 0 and ends above 1: ``s (r - l) + l``.
3. Clip to [0, 1]: what lies below 0 is exactly 0, what lies above 1 exactly 1.

The gate is differentiable in phi, and so is the probability that it is not 0,
``sigmoid(phi - tau log(-l / r))``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Stretch:
    """The stretched interval (l, r), and the temperature tau."""

    low: float
    high: float
    temperature: float


NEURONS = Stretch(-0.1, 1.1, 0.2)
"""(l, r) of Louizos et al. 2018; with tau = 0.2, as De Cao et al. 2020 take it, 76 % of the gates
at phi = 0 are exactly 0 or 1."""

TOKENS = Stretch(-0.2, 1.0, 0.2)
"""Of De Cao et al. 2020 for input tokens: gates are often exactly 0, and never exactly 1."""


def sample(phi: torch.Tensor, noise: torch.Tensor, stretch: Stretch = NEURONS) -> torch.Tensor:
    """Draw gates, differentiable in ``phi``: the log-odds of a gate above the middle of (l, r).

    ``noise`` is u, of a shape that ``phi`` broadcasts to.
    """
    squashed = torch.sigmoid((torch.logit(noise) + phi) / stretch.temperature)
    return (squashed * (stretch.high - stretch.low) + stretch.low).clamp(0, 1)


def log_odds(phi: torch.Tensor, stretch: Stretch = NEURONS) -> torch.Tensor:
    """Log-odds of a gate that is not 0."""
    return phi - stretch.temperature * math.log(-stretch.low / stretch.high)


def probability(phi: torch.Tensor, stretch: Stretch = NEURONS) -> torch.Tensor:
    """Probability that a gate is not 0."""
    return torch.sigmoid(log_odds(phi, stretch))
