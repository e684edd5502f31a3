"""The search for gates of tokens: as few as possible, while the output stays what it is.

For every state l, ``min size`` with ``E[KL(p || p~)] <= epsilon`` (De Cao et al. 2020, section 2):

1. Read all texts once: what the model says of them, and the moments of their states.
2. Draw a state, each as often as any other, and a batch of texts.
3. Read the locations of gates off the states of tokens, and draw gates.
4. Run the model with a state h masked, ``z h + (1 - z) b``, and measure the divergence.
5. Descend by Adam on ``size + lambda_l (KL - epsilon)``, in gate networks and placeholder. Of
   REINFORCE, whose gates have no gradient, the divergence less its moving average times the
   log-probability of the gates takes the place of KL.
6. Ascend in lambda_l (:class:`MultiplierAscent`).
7. Repeat from 2; learning rates fall over the second half of the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from tqdm.auto import tqdm

from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.masking.gate_network import FIRST_LOCATION, TokenGates
from neurox_lite.masking.masked_texts import IntactTexts, masked_output
from neurox_lite.masking.token_draws import SIZES, drawing, mean_over_tokens

LEARNING_RATE = 3e-3
"""Of Adam, for networks and for placeholders in standard deviations; falls to a twentieth over the
second half of the steps."""

BETAS = (0.9, 0.9)
"""Of Adam. Divergences are now and then very large; with a longer memory gates would rest after."""

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

    def __init__(self, alpha: float):
        self.alpha = alpha
        self.value = 1.0
        self._mean_square = 0.0
        self._gap = 0.0

    def step(self, effect: float) -> float:
        """Lambda for this step, given the effect measured in it."""
        gap = self.alpha - effect
        self._mean_square = self.MEMORY * self._mean_square + (1 - self.MEMORY) * gap**2
        self._gap = self.SMOOTHING * self._gap + (1 - self.SMOOTHING) * gap
        used = self.value - self._gap / self.alpha
        self.value += self.RATE * gap / max(self._mean_square**0.5, 1e-12)
        self.value = min(max(self.value, 0.0), self.MOST)
        return min(max(used, 0.0), self.MOST)


@dataclass
class History:
    """Of the steps of one state: means over texts, and lambda.

    Sizes as in the objective, divergences in nats, and how likely a token is to be kept.
    """

    sizes: list[float] = field(default_factory=list)
    divergences: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)
    multipliers: list[float] = field(default_factory=list)


def search_gates(
    explained: ExplainedTexts,
    gates: TokenGates,
    states: Sequence[int],
    intact: IntactTexts,
    rows: torch.Tensor,
    *,
    epsilon: float,
    size: str,
    estimator: str,
    learn_placeholder: bool,
    n_steps: int,
    batch_size: int,
    generator: torch.Generator,
) -> list[History]:
    """Train gates of some states, in place; see the module for the steps.

    Parameters
    ----------
    explained : ExplainedTexts
    gates : TokenGates
    states : sequence of int
        Those that it has gates of, ascending.
    intact : IntactTexts
    rows : (n_rows,) int tensor
        Texts to train on.
    epsilon, size, estimator, n_steps, batch_size
        As for :class:`~neurox_lite.masking.token_mask.TokenMask`.
    learn_placeholder : bool
    generator : torch.Generator
        On the CPU, whatever the device of the model.
    """
    draw = drawing(estimator, generator, rows.device)
    multipliers = [MultiplierAscent(-epsilon) for _ in states]
    baselines: list[float | None] = [None for _ in states]
    histories = [History() for _ in states]
    optimizer = torch.optim.Adam(gates.parameters(), lr=LEARNING_RATE, betas=BETAS)
    batches = _batches(rows, batch_size, generator)
    order = [
        int(number)
        for _ in range(n_steps)
        for number in torch.randperm(len(states), generator=generator)
    ]

    progress = tqdm(order, desc="gates", unit="step", disable=None, delay=2, leave=False)
    for step, number in enumerate(progress):
        falls = min(1, max(0.05, 2 - 2 * step / len(order)))
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * falls
        some = next(batches)
        parts, drawn = masked_output(
            explained,
            some,
            states[: number + 1],
            gates.is_input,
            partial(gates.locations, number),
            gates.placeholder(number),
            draw,
        )
        mask = explained.inputs.batch(some)["attention_mask"]
        divergence = explained.output.divergence(intact(some), parts)
        measured = divergence.mean().item()
        sizes = mean_over_tokens(SIZES[size](drawn.log_kept), mask).mean()
        excess = (drawn.locations - FIRST_LOCATION).clamp(min=0).sum(1)
        pull = PULL * mean_over_tokens(excess, mask).mean()
        loss = divergence.mean()
        if drawn.log_probability is not None:
            before = baselines[number]
            before = measured if before is None else before
            baselines[number] = SMOOTHING * before + (1 - SMOOTHING) * measured
            score = (drawn.log_probability * mask).sum(1)
            loss = loss + ((divergence.detach() - before) * score).mean()
        multiplier = multipliers[number].step(-measured)
        optimizer.zero_grad()
        # Divided, so that gradients are of one size however large lambda is.
        ((sizes + pull + multiplier * loss) / (1 + multiplier)).backward(
            inputs=gates.learned(number, learn_placeholder)
        )
        optimizer.step()
        history = histories[number]
        history.sizes.append(sizes.item())
        history.divergences.append(measured)
        history.kept.append(mean_over_tokens(drawn.log_kept.detach().exp(), mask).mean().item())
        history.multipliers.append(multiplier)
    return histories


def _batches(
    rows: torch.Tensor, batch_size: int, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Batches without end; every text once before any is drawn again."""
    while True:
        order = torch.randperm(len(rows), generator=generator)
        yield from rows[order.to(rows.device)].split(batch_size)
