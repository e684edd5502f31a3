"""Running a batch of inputs through a model, and handing over one vector per word and layer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import torch

from neurox_lite.errors import InputError
from neurox_lite.extraction.aggregation import WordPositions
from neurox_lite.extraction.batching import batches
from neurox_lite.extraction.model_input import ModelInput
from neurox_lite.models.hooks import record
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.sites import Sites

Receive = Callable[[int, torch.Tensor], None]


@torch.inference_mode()
def run_batch(
    loaded: LoadedModel,
    sites: Sites,
    layers: Collection[int],
    inputs: Sequence[ModelInput],
    aggregation: str,
    receive: Receive,
) -> None:
    """Run right-padded inputs and hand over the vectors of their words, layer by layer.

    Parameters
    ----------
    loaded : LoadedModel
    sites : Sites
    layers : collection of int
    inputs : sequence of ModelInput
    aggregation : {"last", "first", "average"}
    receive : function of (layer, vectors)
        Vectors are (n_rows, width), on the model's device, for the rows of all inputs in order.

    Raises
    ------
    InputError
        When a layer does not have one vector per subword.
    """
    device = loaded.model.device
    ids, mask = _padded([item.ids for item in inputs], device)
    words = WordPositions(inputs, device)

    received: set[int] = set()

    def visit(layer: int, states: torch.Tensor) -> None:
        received.add(layer)
        if states.shape[:2] != ids.shape:
            raise InputError(
                f"{loaded.name}: layer {layer} does not have one vector per subword; extract from "
                "another model"
            )
        receive(layer, words.aggregate(states, aggregation))

    arguments: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
    if any(len(item.token_types) for item in inputs):
        arguments["token_type_ids"] = _padded([item.token_types for item in inputs], device)[0]
    model = loaded.model
    if not loaded.is_encoder_decoder and hasattr(model.config, "use_cache"):
        arguments["use_cache"] = False
    if loaded.is_encoder_decoder:
        if any(len(item.source) for item in inputs):
            source, source_mask = _padded([item.source for item in inputs], device)
            arguments = {
                "input_ids": source,
                "attention_mask": source_mask,
                "decoder_input_ids": ids,
                "decoder_attention_mask": mask,
                "use_cache": False,
            }
        else:
            model = model.get_encoder()
    with record(loaded.model, sites, visit, layers, stop=True):
        model(**arguments)
    if received != set(layers):
        raise InputError(
            f"{loaded.name}: layers {sorted(set(layers) - received)} did not run; extract from a "
            "model whose modules are not changed"
        )


def _padded(
    sequences: Sequence[np.ndarray], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-padded ids and their mask; the mask hides the padding, so any id will do."""
    longest = max(map(len, sequences))
    ids = np.zeros((len(sequences), longest), np.int64)
    mask = np.zeros((len(sequences), longest), np.int64)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def check_padding(
    loaded: LoadedModel,
    sites: Sites,
    layers: Collection[int],
    inputs: Sequence[ModelInput],
    batch_tokens: int,
) -> None:
    """Run one input of usual length alone and padded, and compare its activations.

    Some models let padding change activations: FNet ignores the attention mask, convolutions
    look beyond it. Raises InputError when they differ by more than rounding.
    """
    mixed = [
        (inputs[batch[0]], inputs[batch[-1]])
        for batch in batches([len(item) for item in inputs], batch_tokens)
        if len(inputs[batch[-1]]) < len(inputs[batch[0]])
    ]
    if not mixed:
        return
    longest, shortest = mixed[len(mixed) // 2]
    padded: dict[int, torch.Tensor] = {}
    alone: dict[int, torch.Tensor] = {}
    run_batch(loaded, sites, layers, [longest, shortest], "last", padded.__setitem__)
    run_batch(loaded, sites, layers, [shortest], "last", alone.__setitem__)
    for layer, without in alone.items():
        difference = (padded[layer][len(longest.rows) :] - without).abs().max()
        tolerance = torch.finfo(without.dtype).eps ** 0.5 * without.abs().max()
        if difference > tolerance:
            raise InputError(
                f"{loaded.name}: padding changes the activations of layer {layer} by up to "
                f"{difference:.2g}; extract one sentence at a time with batch_tokens=1 "
                "(--batch-tokens 1)"
            )
