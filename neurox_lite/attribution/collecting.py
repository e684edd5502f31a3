"""What attribution methods share: their argument is checked, their values are collected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from neurox_lite.arguments import expect
from neurox_lite.errors import InputError
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.text_attributions import collect_attributions
from neurox_lite.interventions.text_outputs import Parts
from neurox_lite.results.token_attributions import TokenAttributions


def check_explained(explained: ExplainedTexts) -> None:
    """Raise InputError for what is not ExplainedTexts."""
    expect(explained, ExplainedTexts, "explained", "what ExplainedTexts.of_texts returns")


def distinct_methods(attributions: Sequence[TokenAttributions]) -> tuple[str, ...]:
    """What the methods are called; InputError when two have one name."""
    names = [each.method for each in attributions]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"attributions '{name}': given twice; give each a name of its own, "
                "dataclasses.replace(attributions, method=...)"
            )
    return tuple(names)


def attribute(
    explained: ExplainedTexts,
    method: str,
    values_of: Callable[[torch.Tensor], torch.Tensor],
    *,
    n_copies: int = 1,
    **parameters: Any,
) -> TokenAttributions:
    """Attributions of all texts, by a function from the numbers of some to their values.

    Parameters
    ----------
    explained : ExplainedTexts
    method : str
        What the attributions are called.
    values_of : function
        Of (n_rows,) numbers of texts; gives (n_rows, n_tokens) of the longest of them.
    n_copies : int
        How often it reads a text at once.
    **parameters
        Of the method, JSON-ready.
    """

    def read(rows: torch.Tensor) -> tuple[torch.Tensor, Parts]:
        return values_of(rows), explained.intact(rows)

    return collect_attributions(explained, method, read, n_copies=n_copies, **parameters)
