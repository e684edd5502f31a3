"""The same for every token: what any method has to be better than."""

from __future__ import annotations

import torch

from neurox_lite.attribution.collecting import attribute, check_explained
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions


def uniform(explained: ExplainedTexts) -> TokenAttributions:
    """One over the number of tokens of the text, special tokens counted."""
    check_explained(explained)

    def values_of(rows: torch.Tensor) -> torch.Tensor:
        mask = explained.inputs.batch(rows)["attention_mask"]
        return mask / mask.sum(1, keepdim=True)

    return attribute(explained, "uniform", values_of)
