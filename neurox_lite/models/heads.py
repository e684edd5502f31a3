"""What a model predicts from its states: nothing, tokens, classes of texts, or answers in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
)

from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.models.model_files import read_config

LANGUAGE_HEADS = ("ForCausalLM", "LMHeadModel", "ForMaskedLM", "ForPreTraining")
OTHER_HEADS = {
    "classification": ("ForSequenceClassification", AutoModelForSequenceClassification),
    "question-answering": ("ForQuestionAnswering", AutoModelForQuestionAnswering),
}
TEXT_TO_TEXT_HEADS = ("ForConditionalGeneration", "MTModel", "EncoderDecoderModel")
HEADS = ("language", *OTHER_HEADS, "text-to-text")


def class_for(config: PreTrainedConfig, head: str | None, name: str) -> Any:
    """The Auto class that gives the model this head."""
    if head is None:
        return AutoModel
    if head not in HEADS:
        raise unknown_choice("head", head, HEADS)
    architecture = next(iter(config.architectures or []), "")
    auto: Any
    if head in OTHER_HEADS:
        ending, auto = OTHER_HEADS[head]
        known = ending in architecture
    elif head == "text-to-text":
        auto = AutoModelForSeq2SeqLM
        known = config.is_encoder_decoder and (
            not architecture or architecture.endswith(TEXT_TO_TEXT_HEADS)
        )
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


def head_of(model: Any) -> str | None:
    """The head that a model has in its files, to load it by name or path; None for the base model.

    Of a model in memory None: it has the head it has.
    """
    if not isinstance(model, str | Path):
        return None
    architecture = next(iter(read_config(str(model)).architectures or []), "")
    for head, (ending, _) in OTHER_HEADS.items():
        if ending in architecture:
            return head
    return "language" if architecture.endswith(LANGUAGE_HEADS) else None


@torch.no_grad()
def sees_what_follows(model: PreTrainedModel) -> bool:
    """Whether another second token changes what a language model predicts after the first."""
    ids = torch.tensor([[0, 1], [0, 2]], device=model.device)
    one, other = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, 0]
    return not torch.allclose(one, other, rtol=1e-3, atol=1e-3)
