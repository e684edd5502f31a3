"""From values, batch by batch, to the attributions of all texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tqdm.auto import tqdm

from neurox_lite.arguments import expect
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions


def check_explained(explained: ExplainedTexts) -> None:
    """Raise InputError for what is not ExplainedTexts."""
    expect(explained, ExplainedTexts, "explained", "such as ExplainedTexts.of_texts(model, texts)")


def attribute(
    explained: ExplainedTexts,
    method: str,
    values_of: Callable[[torch.Tensor], torch.Tensor],
    *,
    n_copies: int = 1,
    states: tuple[str, ...] = (),
    **parameters: Any,
) -> TokenAttributions:
    """Attributions of all texts, by a function from the numbers of some to their values.

    Parameters
    ----------
    explained : ExplainedTexts
    method : str
        What the attributions are called.
    values_of : function
        Of (n_rows,) numbers of texts; gives (n_rows, n_tokens) of the longest of them, or
        (n_rows, n_states, n_tokens).
    n_copies : int
        How often it reads a text at once.
    states : tuple of str
        Names of the states.
    **parameters
        Of the method, JSON-ready.
    """
    inputs = explained.inputs
    found: dict[int, Any] = {}
    said: dict[int, str] = {}
    batches = explained.batches(n_copies)
    for rows in tqdm(batches, desc=method, unit="batch", disable=None, delay=2, leave=False):
        values = values_of(rows).detach().double().cpu().numpy()
        names = explained.output.said(explained.intact(rows), rows)
        for row, of_row, name in zip(rows.tolist(), values, names, strict=True):
            found[row] = of_row[..., : len(inputs.tokens[row])]
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
        states,
        tuple(special),
        inputs.words,
        parameters,
        explained.provenance,
    )
