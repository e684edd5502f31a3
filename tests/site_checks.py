"""What has to hold of every site that is found: proved on one model at a time."""

from __future__ import annotations

from typing import Any

import torch
import transformers as tf

from neurox_lite.models.hooks import record, rewrite
from neurox_lite.models.sites import Sites

LENGTHS = (7, 4)


def texts(model: tf.PreTrainedModel, n_tokens: int = 100) -> dict[str, torch.Tensor]:
    """Two texts of seven and four tokens, padded on the right."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, n_tokens, (2, LENGTHS[0]), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, LENGTHS[1] :] = 0
    inputs = {"input_ids": ids, "attention_mask": mask}
    if model.config.is_encoder_decoder:
        inputs |= {"decoder_input_ids": ids.clone(), "decoder_attention_mask": mask.clone()}
    return inputs


def recorded(
    model: tf.PreTrainedModel, sites: Sites, inputs: dict[str, torch.Tensor], **options: Any
) -> tuple[dict[int, torch.Tensor], Any]:
    """The states of every layer, and the model's output."""
    found: dict[int, torch.Tensor] = {}

    def receive(layer: int, states: torch.Tensor) -> None:
        found[layer] = states.clone()

    torch.manual_seed(0)  # some sample
    with torch.no_grad(), record(model, sites, receive):
        output = model(**inputs, **options)
    return found, output


def check_hidden_states(model: tf.PreTrainedModel, sites: Sites, side: str) -> None:
    """They are those that transformers tells, at all tokens that are no padding."""
    inputs = texts(model)
    real = inputs["attention_mask"].bool()
    found, output = recorded(model, sites, inputs, output_hidden_states=True)
    name = f"{side}_hidden_states" if model.config.is_encoder_decoder else "hidden_states"
    told = output.get(name) or []  # models of text and images may not pass them on
    assert len(told) in (0, len(found))
    for layer, states in enumerate(told):
        assert torch.equal(found[layer][real], states[real]), layer


def check_writing(model: tf.PreTrainedModel, sites: Sites) -> None:
    """What was read and is written back changes no bit; other values in any layer do."""
    inputs = texts(model)
    intact = _output(model, inputs)
    visited = set()

    def same(layer: int, position: int, states: torch.Tensor) -> torch.Tensor:
        visited.add(layer)
        return states.clone()

    with rewrite(model, sites, same):
        assert torch.equal(_output(model, inputs), intact)
    assert visited == set(sites.widths)
    for layer in sites.widths:
        with rewrite(model, sites, _otherwise, [layer]):
            assert not torch.equal(_output(model, inputs), intact), layer
    assert torch.equal(_output(model, inputs), intact)


def check_batches(model: tf.PreTrainedModel, sites: Sites) -> None:
    """A text read with padding has the states it has alone, if the model's output has."""
    inputs = texts(model)
    alone = {name: tensor[1:, : LENGTHS[1]] for name, tensor in inputs.items()}
    batched, single = _output(model, inputs)[1:], _output(model, alone)
    batched = batched[:, : LENGTHS[1]] if single.dim() == 3 else batched
    if batched.shape != single.shape or not torch.allclose(batched, single, atol=1e-5, rtol=1e-4):
        return  # padding changes what it computes; extraction refuses batches of it
    together, _ = recorded(model, sites, inputs)
    for layer, states in recorded(model, sites, alone)[0].items():
        assert states.shape == (1, LENGTHS[1], sites.widths[layer])
        torch.testing.assert_close(together[layer][1:, : LENGTHS[1]], states, atol=1e-4, rtol=1e-3)


def _otherwise(layer: int, position: int, states: torch.Tensor) -> torch.Tensor:
    """Other states, of which no norm makes the old ones."""
    return states + torch.linspace(0, 1, states.shape[-1])


@torch.no_grad()
def _output(model: tf.PreTrainedModel, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    torch.manual_seed(0)
    output = model(**inputs)
    states = getattr(output, "last_hidden_state", None)
    return output[0] if states is None else states
