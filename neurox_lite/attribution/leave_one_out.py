"""How far the output moves when one token is taken away."""

from __future__ import annotations

import torch

from neurox_lite.attribution.collecting import attribute, check_explained
from neurox_lite.attribution.states import erased_at, validate_state
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.token_states import keep_tokens
from neurox_lite.results.token_attributions import TokenAttributions


def leave_one_out(explained: ExplainedTexts, *, state: int = 0) -> TokenAttributions:
    """Divergence of the output from the intact one, in nats, when a token alone is erased.

    Its word embedding is replaced by that of the mask token, or a later state by zeros (Li et al.
    2016, "Understanding Neural Networks through Representation Erasure"). One forward pass per
    token.

    Parameters
    ----------
    explained : ExplainedTexts
    state : int
        0 for the word embeddings, k for what block k - 1 reads.

    Raises
    ------
    InputError
        When the output does not depend on such a state.
    """
    check_explained(explained)
    state = validate_state(explained, state)
    placeholder = erased_at(explained, state)

    @torch.no_grad()
    def values_of(rows: torch.Tensor) -> torch.Tensor:
        mask = explained.inputs.batch(rows)["attention_mask"]
        intact = explained.intact(rows)
        values = torch.zeros(mask.shape, dtype=torch.float64, device=mask.device)
        for position in range(mask.shape[1]):
            gates = torch.ones(mask.shape, device=mask.device)
            gates[:, position] = 0
            changed = explained.parts(rows, state, keep_tokens(gates, placeholder))
            values[:, position] = explained.output.divergence(intact, changed)
        return values * mask

    return attribute(explained, "leave-one-out", values_of, state=state)
