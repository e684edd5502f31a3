"""From values, batch by batch, to the attributions of all texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.text_outputs import Parts
from neurox_lite.progress import tqdm
from neurox_lite.results.token_attributions import TokenAttributions


def collect_attributions(
    explained: ExplainedTexts,
    method: str,
    read: Callable[[torch.Tensor], tuple[torch.Tensor, Parts]],
    *,
    n_copies: int = 1,
    names_of_states: tuple[str, ...] = (),
    **parameters: Any,
) -> TokenAttributions:
    """Attributions of all texts, by a function that reads some of them.

    Parameters
    ----------
    explained : ExplainedTexts
    method : str
        What the attributions are called.
    read : function
        Of (n_rows,) numbers of texts; gives values, (n_rows, n_tokens) of the longest of them or
        (n_rows, n_states, n_tokens), and the intact output.
    n_copies : int
        How often it reads a text at once.
    names_of_states : tuple of str
    **parameters
        Of the method, JSON-ready.
    """
    inputs = explained.inputs
    found: dict[int, Any] = {}
    said: dict[int, str] = {}
    batches = explained.batches(n_copies)
    for rows in tqdm(batches, desc=method, unit="batch", disable=None, delay=2, leave=False):
        tensor, intact = read(rows)
        values = tensor.detach().double().cpu().numpy()
        names = explained.output.said(intact, rows)
        for row, of_row, name in zip(rows.tolist(), values, names, strict=True):
            # A copy, so that no padding is kept.
            found[row] = of_row[..., : len(inputs.tokens[row])].copy()
            said[row] = name
    order = range(len(explained))
    special = [
        tuple(flags[: len(tokens)])
        for flags, tokens in zip(inputs.is_special.tolist(), inputs.tokens, strict=True)
    ]
    return TokenAttributions(
        method,
        inputs.tokens,
        tuple(found[row] for row in order),
        tuple(said[row] for row in order),
        names_of_states,
        tuple(special),
        inputs.words,
        parameters,
        explained.provenance,
    )
