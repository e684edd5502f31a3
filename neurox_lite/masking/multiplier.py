"""Lambda, the Lagrange multiplier of a constraint: of masks of neurons, and of tokens."""

from __future__ import annotations

from collections.abc import Callable

import torch

LEAST, MOST = 1e-3, 1e5
"""Of lambda."""

Gap = Callable[[torch.Tensor, float], torch.Tensor]
"""How far a measured value is from what a constraint asks, given the share of steps done: above 0
where it does not hold, 1 where it is far off."""


def at_least(alpha: float, scale: float, tightest: float = 0.2) -> Gap:
    """The gap of an effect R that should be ``alpha``: ``(alpha - R) / scale``.

    As a search goes on, the same gap counts for more: ``scale`` falls with the share of steps left,
    to *tightest* of its size. At first the constraint is far and gates take long to follow, so that
    a lambda that answers small gaps would overshoot. At the end only small gaps are left.
    """

    def gap(effect: torch.Tensor, progress: float) -> torch.Tensor:
        return (alpha - effect) / (scale * max(tightest, 1 - progress))

    return gap


def at_most(epsilon: float) -> Gap:
    """The gap of a divergence that may be ``epsilon``: ``log(KL / epsilon)``.

    It may be a hundred times too large, and never less than 0.
    """

    def gap(divergence: torch.Tensor, progress: float) -> torch.Tensor:
        del progress
        return (divergence / epsilon).clamp(min=1e-9).log()

    return gap


class Multiplier:
    """Leads what is measured to a constraint: PI control (Stooke et al. 2020), in the exponent.

    By factors, since nobody knows the size of lambda beforehand. In every step:

    1. Average what was measured, x, over the last steps: ``m <- s m + (1 - s) x`` with *smoothing*
       s. The gap g is that of the average, cut off at *-fall* and 1.
    2. Integral part: ``lambda <- lambda exp(rate g)``.
    3. Proportional part: the step is taken with ``lambda exp(damping g)``. If weak, lambda runs
       far beyond while gates follow, and the mask swings around the solution.

    Parameters
    ----------
    gap : function
        :func:`at_least` or :func:`at_most`.
    value : float
        Lambda to start with.
    rate, damping, smoothing : float
        As above.
    most : float
        Of lambda.
    fall : float
        As above, from 0 to 1. If less than 1, lambda falls more slowly than it rises: gates that
        begin open would else all be closed at once when a small lambda no longer holds them.
    """

    def __init__(
        self,
        gap: Gap,
        *,
        value: float = 1.0,
        rate: float = 0.1,
        damping: float = 4.0,
        smoothing: float = 0.8,
        most: float = MOST,
        fall: float = 1.0,
    ):
        self.gap, self.rate, self.damping = gap, rate, damping
        self.smoothing, self.most = smoothing, most
        self.fall = fall
        self.value = torch.tensor(value, dtype=torch.float64)
        self.average: torch.Tensor | None = None

    def step(self, measured: torch.Tensor | float, progress: float = 0.0) -> torch.Tensor:
        """Lambda for this step, given what was measured in it and the share of steps done.

        Float64, on the CPU; one number, or one of each of several measured.
        """
        now = torch.as_tensor(measured).detach().double().cpu()
        before = now if self.average is None else self.average
        self.average = self.smoothing * before + (1 - self.smoothing) * now
        gap = self.gap(self.average, progress).clamp(-self.fall, 1)
        self.value = (self.value * torch.exp(self.rate * gap)).clamp(LEAST, self.most)
        return (self.value * torch.exp(self.damping * gap)).clamp(max=self.most)
