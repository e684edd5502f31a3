"""Where neurons live in an architecture.

1. One small forward pass tells what each module reads, and what that was computed from
   (:mod:`~neurox_lite.models.trace`).
2. Blocks are found by structure: the outermost list of modules that the model calls one by one
   (:mod:`~neurox_lite.models.blocks`).
3. The hidden states are what blocks read (:mod:`~neurox_lite.models.hidden_states`); the
   feed-forward neurons are what a linear layer reads that a nonlinear function made of another
   linear layer's output (:mod:`~neurox_lite.models.feed_forward`); the heads are what the last
   linear layer of an attention reads that the attention mixed
   (:mod:`~neurox_lite.models.attention_heads`).

A model in which this does not hold is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from torch import nn
from transformers import PreTrainedConfig

from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.models.attention_heads import count_heads, find_heads
from neurox_lite.models.blocks import block_lists, innermost_root, only
from neurox_lite.models.calls import (
    Found,
    NotFound,
    is_padded,
    is_per_token,
    is_transposed,
    states_of,
)
from neurox_lite.models.experts import NEURONS, expose_expert_neurons, is_experts
from neurox_lite.models.feed_forward import find_feed_forwards
from neurox_lite.models.hidden_states import find_hidden_states
from neurox_lite.models.lstm import LSTMLayer
from neurox_lite.models.trace import Call, Trace, trace

SITES = ("hidden_states", "mlp", "attention_heads", "lstm_cell")
BY_NAME = (
    "extract modules by name, with {} for the number of the layer, by modules= (extract --modules)"
)


@dataclass(frozen=True)
class HookPoint:
    """A module at which neurons are read or written.

    Attributes
    ----------
    module : str
        Its name in the model.
    at : {"input", "output"}
    layers : tuple of (int or None)
        The layer of each of its calls in a forward pass: modules may be shared by layers.
    transposed : bool
        Whether its states are (n_tokens, n_sentences, width), as in XLNet.
    stepwise : bool
        Whether it is called once per token, as the cell of an LSTM.
    padded : bool
        Whether its states continue after the last token, as in Longformer, which pads inside.
    first, width : int
        Which neurons of its layers are here: several points may share a layer.
    """

    module: str
    at: str
    layers: tuple[int | None, ...]
    transposed: bool
    stepwise: bool
    padded: bool
    first: int
    width: int


@dataclass(frozen=True)
class Sites:
    """All hook points of one site in one model.

    Attributes
    ----------
    site : str
    root : str
        Name of the module whose forward pass calls all of them; "" is the model itself.
    points : tuple of HookPoint
    widths : dict
        Layer -> number of neurons, ascending by layer.
    n_heads : dict
        At ``attention_heads``: layer -> number of heads, of layers whose number the model tells.
    """

    site: str
    root: str
    points: tuple[HookPoint, ...]
    widths: dict[int, int]
    n_heads: dict[int, int] = field(default_factory=dict)


def find_sites(
    model: Any, site: str, *, side: str = "encoder", modules: str | None = None
) -> Sites:
    """Find the hook points of a site, by one forward pass of six tokens.

    Parameters
    ----------
    model : PreTrainedModel
        With or without a head.
    site : {"hidden_states", "mlp", "attention_heads", "lstm_cell"}
        ``hidden_states`` counts as transformers does: 0 is the embedding output, the last one is
        after the final norm. At the other sites layer 0 is the first block.
    side : {"encoder", "decoder"}
        Of an encoder-decoder.
    modules : str, optional
        Names of modules with ``{}`` for the number of the layer, as ``h.{}.mlp.c_proj``, where
        structure does not tell. Their input is taken at ``mlp`` and ``attention_heads``, their
        output at the other sites.

    Raises
    ------
    InputError
        When the site is unknown, or this model does not have it in a form that is known and can be
        proved.
    """
    if site not in SITES:
        raise unknown_choice("site", site, SITES)
    if modules is not None:
        return _with_heads(model, model, _named_sites(model, site, modules))
    root = _root(model, side)
    if site == "mlp":
        traced = _trace_with_experts(model, root)
    else:
        traced = trace(model, dataflow=site == "attention_heads")
    find = {
        "hidden_states": find_hidden_states,
        "mlp": find_feed_forwards,
        "attention_heads": find_heads,
        "lstm_cell": _lstm_cells,
    }[site]
    try:
        found = _as_sites(find(model, root, traced), traced.calls, site)
        _check_padded(model, root, traced, found)
    except NotFound as error:
        text = f"{type(model).__name__}: {error}; use another site than '{site}', or {BY_NAME}"
        if error.modules:
            text += ", such as " + " or ".join(f"'{name}'" for name in error.modules[:4])
        raise InputError(text) from None
    return _with_heads(model, root, found)


def _with_heads(model: Any, root: nn.Module, sites: Sites) -> Sites:
    """With the number of heads of each layer, where there are heads."""
    if sites.site != "attention_heads":
        return sites
    counts: dict[int, int] = {}
    for point in sites.points:
        count = count_heads(model, root, point.module, point.width)
        if count is not None:
            counts |= {layer: count for layer in point.layers if layer is not None}
    return replace(sites, n_heads=dict(sorted(counts.items())))


def _root(model: Any, side: str) -> nn.Module:
    """The side of an encoder-decoder, or the whole model."""
    if not isinstance(getattr(model, "config", None), PreTrainedConfig):
        raise InputError(f"a {type(model).__name__} is not a transformers model; give one")
    if not model.config.is_encoder_decoder:
        return model
    root: nn.Module = model.get_encoder() if side == "encoder" else model.get_decoder()
    return root


def _trace_with_experts(model: Any, root: nn.Module) -> Trace:
    traced = trace(model, dataflow=True)
    inside = set(root.modules())
    called = dict.fromkeys(call.module for call in traced.calls if call.module in inside)
    hidden = [m for m in called if is_experts(m) and not hasattr(m, NEURONS)]
    for module in hidden:
        expose_expert_neurons(model, module)
    return trace(model, dataflow=True) if hidden else traced


def _check_padded(model: Any, root: nn.Module, traced: Trace, sites: Sites) -> None:
    """Raise unless states that continue after the last token are known to begin with the first."""
    if any(point.padded for point in sites.points):
        # The hidden states that the model tells are of tokens.
        find_hidden_states(model, root, traced)


def _lstm_cells(model: Any, root: nn.Module, traced: Trace) -> list[Found]:
    calls = traced.calls
    lists = block_lists(model, root, calls, lambda module: isinstance(module, LSTMLayer))
    blocks = only(lists, "'lstm_cell'")
    cells = [f"{calls[block].name}.cell" for block in blocks.calls]
    return [
        Found(next(p for p, call in enumerate(calls) if call.name == name), "output", layer, True)
        for layer, name in enumerate(cells)
    ]


def _named_sites(model: Any, site: str, modules: str) -> Sites:
    """The modules whose names the user gives."""
    if not isinstance(modules, str) or modules.count("{}") != 1:
        raise InputError(
            f"modules '{modules}': write {{}} once, for the number of the layer, as in "
            "'encoder.layer.{}.output.dense'"
        )
    pattern = re.compile(re.escape(modules).replace(re.escape("{}"), r"(\d+)"))
    for name, module in list(model.named_modules()):
        if is_experts(module) and pattern.fullmatch(f"{name}.{NEURONS}"):
            expose_expert_neurons(model, module)
    traced = trace(model)
    calls = traced.calls
    at = "input" if site in ("mlp", "attention_heads") else "output"
    found = []
    for name, _ in model.named_modules():
        match = pattern.fullmatch(name)
        if match is None:
            continue
        positions = [p for p, call in enumerate(calls) if call.name == name]
        if not positions:
            raise InputError(
                f"{name}: is not called when the model reads a short text; name modules that "
                "every text passes"
            )
        if len(positions) > 1:
            raise InputError(
                f"no module named '{modules}' is called once per layer: {name} is called "
                f"{len(positions)} times; name other modules"
            )
        found.append(Found(positions[0], at, int(match[1])))
    if not found:
        raise InputError(
            f"no module named '{modules}' is called in {type(model).__name__}; give names as "
            f"model.named_modules() has them, such as '{_some_names(model, modules)}'"
        )
    try:
        sites = _as_sites(found, calls, site)
        in_encoder = calls[found[0].call].module in set(_root(model, "encoder").modules())
        _check_padded(model, _root(model, "encoder" if in_encoder else "decoder"), traced, sites)
    except NotFound as error:
        raise InputError(f"{error}; name other modules") from None
    return sites


def _some_names(model: nn.Module, modules: str) -> str:
    """The numbered name in the model that is most like another."""
    names = dict.fromkeys(
        re.sub(r"\.\d+(\.|$)", r".{}\1", n, count=1) for n, _ in model.named_modules()
    )
    numbered = [name for name in names if "{}" in name]
    return next(iter(get_close_matches(modules, numbered, 1, 0)), "layers.{}")


def _as_sites(found: list[Found], calls: Sequence[Call], site: str) -> Sites:
    points: dict[tuple[str, str], HookPoint] = {}
    widths: dict[int, int] = {}
    layer_of = {(item.call, item.at): item.layer for item in found}
    for item in found:
        call = calls[item.call]
        states = states_of(item, calls)
        if states is None or not (item.stepwise or is_per_token(states)):
            raise NotFound(f"{call.name}: its {item.at} is not one vector per token")
        start = widths.get(item.layer, 0)
        widths[item.layer] = start + states.shape[-1]
        key = call.name, item.at
        if key in points:
            continue
        positions = [p for p, other in enumerate(calls) if other.name == call.name]
        layers = tuple(layer_of.get((p, item.at)) for p in positions)
        points[key] = HookPoint(
            call.name,
            item.at,
            (item.layer,) if item.stepwise else layers,
            is_transposed(states),
            item.stepwise,
            is_padded(states),
            start,
            states.shape[-1],
        )
    root = calls[innermost_root(calls, [item.call for item in found])].name
    return Sites(site, root, tuple(points.values()), dict(sorted(widths.items())))
