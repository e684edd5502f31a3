"""What gates of tokens are trained for: few tokens kept, while the output stays what it is.

    max over lambda in [0, 200]  min over gates    size + lambda (KL(p || p~) - epsilon)

(De Cao et al. 2020, eq. 6 to 8). There is one lambda for all texts of a state; or one for each
text, where each has gates of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from neurox_lite.masking.gate_network import FIRST_LOCATION
from neurox_lite.masking.multiplier import Multiplier, at_most
from neurox_lite.masking.token_draws import SIZES, Drawn, mean_over_tokens
from neurox_lite.showing import short_repr

PULL = 0.05
"""On locations above those gates begin at, where no size is felt any more: a gate that was pushed
open by chance is otherwise never closed."""

FIRST_MULTIPLIER, MOST, RATE, FALL = 10.0, 200.0, 0.03, 0.3
"""Of lambda, which begins high and moves slowly, down more slowly than up: gates close from where
the output is what it is, as far as it stays so. Where most were closed at once, few would open
again. Free gates of one text do not take others along; there lambda falls as fast as it rises."""

BATCH_SMOOTHING, DRAW_SMOOTHING = 0.8, 0.98
"""Of the divergence that leads lambda: the mean of a batch, or one draw of a text."""

BASELINE_SMOOTHING = 0.9
"""Of the moving average of divergences, the baseline of REINFORCE."""


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
        self._multiplier = Multiplier(
            at_most(epsilon),
            value=FIRST_MULTIPLIER,
            rate=RATE,
            smoothing=DRAW_SMOOTHING if of_each_text else BATCH_SMOOTHING,
            most=MOST,
            fall=1.0 if of_each_text else FALL,
        )
        self._baseline: torch.Tensor | None = None

    def __call__(
        self, drawn: Drawn, divergence: torch.Tensor, attention_mask: torch.Tensor
    ) -> Terms:
        """Of gates, and what they do to the output of each text, (n_texts,).

        Texts drawn to explore count for gradients alone.
        """
        size = mean_over_tokens(self._size(drawn.log_kept), attention_mask)
        excess = (drawn.locations - FIRST_LOCATION).clamp(min=0).sum(1)
        pull = PULL * mean_over_tokens(excess, attention_mask)
        measured = divergence.detach()
        level = measured[drawn.n_exploring :]
        if not self._of_each_text:
            level = level.mean()
        if drawn.log_probability is not None:
            # The score function: its gradient is that of the expected divergence.
            before = level if self._baseline is None else self._baseline
            self._baseline = BASELINE_SMOOTHING * before + (1 - BASELINE_SMOOTHING) * level
            score = (drawn.log_probability * attention_mask).sum(1)
            divergence = divergence + (measured - before) * score
        multiplier = self._multiplier.step(level).to(divergence)
        loss = (size + pull + multiplier * divergence) / (1 + multiplier)
        if self._of_each_text:
            return Terms(loss, size, measured, multiplier)
        return Terms(loss.mean(), size.mean(), level, multiplier)
