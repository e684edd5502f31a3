"""How much of each token attention carries to the tokens that the output reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import PreTrainedModel

from neurox_lite.attribution.collecting import check_explained
from neurox_lite.attribution.states import with_gradient
from neurox_lite.errors import InapplicableError
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.text_attributions import collect_attributions
from neurox_lite.interventions.text_outputs import Parts
from neurox_lite.interventions.token_states import TokenStates
from neurox_lite.results.token_attributions import TokenAttributions


def attention_rollout(explained: ExplainedTexts) -> TokenAttributions:
    """Attention of all blocks multiplied (Abnar & Zuidema 2020, section 3).

    With ``A_k`` the attention of block k, mean of its heads, I for what passes by it, and every row
    divided by its sum:

        R = (A_L + I) ... (A_1 + I)

    The values are the row of R that belongs to the token whose last state the output reads; of
    several such tokens the mean, weighted by the norm of the score's gradient in their last state.
    They sum to 1. Two forward passes.

    Raises
    ------
    InapplicableError
        When the model has blocks without attention, as an LSTM has.
    """
    check_explained(explained)
    if not isinstance(explained.states, TokenStates):
        raise InapplicableError(
            "attention rollout reads a model of transformers; use another method"
        )
    model = explained.states.loaded.model

    def read(rows: torch.Tensor) -> tuple[torch.Tensor, Parts]:
        weights, intact = reading_weights(explained, rows)
        with returning_attentions(model):
            attentions = read_attentions(explained, rows)
        return roll_out(attentions, weights), intact

    return collect_attributions(explained, "attention-rollout", read)


def roll_out(attentions: list[torch.Tensor], weights: torch.Tensor) -> torch.Tensor:
    """Rollout to weighted tokens, (n_rows, n_tokens), of attentions (n_rows, n_tokens, n_tokens).

    From the last block down, so that only these tokens are followed.
    """
    share = weights.double()
    for attention in reversed(attentions):
        share = share / (1 + attention.double().sum(-1))
        share = share + (share[:, None] @ attention.double())[:, 0]
    return share


@torch.no_grad()
def read_attentions(explained: ExplainedTexts, rows: torch.Tensor) -> list[torch.Tensor]:
    """Attention of each block, mean over its heads, (n_rows, n_tokens, n_tokens).

    Raises
    ------
    InapplicableError
        When a block has none.
    """
    loaded, batch = explained.states.loaded, explained.inputs.batch(rows)
    n_blocks, shape = explained.n_states - 2, batch["input_ids"].shape
    found = loaded.model(**batch, output_attentions=True)
    attentions = [
        each
        for each in getattr(found, "attentions", None) or ()
        if each is not None and each.shape[::2] == shape and each.shape[-1] == shape[1]
    ]
    if len(attentions) < n_blocks:
        raise InapplicableError(
            f"{loaded.name}: has no attention in {n_blocks - len(attentions)} of {n_blocks} "
            "blocks; use another method than attention rollout"
        )
    return [each.mean(1) for each in attentions[:n_blocks]]


def reading_weights(explained: ExplainedTexts, rows: torch.Tensor) -> tuple[torch.Tensor, Parts]:
    """How much the output reads the last state of each token, (n_rows, n_tokens), sum 1.

    Also the intact output.
    """
    states, parts = with_gradient(explained, rows, explained.n_states - 1)
    intact = tuple(part.detach() for part in parts)
    # Of a model so sure of itself that its score has no gradient, that of the sum of the parts.
    everything = torch.stack([part.sum(-1) for part in parts]).sum()
    norms = [
        torch.autograd.grad(total, states, retain_graph=True)[0].double().norm(dim=-1)
        for total in (explained.output.score(intact, parts).sum(), everything)
    ]
    has_gradient = norms[0].sum(1, keepdim=True) > 0
    weights = torch.where(has_gradient, norms[0], norms[1])
    return weights / weights.sum(1, keepdim=True), intact


@contextmanager
def returning_attentions(model: PreTrainedModel) -> Iterator[None]:
    """While the block runs, attention is computed in the way that gives its weights."""
    before = [
        (part.config, part.config._attn_implementation)
        for part in model.modules()
        if isinstance(part, PreTrainedModel)
    ]
    try:
        model.set_attn_implementation("eager")
        yield
    finally:
        for config, implementation in before:
            config._attn_implementation = implementation
