"""The Lagrange multiplier of a constraint: how much a step towards it is worth.

Of the gap ``g = (alpha - R) / scale``, cut off at 10, in every step:

1. ``lambda <- lambda exp(rate g)``: it grows while the constraint is violated.
2. The step is taken with ``lambda exp(damping g)``, without which lambda and the mask swing around
   the solution (the PI control of Stooke et al. 2020, in the exponent).
"""

from __future__ import annotations

import math

LEAST, MOST = 1e-3, 1e4


class Multiplier:
    """Ascends on lambda so that in the end ``E[R] >= alpha`` (De Cao et al. 2022, section 3).

    Lambda grows while the constraint is violated and shrinks while it is met, by factors, since
    nobody knows its size beforehand.

    Parameters
    ----------
    alpha : float
        What the effect is to reach.
    scale : float
        The size of a large gap, in the units of the effect.
    rate : float
        How much the exponent grows per step and scale of gap.
    damping : float
        How much of the gap is added to the exponent.
    value : float
        To start with.
    """

    def __init__(
        self,
        alpha: float,
        scale: float,
        *,
        rate: float = 0.05,
        damping: float = 0.5,
        value: float = 1.0,
    ):
        self.alpha, self.scale = alpha, scale
        self.rate, self.damping = rate, damping
        self.value = value

    def step(self, effect: float) -> float:
        """Lambda for this step, given the effect measured in it."""
        gap = (self.alpha - effect) / self.scale
        gap = min(max(gap, -10.0), 10.0)
        self.value = min(max(self.value * math.exp(self.rate * gap), LEAST), MOST)
        return self.value * math.exp(self.damping * gap)
