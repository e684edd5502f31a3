"""How much of what a model said is left when tokens are erased, in orders of tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from neurox_lite.errors import InputError
from neurox_lite.interventions.explained_texts import TOKENS_AT_ONCE, ExplainedTexts
from neurox_lite.interventions.text_outputs import Choices
from neurox_lite.interventions.token_states import keep_tokens
from neurox_lite.progress import tqdm

PROBABILITY = "probability"


def measure_of(explained: ExplainedTexts) -> str:
    """What falls when tokens are erased: the probability of choices, else the output's score."""
    return PROBABILITY if isinstance(explained.output, Choices) else "score"


def ordinary_tokens(explained: ExplainedTexts) -> torch.Tensor:
    """Tokens that can be erased, (n_texts, n_tokens) bool: all but special ones and padding.

    Raises InputError when a text has none.
    """
    inputs = explained.inputs
    ordinary = ~inputs.is_special & (inputs.attention_mask != 0)
    for number in (~ordinary.any(1)).nonzero()[:, 0].tolist():
        raise InputError(
            f"text {number + 1}: {' '.join(inputs.tokens[number])[:60]!r} has special tokens "
            "only; leave it out"
        )
    return ordinary


def top_count(share: float, n_tokens: np.ndarray) -> np.ndarray:
    """How many tokens a share of them is, rounded up."""
    # Shares of counts are not exact: 0.07 * 100 is above 7.
    return np.ceil(share * n_tokens - 1e-9).astype(int)


def ranks_of(
    values: Sequence[np.ndarray], ordinary: torch.Tensor, draws: Sequence[np.ndarray]
) -> torch.Tensor:
    """Place of each ordinary token among those of its text, largest value first.

    Parameters
    ----------
    values : sequence of (n_tokens,) arrays
    ordinary : (n_texts, n_tokens) bool tensor
    draws : sequence of (n_tokens,) arrays
        Of equal values the one with the smallest draw is first.

    Returns
    -------
    (n_texts, n_tokens) int tensor
        0 for tokens that are not ordinary, too.
    """
    ranks = np.zeros(tuple(ordinary.shape), dtype=np.int64)
    for text, (of_text, draw) in enumerate(zip(values, draws, strict=True)):
        places = ordinary[text].nonzero()[:, 0].cpu().numpy()
        order = np.lexsort((draw[places], -of_text[places]))
        ranks[text, places[order]] = np.arange(len(places))
    return torch.as_tensor(ranks, device=ordinary.device)


@torch.no_grad()
def falls(
    explained: ExplainedTexts, ordinary: torch.Tensor, ranks: torch.Tensor, shares: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far the measure falls without the top tokens of orders, and with only these.

    Sets of tokens that several orders or shares have in common are read once.

    Parameters
    ----------
    explained : ExplainedTexts
    ordinary : (n_texts, n_tokens) bool tensor
    ranks : (n_orders, n_texts, n_tokens) int tensor
        Of :func:`ranks_of`.
    shares : sequence of float

    Returns
    -------
    intact : (n_texts,) float64 array
        The measure of the intact model.
    fall : (2, n_shares, n_orders, n_texts) float64 array
        Without the top tokens, and with these only.
    of_all : (n_texts,) float64 array
        Without any ordinary token.
    """
    n_texts = len(explained)
    counts = torch.as_tensor(
        np.stack([top_count(share, ordinary.sum(1).cpu().numpy()) for share in shares]),
        device=ordinary.device,
    )
    intact, of_all = np.zeros(n_texts), np.zeros(n_texts)
    fall = np.zeros((2, len(shares), len(ranks), n_texts))
    batches = explained.batches()
    for rows in tqdm(batches, desc="erasing", unit="batch", disable=None, delay=2, leave=False):
        can_erase = ordinary[rows]
        top = (ranks[:, rows] < counts[:, None, rows, None]) & can_erase
        erased = torch.stack([top, can_erase & ~top]).flatten(0, 2)
        # Those of no token and of all tokens are first.
        every = torch.stack([torch.zeros_like(can_erase), can_erase])
        found = _measure(explained, rows, torch.cat([every, erased]))
        numbers = rows.cpu().numpy()
        intact[numbers] = found[0]
        of_all[numbers] = found[0] - found[1]
        fall[..., numbers] = (found[0] - found[2:]).reshape(2, len(shares), len(ranks), -1)
    return intact, fall, of_all


def _measure(explained: ExplainedTexts, rows: torch.Tensor, erased: torch.Tensor) -> np.ndarray:
    """Of some texts, in which tokens are erased in several ways, (n_ways, n_rows).

    Erased tokens are (n_ways, n_rows, n_tokens) bools; their word embedding is that of the
    placeholder.
    """
    n_ways, n_rows, n_tokens = erased.shape
    row = torch.arange(n_rows, device=erased.device).expand(n_ways, n_rows).reshape(-1, 1)
    jobs, place = torch.cat([row, erased.flatten(0, 1)], dim=1).unique(dim=0, return_inverse=True)
    placeholder, output = explained.states.placeholder, explained.output
    intact = explained.intact(rows)
    is_choice = measure_of(explained) == PROBABILITY
    found = []
    for some in jobs.split(max(1, TOKENS_AT_ONCE // n_tokens)):
        of_batch = some[:, 0]
        longest = int(explained.inputs.lengths[rows[of_batch]].max())
        gates = 1 - some[:, 1 : longest + 1].float()
        parts = explained.parts(rows[of_batch], 0, keep_tokens(gates, placeholder))
        score = output.score(tuple(part[of_batch] for part in intact), parts).double()
        found.append(score.exp() if is_choice else score)
    return torch.cat(found)[place].reshape(n_ways, n_rows).cpu().numpy()
