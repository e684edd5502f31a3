"""Gates of tokens drawn at their locations, and how likely each token is to be kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch.nn.functional import logsigmoid

from neurox_lite.masking import hard_concrete
from neurox_lite.masking.hard_concrete import TOKENS
from neurox_lite.showing import short_repr


@dataclass(frozen=True)
class Drawn:
    """Gates of tokens, each a product over the gates of several states.

    Attributes
    ----------
    locations : (n_texts, n_gates, n_tokens) tensor
        Of the gates of each state.
    gates : (n_texts, n_tokens) tensor
        From 0, replaced, to 1, kept.
    log_kept : (n_texts, n_tokens) tensor
        Log-probability that the gate is not 0, ``sum_k log P(z_k != 0)``.
    log_probability : (n_texts, n_tokens) tensor, optional
        Of what was drawn, where no gradient flows through gates.
    n_exploring : int
        Of the first so many texts every gate may be open or closed.
    """

    locations: torch.Tensor
    gates: torch.Tensor
    log_kept: torch.Tensor
    log_probability: torch.Tensor | None = None
    n_exploring: int = 0

    __repr__ = short_repr


Draw = Callable[[torch.Tensor], Drawn]
"""Of locations (n_texts, n_gates, n_tokens)."""


def log_open_hard_concrete(phi: torch.Tensor) -> torch.Tensor:
    """Log-probability that a gate is not 0."""
    return logsigmoid(hard_concrete.log_odds(phi, TOKENS))


def draw_hard_concrete(phi: torch.Tensor, noise: torch.Tensor) -> Drawn:
    """Gates through which gradients flow; noise is uniform, of the shape of ``phi``."""
    gates = hard_concrete.sample(phi, noise, TOKENS).prod(1)
    return Drawn(phi, gates, log_open_hard_concrete(phi).sum(1))


def draw_bernoulli(phi: torch.Tensor, noise: torch.Tensor) -> Drawn:
    """Gates that are 0 or 1, for the score function estimator (REINFORCE)."""
    is_open = noise < torch.sigmoid(phi)
    log_probability = logsigmoid(torch.where(is_open, phi, -phi)).sum(1)
    return Drawn(phi, is_open.all(1).float(), logsigmoid(phi).sum(1), log_probability)


ESTIMATORS = {"hard-concrete": draw_hard_concrete, "reinforce": draw_bernoulli}
LOG_OPEN = {"hard-concrete": log_open_hard_concrete, "reinforce": logsigmoid}
SIZES = {"log": lambda log_kept: log_kept, "count": torch.exp}
"""Size of a token in the objective, from the log-probability that it is kept."""


def drawing(estimator: str, generator: torch.Generator, device: torch.device) -> Draw:
    """Draws with a generator on the CPU, whatever the device, so that gates are the same."""

    def draw(phi: torch.Tensor) -> Drawn:
        noise = torch.rand(phi.shape, generator=generator).clamp(1e-6, 1 - 1e-6)
        return ESTIMATORS[estimator](phi, noise.to(device))

    return draw


EXPLORING, EXPLORED = 8, 1.0
"""One text in so many; and the log-odds that a token is then kept with, at most so far from 0."""


def exploring(draw: Draw) -> Draw:
    """As ``draw``, but of the first eighth of the texts every token may be kept or not.

    A needed token that is as good as closed would else hardly ever be drawn open, nor would one be
    drawn closed as long as all are open, and neither would show that it is needed. Gradients are
    those at the odds drawn with. What a token counts for stays as it is. Of fewer than eight texts
    one is drawn so; a single text is not, since it has to say how far the output moves.
    """

    def draw_some(phi: torch.Tensor) -> Drawn:
        drawn = draw(phi)
        n_exploring = max(len(phi) // EXPLORING, min(1, len(phi) - 1))
        log_kept = drawn.log_kept[:n_exploring].clamp(max=-1e-6)
        odds = log_kept - torch.log(-torch.expm1(log_kept))
        nearer = odds + (odds.clamp(-EXPLORED, EXPLORED) - odds).detach()
        explored = draw(nearer[:, None])
        found = replace(
            drawn,
            gates=torch.cat([explored.gates, drawn.gates[n_exploring:]]),
            n_exploring=n_exploring,
        )
        if drawn.log_probability is None or explored.log_probability is None:
            return found
        both = [explored.log_probability, drawn.log_probability[n_exploring:]]
        return replace(found, log_probability=torch.cat(both))

    return draw_some


def keeping(drawn: Drawn, is_kept: torch.Tensor) -> Drawn:
    """As drawn, but some tokens are kept in any case, (n_texts, n_tokens) of bool."""
    probability = drawn.log_probability
    return replace(
        drawn,
        gates=drawn.gates.masked_fill(is_kept, 1),
        log_kept=drawn.log_kept.masked_fill(is_kept, 0),
        log_probability=None if probability is None else probability.masked_fill(is_kept, 0),
    )


def cut_at_half(drawn: Drawn) -> Drawn:
    """Gates of 1 for tokens that are rather kept than not, and of 0 for others."""
    gates = (drawn.log_kept.exp() > 0.5).to(drawn.log_kept.dtype)
    return replace(drawn, gates=gates)


def erase_all(drawn: Drawn) -> Drawn:
    """Gates of 0."""
    return replace(drawn, gates=torch.zeros_like(drawn.gates))


def mean_over_tokens(values: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Mean over the tokens of each text that are no padding, (n_texts,)."""
    return (values * attention_mask).sum(1) / attention_mask.sum(1)
