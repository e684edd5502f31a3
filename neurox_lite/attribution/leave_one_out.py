"""How far the output moves when one token is taken away."""

from __future__ import annotations

import torch

from neurox_lite.attribution.collecting import attribute, check_explained
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.token_states import keep_tokens
from neurox_lite.results.token_attributions import TokenAttributions


def leave_one_out(explained: ExplainedTexts) -> TokenAttributions:
    """Divergence of the output from the intact one, in nats, when a token alone is erased.

    Its word embedding is replaced by that of the mask token (Li et al. 2016, "Understanding Neural
    Networks through Representation Erasure", who set it to zero). One forward pass per token.
    """
    check_explained(explained)
    placeholder = explained.states.placeholder

    @torch.no_grad()
    def values_of(rows: torch.Tensor) -> torch.Tensor:
        mask = explained.inputs.batch(rows)["attention_mask"]
        intact = explained.intact(rows)
        values = torch.zeros(mask.shape, dtype=torch.float64, device=mask.device)
        for position in range(mask.shape[1]):
            gates = torch.ones(mask.shape, device=mask.device)
            gates[:, position] = 0
            changed = explained.parts(rows, 0, keep_tokens(gates, placeholder))
            values[:, position] = explained.output.divergence(intact, changed)
        return values * mask

    return attribute(explained, "leave-one-out", values_of)
