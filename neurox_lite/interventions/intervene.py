"""Neurons of a running model replaced by other values: at any site, layer and position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from neurox_lite.arguments import expect
from neurox_lite.errors import InputError
from neurox_lite.interventions.edits import edit_neurons, unwrap
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.location import Positions
from neurox_lite.models.neuron_spaces import as_values, check_fits, check_space
from neurox_lite.models.sites import Sites, find_sites
from neurox_lite.neurons import NeuronSpace, check_revision
from neurox_lite.results.neuron_mask import NeuronMask


@contextmanager
def intervene(
    model: LoadedModel | nn.Module,
    mask: NeuronMask,
    *,
    positions: Positions | None = None,
    replacement: np.ndarray | torch.Tensor | None = None,
    sites: Sites | None = None,
    side: str = "encoder",
) -> Iterator[None]:
    """While the block runs, every forward pass has the neurons of a mask replaced.

    A neuron h of layer l becomes ``(1 - m) h + m b``, out of place, so that gradients reach what
    the model computed before (De Cao et al. 2022, eq. 1). Where m is 0 nothing changes, bit by bit.

    Parameters
    ----------
    model : LoadedModel or Module
        With or without a head.
    mask : NeuronMask
    positions : str, array or function
        By default where the mask was fitted, or every token of a mask made by hand.

        - "all": every token.
        - "last": the last real token of each sentence.
        - (n_sentences,) ints: one token of each sentence, from 0, special tokens counted.
        - (n_sentences, n_tokens) bools: these tokens.
        - a function of input_ids and attention_mask, both (n_sentences, n_tokens), that gives such
          bools.

        In an LSTM a replaced cell is what the next time step starts from. In generation every
        forward pass has its neurons replaced, and ints count from the start of the text. With a
        cache, "last" are the last token of the prompt and every new one, which stay replaced, and
        a function is asked about the new tokens only; without, the text is read again each time.
    replacement : (n_neurons,) or (n_sentences, n_neurons) array, optional
        Instead of the mask's: values of its own for every sentence of the batch, such as class
        means or the activations of other inputs
        (see :mod:`neurox_lite.interventions.replacement_values`).
    sites : Sites, optional
        From :func:`find_sites` if known, which saves a small forward pass.
    side : {"encoder", "decoder"}
        Of an encoder-decoder.

    Raises
    ------
    InputError
        When the model does not have the mask's site or layers, the mask was made from another
        model or fitted at one word and no positions are given, or a shape does not fit.

    Notes
    -----
    Neurons are replaced where the next module reads them: ``output_hidden_states=True`` shows the
    middle layers as they were before, :func:`neurox_lite.models.hooks.record` as they are used.
    """
    expect(mask, NeuronMask, "mask", "a NeuronMask, as NeuronMask.of(space, neurons)")
    if positions is None:
        positions = mask.parameters.get("positions", "all")
        if positions not in ("all", "last"):
            raise InputError(
                f"the mask was fitted at word {positions} of each prefix; give positions=: all, or "
                "the token of that word in each sentence"
            )
    module = unwrap(model)
    sites = find_sites(module, mask.space.site, side=side) if sites is None else sites
    check_space(sites, mask.space)
    if isinstance(model, LoadedModel):
        check_revision(mask.space, model.revision, f"mask '{mask.method}'")
    weights = next(module.parameters())
    gates = torch.as_tensor(mask.gates, device=weights.device).float()
    given = mask.replacement if replacement is None else replacement
    values = as_values(given, weights.device, "replacement")
    check_fits(values, torch.float32, "a replacement")
    if values.shape[-1:] == gates.shape:
        # What stands where no neuron is replaced may be too large for the model.
        values = torch.where(gates > 0, values, 0)
    check_fits(values, weights.dtype, "a replacement")
    used = [layer for layer in mask.space.layers if mask.gates[mask.space.columns(layer)].any()]
    with replacing_neurons(
        module, sites, mask.space, gates, values, positions=positions, layers=used
    ):
        yield


@contextmanager
def replacing_neurons(
    model: nn.Module,
    sites: Sites,
    space: NeuronSpace,
    gates: torch.Tensor,
    values: torch.Tensor,
    *,
    positions: Positions = "all",
    layers: Sequence[int] | None = None,
) -> Iterator[None]:
    """:func:`intervene` with tensors, through which gradients flow."""

    def replaced(
        states: torch.Tensor, tokens: torch.Tensor, gate: torch.Tensor, value: torch.Tensor
    ) -> torch.Tensor:
        # Exact at both ends: h where the gate is 0, b where it is 1.
        return torch.lerp(states, value.expand_as(states), gate * tokens)

    parts = {"gates": gates, "values": values}
    with edit_neurons(model, sites, space, replaced, parts, positions=positions, layers=layers):
        yield
