"""Running a batch of sentences through a model, and checking that padding changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from neurox_lite.errors import InputError
from neurox_lite.extraction.batching import batches
from neurox_lite.models.loading import LoadedModel

Sentences = Sequence[Sequence[int]]


@torch.inference_mode()
def run_batch(loaded: LoadedModel, sentences: Sentences) -> tuple[torch.Tensor, ...]:
    """Hidden states of right-padded sentences: per layer (n_sentences, n_subwords, width).

    Raises
    ------
    InputError
        When a layer does not have one vector per subword.
    """
    longest = max(map(len, sentences))
    device = loaded.model.device
    # The mask hides the padding, so any id will do; every vocabulary has a 0.
    ids = torch.tensor([[*s, *[0] * (longest - len(s))] for s in sentences], device=device)
    mask = torch.tensor([[1] * len(s) + [0] * (longest - len(s)) for s in sentences], device=device)
    output = loaded.model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    for layer, states in enumerate(output.hidden_states):
        if states.shape[:2] != ids.shape:
            raise InputError(
                f"{loaded.name}: layer {layer} does not have one vector per subword; extract from "
                "another model"
            )
    return output.hidden_states


def check_padding(loaded: LoadedModel, sentences: Sentences, batch_tokens: int) -> None:
    """Run one sentence alone and padded, and compare its hidden states.

    Some models let padding change activations: FNet ignores the attention mask, convolutions
    look beyond it.

    Raises
    ------
    InputError
        When the states differ by more than rounding.
    """
    mixed = (
        (sentences[batch[0]], sentences[batch[-1]])
        for batch in batches([len(s) for s in sentences], batch_tokens)
        if len(sentences[batch[-1]]) < len(sentences[batch[0]])
    )
    longest, shortest = next(mixed, ((), ()))
    if not longest:
        return
    padded, alone = run_batch(loaded, [longest, shortest]), run_batch(loaded, [shortest])
    for layer, (with_padding, without) in enumerate(zip(padded, alone, strict=True)):
        difference = (with_padding[1, : len(shortest)] - without[0]).abs().max()
        tolerance = torch.finfo(without.dtype).eps ** 0.5 * without.abs().max()
        if difference > tolerance:
            raise InputError(
                f"{loaded.name}: padding changes the activations of layer {layer} by up to "
                f"{difference:.2g}; extract one sentence at a time with batch_tokens=1 "
                "(--batch-tokens 1)"
            )
