"""What stands in the place of tokens: learned from texts of which tokens are masked at random.

De Cao et al. (2020) learn it with the gates, which can make it take a side: when it says "bad",
texts that are bad need no token. With masks that do not depend on what the text says,

    min over b:   E over random masks of KL(p || p~)

it can only say what is known from the tokens that are left: what the model says of the whole text
where these decide, and what it says of texts on average where they do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.token_states import keep_tokens
from neurox_lite.masking.gate_network import TokenGates
from neurox_lite.masking.masked_texts import IntactTexts
from neurox_lite.progress import trange

RATE = 0.03
"""Of Adam, in standard deviations of units."""


def fit_placeholders(
    explained: ExplainedTexts,
    gates: TokenGates,
    states: Sequence[int],
    intact: IntactTexts,
    batches: Iterator[torch.Tensor],
    *,
    n_steps: int,
    generator: torch.Generator,
) -> None:
    """Train the placeholders in place, ``n_steps`` for each state.

    Parameters
    ----------
    explained, gates, states, intact, generator
        As for :func:`~neurox_lite.masking.token_search.search_gates`.
    batches : iterator of (n_rows,) int tensors
        Texts to train on.
    n_steps : int
    """
    optimizer = torch.optim.Adam(gates.placeholders.parameters(), lr=RATE)
    for _ in trange(n_steps, desc="placeholder", unit="step", disable=None, delay=2, leave=False):
        for number in range(len(states)):
            loss = random_mask_divergence(
                explained, gates, number, states, intact, next(batches), generator
            )
            optimizer.zero_grad()
            loss.backward(inputs=gates.learned_placeholder(number))
            optimizer.step()


def random_mask_divergence(
    explained: ExplainedTexts,
    gates: TokenGates,
    number: int,
    states: Sequence[int],
    intact: IntactTexts,
    rows: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """Mean KL of the output of some texts with tokens masked at random.

    Of a state by its ``number`` among the states.
    """
    gates_of_texts = random_gates(explained, rows, gates.is_input, generator)
    change = keep_tokens(gates_of_texts, gates.placeholder(number))
    parts = explained.parts(rows, 0 if gates.is_input else states[number], change)
    return explained.output.divergence(intact(rows), parts).mean()


def random_gates(
    explained: ExplainedTexts, rows: torch.Tensor, is_input: bool, generator: torch.Generator
) -> torch.Tensor:
    """Gates of 0 and 1 that do not depend on what the texts say, (n_rows, n_tokens).

    Of some texts most tokens are kept, of others few; where word embeddings are masked, special
    tokens are kept as they are by gates.
    """
    mask = explained.inputs.batch(rows)["attention_mask"]
    share = torch.rand(len(rows), 1, generator=generator)
    is_kept = (torch.rand(mask.shape, generator=generator) < share).to(mask.device)
    if is_input:
        is_kept = is_kept | explained.inputs.is_special[rows][:, : mask.shape[1]]
    return is_kept.float()
