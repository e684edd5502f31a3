"""The search for gates of tokens: as few as possible, while the output stays what it is.

For every state l, ``min size`` with ``E[KL(p || p~)] <= epsilon`` (De Cao et al. 2020, section 2):

1. Read all texts once: what the model says of them, and the moments of their states.
2. Draw a state, each as often as any other, and a batch of texts.
3. Read the locations of gates off the states of tokens, and draw gates; of a quarter of the texts
   so that every token may be kept, or for the placeholder so that none is
   (:func:`~neurox_lite.masking.token_draws.exploring`).
4. Run the model with a state h masked, ``z h + (1 - z) b``, and measure the divergence, of the
   other texts for lambda.
5. Descend by Adam on ``size + lambda_l (KL - epsilon)``, in gate networks and placeholder. Of
   REINFORCE, whose gates have no gradient, the divergence less its moving average times the
   log-probability of the gates is added to KL.
6. Lead lambda_l so that the divergence is epsilon
   (:class:`~neurox_lite.masking.multiplier.Multiplier`).
7. Repeat from 2; the learning rate falls over the second half of the steps. In the first steps
   the placeholder learns alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from tqdm.auto import tqdm

from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.masking.gate_network import TokenGates
from neurox_lite.masking.masked_texts import IntactTexts, masked_output
from neurox_lite.masking.token_draws import drawing, exploring, mean_over_tokens
from neurox_lite.masking.token_objective import TokenObjective

LEARNING_RATE = 3e-3
"""Of Adam, for networks and for placeholders in standard deviations; falls to a twentieth over the
second half of the steps."""

ALONE = 0.03
"""Share of the steps in which the placeholder learns alone; in as many more the rate of networks
rises."""

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
    draw = exploring(drawing(estimator, generator, rows.device), close_some=learn_placeholder)
    objectives = [TokenObjective(epsilon, size) for _ in states]
    histories = [History() for _ in states]
    groups = [{"params": list(part.parameters())} for part in (gates.networks, gates.placeholders)]
    optimizer = torch.optim.Adam(groups, lr=LEARNING_RATE, betas=BETAS)
    batches = _batches(rows, batch_size, generator)
    order = [
        int(number)
        for _ in range(n_steps)
        for number in torch.randperm(len(states), generator=generator)
    ]

    progress = tqdm(order, desc="gates", unit="step", disable=None, delay=2, leave=False)
    for step, number in enumerate(progress):
        done = step / len(order)
        rate = LEARNING_RATE * min(1, max(0.05, 2 - 2 * done))
        for group, share in zip(optimizer.param_groups, (rises(done), 1), strict=True):
            group["lr"] = rate * share
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
        terms = objectives[number](drawn, divergence, mask)
        optimizer.zero_grad()
        terms.loss.backward(inputs=gates.learned(number, learn_placeholder))
        optimizer.step()
        history = histories[number]
        history.sizes.append(terms.size.item())
        history.divergences.append(terms.divergence.item())
        history.kept.append(mean_over_tokens(drawn.log_kept.detach().exp(), mask).mean().item())
        history.multipliers.append(terms.multiplier.item())
    return histories


def rises(done: float) -> float:
    """Share of the learning rate of networks, by that of the steps done."""
    return min(1.0, max(0.0, done / ALONE - 1))


def _batches(
    rows: torch.Tensor, batch_size: int, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Batches without end; every text once before any is drawn again."""
    while True:
        order = torch.randperm(len(rows), generator=generator)
        yield from rows[order.to(rows.device)].split(batch_size)
