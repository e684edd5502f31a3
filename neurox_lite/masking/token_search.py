"""The search for gates of tokens: as few as possible, while the output stays what it is.

For every state l, ``min size`` with ``E[KL(p || p~)] <= epsilon`` (De Cao et al. 2020, section 2):

1. Read all texts once: what the model says of them, their states, and the moments of these.
2. Train the placeholder alone, on texts whose tokens are masked at random
   (:mod:`~neurox_lite.masking.placeholder_fit`).
3. Draw a state, each as often as any other, and a batch of texts.
4. Read the locations of gates off the states of tokens, and draw gates; of an eighth of the texts
   so that every token may be kept or not (:func:`~neurox_lite.masking.token_draws.exploring`).
5. Run the model with a state h masked, ``z h + (1 - z) b``, and measure the divergence, of the
   other texts for lambda.
6. Descend by Adam on ``size + lambda_l (KL - epsilon)``, in gate networks and placeholder, which
   keeps learning from random masks of an eighth of the texts. Of REINFORCE, whose gates have no
   gradient, the divergence less its moving average times the log-probability of the gates is added
   to KL.
7. Lead lambda_l so that the divergence is epsilon
   (:class:`~neurox_lite.masking.multiplier.Multiplier`).
8. Repeat from 3. Over the second half of the steps learning rates fall, and so does what random
   masks count for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import ceil

import torch

from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.masking.gate_network import TokenGates
from neurox_lite.masking.masked_texts import IntactTexts, masked_output
from neurox_lite.masking.placeholder_fit import fit_placeholders, random_gates
from neurox_lite.masking.token_draws import drawing, exploring, mean_over_tokens
from neurox_lite.masking.token_objective import TokenObjective
from neurox_lite.progress import tqdm

LEARNING_RATE, PLACEHOLDER_RATE = 3e-3, 1e-2
"""Of Adam, for networks and for placeholders in standard deviations; fall to a twentieth over the
second half of the steps."""

PLACEHOLDER_FIRST = 0.2
"""Steps in which the placeholder learns alone, by those of the gates."""

TEACHING, LEAST_TAUGHT = 8, 0.3
"""Of one text in so many, the placeholder learns from random masks, too; and what these count for
at the end, where learning rates are low."""

BETAS = (0.9, 0.9)
"""Of Adam. Divergences are now and then very large; with a longer memory gates would rest after."""


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
    draw = exploring(drawing(estimator, generator, rows.device))
    objectives = [TokenObjective(epsilon, size) for _ in states]
    histories = [History() for _ in states]
    batches = endless_batches(rows, batch_size, generator)
    if learn_placeholder:
        fit_placeholders(
            explained,
            gates,
            states,
            intact,
            batches,
            n_steps=ceil(PLACEHOLDER_FIRST * n_steps),
            generator=generator,
        )
    rates = (LEARNING_RATE, PLACEHOLDER_RATE)
    groups = [{"params": list(part.parameters())} for part in (gates.networks, gates.placeholders)]
    optimizer = torch.optim.Adam(groups, betas=BETAS)
    order = [
        int(number)
        for _ in range(n_steps)
        for number in torch.randperm(len(states), generator=generator)
    ]

    progress = tqdm(order, desc="gates", unit="step", disable=None, delay=2, leave=False)
    for step, number in enumerate(progress):
        left = min(1, max(0.05, 2 - 2 * step / len(order)))
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * left
        some = next(batches)
        taught = some[: ceil(len(some) / TEACHING)] if learn_placeholder else some[:0]
        draw_random = partial(random_gates, explained, taught, gates.is_input, generator)
        parts, drawn = masked_output(
            intact,
            some,
            states[: number + 1],
            gates.is_input,
            partial(gates.locations, number),
            gates.placeholder(number),
            draw,
            (taught, draw_random) if learn_placeholder else None,
        )
        mask = explained.inputs.batch(some)["attention_mask"]
        divergence = explained.output.divergence(intact(torch.cat([some, taught])), parts)
        terms = objectives[number](drawn, divergence[: len(some)], mask)
        loss = terms.loss
        if learn_placeholder:
            loss = loss + max(LEAST_TAUGHT, left) * divergence[len(some) :].mean()
        optimizer.zero_grad()
        loss.backward(inputs=gates.learned(number, learn_placeholder))
        optimizer.step()
        history = histories[number]
        history.sizes.append(terms.size.item())
        history.divergences.append(terms.divergence.item())
        history.kept.append(mean_over_tokens(drawn.log_kept.detach().exp(), mask).mean().item())
        history.multipliers.append(terms.multiplier.item())
    return histories


def endless_batches(
    rows: torch.Tensor, batch_size: int, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Batches without end; every text once before any is drawn again."""
    while True:
        order = torch.randperm(len(rows), generator=generator)
        yield from rows[order.to(rows.device)].split(batch_size)
