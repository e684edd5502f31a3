"""What a model predicts from its states: nothing, tokens or classes of texts."""

from __future__ import annotations

from typing import Any

import torch
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
)

from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError

LANGUAGE_HEADS = ("ForCausalLM", "LMHeadModel", "ForMaskedLM", "ForPreTraining")


def class_for(config: PreTrainedConfig, head: str | None, name: str) -> Any:
    """The Auto class that gives the model this head."""
    if head is None:
        return AutoModel
    if head not in ("language", "classification"):
        raise unknown_choice("head", head, ("language", "classification"))
    architecture = next(iter(config.architectures or []), "")
    if head == "classification":
        known = "ForSequenceClassification" in architecture
        auto: Any = AutoModelForSequenceClassification
    else:
        # Weights that are shared with the embeddings are never missing from the files.
        known = not config.is_encoder_decoder and (
            not architecture or architecture.endswith(LANGUAGE_HEADS)
        )
        is_causal = architecture.endswith(("ForCausalLM", "LMHeadModel"))
        is_masked = not is_causal and type(config) in AutoModelForMaskedLM._model_mapping
        auto = AutoModelForMaskedLM if is_masked else AutoModelForCausalLM
    if not known or type(config) not in auto._model_mapping:
        raise InputError(
            f"{name}: a {architecture or config.model_type} has no {head} head; give a model "
            f"trained for that"
        )
    return auto


@torch.no_grad()
def sees_what_follows(model: PreTrainedModel) -> bool:
    """Whether another second token changes what a language model predicts after the first."""
    ids = torch.tensor([[0, 1], [0, 2]], device=model.device)
    one, other = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, 0]
    return not torch.allclose(one, other, rtol=1e-3, atol=1e-3)
