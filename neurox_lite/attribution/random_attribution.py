"""Random numbers: what is left of any measure when a method knows nothing."""

from __future__ import annotations

import torch
from torch.nn.utils.rnn import pad_sequence

from neurox_lite.attribution.collecting import attribute, check_explained
from neurox_lite.attribution.generators import generators
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions
from neurox_lite.seeds import validate_seed


def random_attribution(explained: ExplainedTexts, *, seed: int = 0) -> TokenAttributions:
    """A number from 0 to 1 for every token, by the seed and the tokens of its text."""
    check_explained(explained)
    seed = validate_seed(seed)

    def values_of(rows: torch.Tensor) -> torch.Tensor:
        numbers = [
            torch.rand(len(explained.inputs.tokens[row]), generator=generator)
            for row, generator in zip(
                rows.tolist(), generators(explained.inputs, rows, seed), strict=True
            )
        ]
        return pad_sequence(numbers, batch_first=True)

    return attribute(explained, "random", values_of, seed=seed)
