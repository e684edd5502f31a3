"""Lambda, the Lagrange multiplier of a constraint that an effect R is at least alpha."""

from __future__ import annotations

import math

LEAST, MOST = 1e-3, 1e5
"""Of lambda."""


class Multiplier:
    """Leads a measured effect to ``alpha``: the PI control of Stooke et al. 2020, in the exponent.

    By factors, since nobody knows the size of lambda beforehand. In every step:

    1. Average what was measured, R, over the last steps: ``r <- s r + (1 - s) R`` with *smoothing*
       s. The gap is ``g = (alpha - r) / scale``, cut off at 1.
    2. Integral part: ``lambda <- lambda exp(rate g)``.
    3. Proportional part: the step is taken with ``lambda exp(damping g)``. If weak, lambda runs
       far beyond while gates follow, and the mask swings around the solution.

    As a search goes on, the same gap counts for more: ``scale`` falls with the share of steps left,
    to *tightest* of its size. At first the constraint is far and gates take long to follow, so that
    a lambda that answers small gaps would overshoot. At the end only small gaps are left.

    Parameters
    ----------
    alpha : float
    scale : float
        Size of a large gap, in the units of the effect.
    value : float
        Lambda to start with.
    rate, damping, smoothing, tightest : float
        As above.
    """

    def __init__(
        self,
        alpha: float,
        scale: float,
        *,
        value: float = 1.0,
        rate: float = 0.1,
        damping: float = 4.0,
        smoothing: float = 0.8,
        tightest: float = 0.2,
    ):
        self.alpha, self.scale, self.value = alpha, scale, value
        self.rate, self.damping = rate, damping
        self.smoothing, self.tightest = smoothing, tightest
        self.average: float | None = None

    def step(self, effect: float, progress: float = 0.0) -> float:
        """Lambda for this step, given the effect measured in it and the share of steps done."""
        before = effect if self.average is None else self.average
        self.average = self.smoothing * before + (1 - self.smoothing) * effect
        gap = (self.alpha - self.average) / (self.scale * max(self.tightest, 1 - progress))
        gap = min(max(gap, -1.0), 1.0)
        self.value = min(max(self.value * math.exp(self.rate * gap), LEAST), MOST)
        return self.value * math.exp(self.damping * gap)
