"""What a language model predicts: the logits of all tokens, or of one of each text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from neurox_lite.errors import InputError
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.trace import dry_run


def predict(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, tokens: torch.Tensor | None = None
) -> torch.Tensor:
    """Logits in float32, (n_texts, n_tokens, vocabulary).

    With ``tokens``, one of each text, their logits alone are computed: (n_texts, 1, vocabulary).
    """
    if tokens is None:
        return model(input_ids=ids, attention_mask=mask).logits.float()
    with _one_token(model.get_output_embeddings(), tokens):
        logits = model(input_ids=ids, attention_mask=mask).logits
    if logits.shape[1] > 1:
        # Heads that multiply by the output layer's weight and do not call it, as MobileBERT's.
        logits = logits[torch.arange(len(ids), device=logits.device), tokens][:, None]
    return logits.float()


@torch.no_grad()
def check_padding(loaded: LoadedModel, ids: torch.Tensor, mask: torch.Tensor) -> None:
    """Run the shortest text alone and beside the longest one, and compare its last logits.

    Some models let padding change what they say: FNet ignores the attention mask, convolutions look
    beyond it. InputError when they differ by more than rounding.
    """
    lengths = mask.sum(1)
    rows = torch.stack([lengths.argmin(), lengths.argmax()])
    shortest, longest = lengths[rows].tolist()
    if shortest == longest:
        return
    has_output = loaded.model.get_output_embeddings() is not None
    last = lengths[rows] - 1 if has_output else None
    both, one = rows, rows[:1]
    with dry_run():
        padded = predict(loaded.model, ids[both, :longest], mask[both, :longest], last)[0]
        only = None if last is None else last[:1]
        alone = predict(loaded.model, ids[one, :shortest], mask[one, :shortest], only)[0]
    if alone.dim() == 2:
        # Of all tokens, or of that one.
        padded, alone = padded[len(alone) - 1], alone[-1]
    said = alone.isfinite()
    if not said.any():
        return  # nothing to compare
    spread = float(alone[said].max() - alone[said].min() if len(alone) > 1 else alone.abs())
    difference = float((padded - alone)[said].abs().max())
    if not difference <= _rounding(loaded.model) * spread:
        raise InputError(
            f"{loaded.name}: padding changes its predictions, by up to {difference:.2g}; "
            "give texts of the same number of tokens"
        )


def _rounding(model: nn.Module) -> float:
    """How far logits of the same input may differ, as a share of their spread."""
    eps = torch.finfo(next(model.parameters()).dtype).eps
    if torch.get_float32_matmul_precision() != "highest" or torch.is_autocast_enabled():
        eps = max(eps, torch.finfo(torch.bfloat16).eps)
    return eps**0.5


@contextmanager
def _one_token(output_layer: nn.Module, tokens: torch.Tensor) -> Iterator[None]:
    """While the block runs, the output layer is given one token of each text."""

    def choose(module: nn.Module, args: tuple[torch.Tensor, ...]) -> torch.Tensor:
        (states,) = args
        return states[torch.arange(len(states), device=states.device), tokens][:, None]

    handle = output_layer.register_forward_pre_hook(choose)
    try:
        yield
    finally:
        handle.remove()
