"""Neurons of a running model changed at some tokens: what replacing and adding to them share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import Any

import torch
from torch import nn

from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.models.hooks import rewrite
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.location import Positions
from neurox_lite.models.sites import Sites
from neurox_lite.models.trace import in_dry_run
from neurox_lite.neurons import NeuronSpace


def unwrap(model: LoadedModel | nn.Module) -> nn.Module:
    """The model itself, of a loaded or a compiled one; it has to be in the caller's hands."""
    module = model.model if isinstance(model, LoadedModel) else model
    module = getattr(module, "_orig_mod", module)
    if not isinstance(module, nn.Module):
        raise InputError(
            f"a {type(model).__name__} is not a model in memory; give what load_model returns, or "
            "a transformers model"
        )
    return module


@contextmanager
def edit_neurons(
    model: nn.Module,
    sites: Sites,
    space: NeuronSpace,
    change: Callable[..., torch.Tensor],
    parts: Mapping[str, torch.Tensor],
    *,
    positions: Positions = "all",
    layers: Sequence[int] | None = None,
) -> Iterator[None]:
    """While the block runs, a function of some tensors decides what the model continues with.

    Parameters
    ----------
    model, sites
    space : NeuronSpace
        Of the columns of the parts.
    change : function of (states, tokens, *parts)
        States are (n_sentences, n_positions, width); tokens broadcast to them, 1 where neurons may
        change and 0 elsewhere; so do the parts, of the layer. All are of one dtype. Returns new
        states.
    parts : mapping of (n_neurons,) or (n_sentences, n_neurons) tensors
        By the name that errors call them.
    positions
        As for :func:`neurox_lite.interventions.intervene.intervene`.
    layers : sequence of int, optional
        All of the space by default.

    Raises
    ------
    InputError
        When a shape does not fit, or a position is not a token of the batch.
    """
    named = " or ".join(parts)
    for tensor in parts.values():
        if tensor.dim() not in (1, 2) or tensor.shape[-1] != space.n_neurons:
            raise InputError(
                f"{named} of shape {tuple(tensor.shape)}; give ({space.n_neurons},) or "
                f"(n_sentences, {space.n_neurons})"
            )
    if isinstance(positions, str) and positions not in ("all", "last"):
        raise unknown_choice("positions", positions, ("all", "last", "an array"), "or a function")
    layers = space.layers if layers is None else layers
    of_layer = {
        layer: [_per_token(part[..., space.columns(layer)]) for part in parts.values()]
        for layer in layers
    }
    chosen: dict[str, torch.Tensor] = {}

    def choose(module: nn.Module, args: Any, kwargs: Mapping[str, Any]) -> None:
        if in_dry_run():
            return
        inputs = signature(module.forward).bind(*args, **kwargs).arguments
        chosen["tokens"] = _chosen_tokens(positions, inputs)

    def rewritten(layer: int, position: int, states: torch.Tensor) -> torch.Tensor:
        own = [part.to(states.dtype) for part in of_layer[layer]]
        for part in own:
            if part.dim() == 3 and len(part) != len(states):
                raise InputError(
                    f"{named} of {len(part)} sentences, not {len(states)}; give one row of "
                    "neurons per sentence of the batch"
                )
        tokens = states.new_ones(1)
        if chosen:
            here = slice(position, position + states.shape[1])
            tokens = chosen["tokens"][:, here, None].to(states.dtype)
        return change(states, tokens, *own)

    handle = None
    try:
        if not (isinstance(positions, str) and positions == "all"):
            root = model.get_submodule(sites.root)
            handle = root.register_forward_pre_hook(choose, with_kwargs=True)
        with rewrite(model, sites, rewritten, layers):
            yield
    finally:
        if handle is not None:
            handle.remove()


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
    numbers = n_cached + torch.arange(shape[1], device=ids.device)
    if isinstance(positions, str):
        return numbers == torch.where(mask != 0, numbers, -1).amax(1, keepdim=True)
    if callable(positions) and not isinstance(positions, torch.Tensor):
        tokens = positions(ids, mask)
    else:
        tokens = torch.as_tensor(positions, device=ids.device)
        if tokens.dtype in (torch.int32, torch.int64) and tuple(tokens.shape) == shape[:1]:
            is_cached = (tokens >= 0) & (tokens < n_cached)
            tokens = (numbers == tokens[:, None]) & (mask != 0)
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
