"""What gates of tokens are trained for: few tokens kept, while the output stays what it is.

    max over lambda in [0, 200]  min over gates    size + lambda (KL(p || p~) - epsilon)

(De Cao et al. 2020, eq. 6 to 8). There is one lambda for all texts of a state; or one for each
text, where each has gates of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from neurox_lite.masking.gate_network import FIRST_LOCATION
from neurox_lite.masking.token_draws import SIZES, Drawn, mean_over_tokens
from neurox_lite.showing import short_repr

PULL = 0.05
"""On locations above those gates begin at, where no size is felt any more: a gate that was pushed
open by chance is otherwise never closed."""

SMOOTHING = 0.9
"""Of the moving average of divergences, the baseline of REINFORCE."""


class MultiplierAscent:
    """Lambda by gradient ascent, in [0, 200], of the gap ``g = KL - epsilon``.

    1. ``lambda <- lambda + 0.3 g / rms(g)`` (RMSprop).
    2. The step is taken with ``lambda + G / epsilon``, G the mean of the last two gaps or so: the
       augmented Lagrangian, which reacts before tokens that are needed are so far closed that they
       are never drawn open again.

    That of masks of neurons moves by factors, and here it would leap over the values between which
    the needed tokens are kept and others are not.
    """

    RATE, MEMORY, SMOOTHING, MOST = 0.3, 0.99, 0.5, 200.0

    def __init__(self, epsilon: float):
        self.epsilon = epsilon
        self.value = torch.ones(())
        self._mean_square = torch.zeros(())
        self._gap = torch.zeros(())

    def step(self, divergence: torch.Tensor) -> torch.Tensor:
        """Lambda for this step, of the divergence measured in it; one number, or each its own."""
        gap = divergence.detach().double().cpu() - self.epsilon
        self._mean_square = self.MEMORY * self._mean_square + (1 - self.MEMORY) * gap**2
        self._gap = self.SMOOTHING * self._gap + (1 - self.SMOOTHING) * gap
        used = (self.value + self._gap / self.epsilon).clamp(0, self.MOST)
        moved = self.value + self.RATE * gap / self._mean_square.sqrt().clamp(min=1e-12)
        self.value = moved.clamp(0, self.MOST)
        return used.to(divergence)


@dataclass(frozen=True)
class Terms:
    """Of one step, of each text or of all.

    Attributes
    ----------
    loss : tensor
        To descend: divided by 1 + lambda, so that gradients are of one size however large it is.
    size, divergence, multiplier : tensors
    """

    loss: torch.Tensor
    size: torch.Tensor
    divergence: torch.Tensor
    multiplier: torch.Tensor

    __repr__ = short_repr


class TokenObjective:
    """The objective of one step after the other, with the multiplier that follows them.

    Parameters
    ----------
    epsilon : float
    size : {"log", "count"}
    of_each_text : bool
        Whether each text has a multiplier of its own.
    """

    def __init__(self, epsilon: float, size: str, *, of_each_text: bool = False):
        self._size = SIZES[size]
        self._of_each_text = of_each_text
        self._multiplier = MultiplierAscent(epsilon)
        self._baseline: torch.Tensor | None = None

    def __call__(
        self,
        drawn: Drawn,
        divergence: torch.Tensor,
        attention_mask: torch.Tensor,
        n_exploring: int = 0,
    ) -> Terms:
        """Of gates, and what they do to the output of each text, (n_texts,).

        The first texts may be drawn to explore: they count for gradients alone.
        """
        size = mean_over_tokens(self._size(drawn.log_kept), attention_mask)
        excess = (drawn.locations - FIRST_LOCATION).clamp(min=0).sum(1)
        pull = PULL * mean_over_tokens(excess, attention_mask)
        measured = divergence.detach()
        level = measured if self._of_each_text else measured[n_exploring:].mean()
        if drawn.log_probability is not None:
            # The score function: its gradient is that of the expected divergence.
            before = level if self._baseline is None else self._baseline
            self._baseline = SMOOTHING * before + (1 - SMOOTHING) * level
            score = (drawn.log_probability * attention_mask).sum(1)
            divergence = divergence + (measured - before) * score
        multiplier = self._multiplier.step(level)
        loss = (size + pull + multiplier * divergence) / (1 + multiplier)
        if self._of_each_text:
            return Terms(loss, size, measured, multiplier)
        return Terms(loss.mean(), size.mean(), level, multiplier)
