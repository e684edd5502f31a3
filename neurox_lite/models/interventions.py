"""Neurons of a running model replaced by other values: at any site, layer and position."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import nn

from neurox_lite.errors import InputError
from neurox_lite.models.hooks import rewrite
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.sites import Sites, find_sites
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.neuron_mask import NeuronMask

Chooser = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Positions = str | torch.Tensor | np.ndarray | Chooser


@contextmanager
def intervene(
    model: LoadedModel | nn.Module,
    mask: NeuronMask,
    *,
    positions: Positions = "all",
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
        - "all": every token.
        - "last": the last real token of each sentence.
        - (n_sentences,) ints: one token of each sentence, from 0, special tokens counted.
        - (n_sentences, n_tokens) bools: these tokens.
        - a function of input_ids and attention_mask, both (n_sentences, n_tokens), that gives such
          bools.

        In an LSTM a replaced cell is what the next time step goes on from. In generation every
        forward pass has its neurons replaced, and ints count from the start of the text. With a
        cache, "last" are the last token of the prompt and every new one, which stay replaced, and
        a function is asked about the new tokens only; without, the text is read again each time.
    replacement : (n_neurons,) or (n_sentences, n_neurons) array, optional
        Instead of the mask's: values of its own for every sentence of the batch, such as class
        means or the activations of other inputs (see :mod:`neurox_lite.models.replacements`).
    sites : Sites, optional
        From :func:`find_sites` if known, which saves a small forward pass.
    side : {"encoder", "decoder"}
        Of an encoder-decoder.

    Raises
    ------
    InputError
        When the model does not have the mask's site or layers, the mask was made from another
        model, or a shape does not fit.
    """
    module = model.model if isinstance(model, LoadedModel) else model
    sites = find_sites(module, mask.space.site, side=side) if sites is None else sites
    check_space(sites, mask.space)
    if isinstance(model, LoadedModel):
        check_revision(mask.space, model.revision, f"mask '{mask.method}'")
    device = next(module.parameters()).device
    gates = torch.as_tensor(mask.gates, device=device).float()
    given = mask.replacement if replacement is None else replacement
    values = torch.as_tensor(given, device=device).float()
    if not torch.isfinite(values).all():
        raise InputError("a replacement is NaN or infinite; give finite numbers")
    used = [layer for layer in mask.space.layers if mask.gates[mask.space.columns(layer)].any()]
    with replacing_neurons(
        module,
        sites,
        mask.space,
        gates,
        values,
        positions=positions,
        layers=used,
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
    """:func:`intervene` with tensors, through which gradients flow.

    Parameters
    ----------
    model : Module
    sites : Sites
    space : NeuronSpace
        Of the columns of gates and values.
    gates, values : (n_neurons,) or (n_sentences, n_neurons) tensors
    positions
        As for :func:`intervene`.
    layers : sequence of int, optional
        All of the space by default.

    Raises
    ------
    InputError
        When a shape does not fit, or a position is no token of the batch.
    """
    for tensor in (gates, values):
        if tensor.dim() not in (1, 2) or tensor.shape[-1] != space.n_neurons:
            raise InputError(
                f"gates or values of shape {tuple(tensor.shape)}; give ({space.n_neurons},) or "
                f"(n_sentences, {space.n_neurons})"
            )
    if isinstance(positions, str) and positions not in ("all", "last"):
        raise InputError(f"unknown positions '{positions}'; use all, last, an array or a function")
    layers = space.layers if layers is None else layers
    parts = {
        layer: (_per_token(gates[..., columns]), _per_token(values[..., columns]))
        for layer, columns in ((layer, space.columns(layer)) for layer in layers)
    }
    chosen: dict[str, torch.Tensor] = {}

    def choose(module: nn.Module, args: Any, kwargs: Mapping[str, Any]) -> None:
        inputs = signature(module.forward).bind(*args, **kwargs).arguments
        chosen["tokens"] = _chosen_tokens(positions, inputs)

    def change(layer: int, position: int, states: torch.Tensor) -> torch.Tensor:
        gate, value = (part.to(states.dtype) for part in parts[layer])
        for part in (gate, value):
            if part.dim() == 3 and len(part) != len(states):
                raise InputError(
                    f"gates or values of {len(part)} sentences, not {len(states)}; give one row of "
                    "neurons per sentence of the batch"
                )
        if chosen:
            tokens = chosen["tokens"][:, position : position + states.shape[1], None]
            gate = gate * tokens.to(states.dtype)
        # Exact at both ends: h where the gate is 0, b where it is 1.
        return torch.lerp(states, value.expand_as(states), gate)

    handle = None
    try:
        if not (isinstance(positions, str) and positions == "all"):
            stack = model.get_submodule(sites.stack)
            handle = stack.register_forward_pre_hook(choose, with_kwargs=True)
        with rewrite(model, sites, change, layers):
            yield
    finally:
        if handle is not None:
            handle.remove()


def check_space(sites: Sites, space: NeuronSpace) -> None:
    """Raise InputError unless a model has these neurons.

    Parameters
    ----------
    sites : Sites
        Of the model.
    space : NeuronSpace
    """
    if space.site != sites.site:
        raise InputError(f"neurons of '{space.site}' in a model's '{sites.site}'; use one site")
    for layer, width in zip(space.layers, space.widths, strict=True):
        if layer not in sites.widths:
            raise InputError(
                f"no layer {layer} at '{sites.site}'; the model has layers "
                f"{', '.join(map(str, sites.widths))}"
            )
        if sites.widths[layer] != width:
            raise InputError(
                f"layer {layer} has {sites.widths[layer]} neurons at '{sites.site}', not {width}; "
                "give what was made from this model"
            )


def check_revision(space: NeuronSpace, revision: str, what: str) -> None:
    """Raise InputError when neurons are known to be those of another model.

    Parameters
    ----------
    space : NeuronSpace
    revision : str
        Of the model; empty when it is not known.
    what : str
        What was made from the neurons.
    """
    if space.revision and revision and space.revision != revision:
        raise InputError(
            f"{what} was made from {space.model} ({space.revision}), not from this model "
            f"({revision}); give the same one"
        )


def space_in(sites: Sites, layers: Sequence[int] | None, loaded: LoadedModel) -> NeuronSpace:
    """The neurons of some layers of a loaded model, all by default.

    Raises
    ------
    InputError
        When the model does not have one of the layers.
    """
    known = list(sites.widths)
    chosen = known if layers is None else [known[n] if -len(known) <= n < 0 else n for n in layers]
    space = NeuronSpace(
        loaded.name,
        sites.site,
        tuple(chosen),
        tuple(sites.widths.get(layer, 1) for layer in chosen),
        loaded.revision,
    )
    check_space(sites, space)
    return space


def _per_token(part: torch.Tensor) -> torch.Tensor:
    return part[:, None] if part.dim() == 2 else part


def _chosen_tokens(positions: Positions, inputs: Mapping[str, Any]) -> torch.Tensor:
    """Which tokens of the batch to replace, (n_sentences, n_tokens) bool."""
    ids = inputs.get("input_ids")
    if ids is None:
        ids = inputs["inputs_embeds"][..., 0]
    shape = tuple(ids.shape)
    mask = inputs.get("attention_mask")
    if mask is None or mask.dim() != 2:
        mask = torch.ones(shape, dtype=torch.long, device=ids.device)
    cache = inputs.get("past_key_values")
    n_cached = 0 if cache is None else int(cache.get_seq_length())
    mask = mask[:, -shape[1] :]
    places = n_cached + torch.arange(shape[1], device=ids.device)
    if isinstance(positions, str):
        return places == torch.where(mask != 0, places, -1).amax(1, keepdim=True)
    if callable(positions) and not isinstance(positions, torch.Tensor):
        tokens = positions(ids, mask)
    else:
        tokens = torch.as_tensor(positions, device=ids.device)
        if tokens.dtype in (torch.int32, torch.int64) and tuple(tokens.shape) == shape[:1]:
            is_cached = (tokens >= 0) & (tokens < n_cached)
            tokens = (places == tokens[:, None]) & (mask != 0)
            if not (tokens.any(1) | is_cached).all():
                raise InputError(
                    f"a position is not one of the {shape[1]} tokens of the batch, or is padding"
                )
    if tokens.dtype != torch.bool or tuple(tokens.shape) != shape:
        raise InputError(
            f"positions of shape {tuple(tokens.shape)} ({tokens.dtype}); give one token per "
            f"sentence, or bools of shape {shape}"
        )
    return tokens
