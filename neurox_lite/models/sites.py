"""Where neurons live in an architecture: the only module that knows.

Blocks are found by structure: the outermost list of modules that the model calls one by one. One
small forward pass tells what each module reads, and what that was computed from: the feed-forward
neurons are what a linear layer reads that a nonlinear function made of another linear layer's
output; the heads are what the last linear layer of an attention reads that the attention mixed. A
model in which this does not hold is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedConfig

from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.models.dataflow import Made
from neurox_lite.models.experts import NEURONS, expose_expert_neurons, is_experts
from neurox_lite.models.lstm import LSTMLayer
from neurox_lite.models.trace import SHAPE, Call, Trace, is_linear, text_config, trace

SITES = ("hidden_states", "mlp", "attention_heads", "lstm_cell")
FEED_FORWARD_WIDTH = re.compile(
    "intermediate_size|ffn|feed_?forward_(size|dim)|^(d_ff|dff|n_inner|d_inner|hidden_dim|dim_ff)$"
)
N_HEADS = re.compile("(attention_heads|^n_heads?|^num_heads)$")
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
        Whether its states go on after the last token, as in Longformer, which pads inside.
    first, width : int
        Which neurons of its layers are here: several places may share a layer.
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
    """All places of one site in one model.

    Attributes
    ----------
    site : str
    root : str
        Name of the module whose forward pass calls all places; "" is the model itself.
    places : tuple of Place
    widths : dict
        Layer -> number of neurons, ascending by layer.
    """

    site: str
    root: str
    places: tuple[HookPoint, ...]
    widths: dict[int, int]


def find_sites(
    model: Any, site: str, *, side: str = "encoder", modules: str | None = None
) -> Sites:
    """Find the places of a site, by one forward pass of six tokens.

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
        return _named_sites(model, site, modules)
    root = _root(model, side)
    if site == "mlp":
        traced = _trace_with_experts(model, root)
    else:
        traced = trace(model, dataflow=site == "attention_heads")
    find = {
        "hidden_states": _hidden_states,
        "mlp": _feed_forwards,
        "attention_heads": _heads,
        "lstm_cell": _lstm_cells,
    }[site]
    try:
        found = _as_sites(find(model, root, traced), traced.calls, site)
        _check_padded(model, root, traced, found)
    except _NotFound as error:
        raise InputError(_refusal(model, site, error)) from None
    return found


class _NotFound(Exception):
    """Why a site is not found, and the modules that may be meant instead."""

    def __init__(self, reason: str, modules: Iterable[str] = ()):
        super().__init__(reason)
        self.modules = list(dict.fromkeys(modules))


def _refusal(model: Any, site: str, error: _NotFound) -> str:
    text = f"{type(model).__name__}: {error}; use another site than '{site}', or {BY_NAME}"
    if error.modules:
        text += ", such as " + " or ".join(f"'{name}'" for name in error.modules[:4])
    return text


def _root(model: Any, side: str) -> nn.Module:
    """The side of an encoder-decoder, or the whole model."""
    if not isinstance(getattr(model, "config", None), PreTrainedConfig):
        raise InputError(f"a {type(model).__name__} is no model of transformers; give one")
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
    """Raise unless states that go on after the last token are known to begin with the first."""
    if any(place.padded for place in sites.places):
        # The hidden states that the model tells are of tokens.
        _hidden_states(model, root, traced)


# What a call is, and what it read or wrote.


def _width(states: torch.Tensor | None) -> int | None:
    return None if states is None else states.shape[-1]


def _is_attention(module: nn.Module) -> bool:
    # JambaAttentionDecoderLayer is a block.
    name = type(module).__name__
    return (
        re.search("attention|attn", name, re.IGNORECASE) is not None
        and re.search("(layer|block)$", name, re.IGNORECASE) is None
    )


def _is_transposed(states: torch.Tensor | None) -> bool:
    return states is not None and tuple(states.shape[:2]) == SHAPE[::-1]


def _is_padded(states: torch.Tensor | None) -> bool:
    return (
        states is not None
        and states.dim() == 3
        and len(states) == SHAPE[0]
        and states.shape[1] > SHAPE[1]
    )


def _is_per_token(states: torch.Tensor | None) -> bool:
    """Whether states have one vector per token of the trial."""
    if states is None or not states.is_floating_point():
        return False
    flat = states.dim() == 2 and len(states) == SHAPE[0] * SHAPE[1]
    plain = states.dim() == 3 and tuple(states.shape[:2]) == SHAPE
    return flat or plain or (states.dim() == 3 and _is_transposed(states)) or _is_padded(states)


def _same_states(states: torch.Tensor | None, last: torch.Tensor) -> bool:
    if states is None:
        return False
    plain = states.transpose(0, 1) if _is_transposed(states) else states
    plain = plain[:, : SHAPE[1]] if _is_padded(plain) else plain
    return torch.equal(plain.detach().nan_to_num(), last.detach().nan_to_num())


@dataclass(frozen=True)
class _Found:
    """One call at which a layer is read."""

    call: int
    at: str
    layer: int
    stepwise: bool = False


def _states(found: _Found, calls: Sequence[Call]) -> torch.Tensor | None:
    call = calls[found.call]
    return call.read if found.at == "input" else call.written


# Blocks.


@dataclass(frozen=True)
class _Blocks:
    """A list of modules, and the positions of its members' calls."""

    name: str
    calls: list[int]


def _block_lists(
    model: Any, root: nn.Module, calls: Sequence[Call], is_meant: Callable[[nn.Module], bool]
) -> list[_Blocks]:
    """The outermost lists in which such a block is; all of their modules have to be called."""
    called = {call.module for call in calls}
    inside = set(root.modules())
    lists = {
        name: module
        for name, module in model.named_modules()
        if module in inside
        and isinstance(module, nn.ModuleList)
        and any(map(is_meant, module))
        and not called.isdisjoint(module.modules())
    }
    inner = {m for found in lists.values() for m in found.modules() if m is not found}
    found = []
    for name, blocks in lists.items():
        if blocks in inner:
            continue
        for number, block in enumerate(blocks):
            if block not in called:
                raise _NotFound(f"{name}.{number}: was taken for a block but is not called")
        positions = [p for p, call in enumerate(calls) if call.module in set(blocks)]
        found.append(_Blocks(name, positions))
    return found


def _only(found: list[_Blocks], what: str) -> _Blocks:
    if len(found) == 1:
        return found[0]
    if not found:
        raise _NotFound(f"no list of blocks found that has {what}")
    names = ", ".join(blocks.name for blocks in found[:4])
    raise _NotFound(f"more than one list of blocks has {what} ({names})")


def _patterns(calls: Sequence[Call], found: list[int], blocks: _Blocks) -> list[str]:
    """The names that --modules takes for these calls, with {} for the number of the block."""
    times = Counter(call.name for call in calls)
    names = [
        calls[p].name for p in found if times[calls[p].name] == 1 and _is_per_token(calls[p].read)
    ]
    inner = [name.removeprefix(f"{blocks.name}.").split(".", 1)[1:] for name in names]
    return [".".join([blocks.name, "{}", *rest]) for rest in inner]


def _stack(calls: Sequence[Call], inside: Sequence[int]) -> int:
    """The innermost call around all these that was given the token ids."""
    around = set.intersection(*(set(calls[position].outer) for position in inside))
    given = [position for position in around if calls[position].reads_ids]
    if not given:
        raise _NotFound("no module around its blocks is given the token ids")
    return max(given)


# One function per site.


def _hidden_states(model: Any, root: nn.Module, traced: Trace) -> list[_Found]:
    """The input of every block, and what the model puts out after the last one."""
    calls = traced.calls
    lists = _block_lists(
        model, root, calls, lambda module: any(map(_is_attention, module.modules()))
    ) or _block_lists(model, root, calls, lambda module: any(True for _ in module.parameters()))
    found: list[list[_Found]] = []
    problems: list[_NotFound] = []
    for blocks in lists:
        try:
            found.append(_states_around(blocks, calls))
        except _NotFound as problem:
            problems.append(problem)
    if problems and not found:
        raise problems[0]
    if len(found) != 1:
        _only(lists, "'hidden_states'")
    return found[0]


def _states_around(blocks: _Blocks, calls: Sequence[Call]) -> list[_Found]:
    found = [_Found(call, "input", layer) for layer, call in enumerate(blocks.calls)]
    if not all(_is_per_token(_states(item, calls)) for item in found):
        raise _NotFound(f"the blocks {blocks.name} do not read one vector per token")
    stack = _stack(calls, blocks.calls)
    name = type(calls[stack].module).__name__
    told = _told(calls[stack])
    outputs = [f"{blocks.name}.{{}}"]
    if len(told) not in (1, len(found) + 1):
        raise _NotFound(f"{name} has {len(told)} hidden states and {len(found)} blocks", outputs)
    after = [
        position
        for position in range(blocks.calls[-1], len(calls))
        if stack in calls[position].outer and _same_states(calls[position].written, told[-1])
    ]
    if not after:
        raise _NotFound(f"no module of {name} puts out its last hidden states", outputs)
    # Of modules inside each other that put out the same, the outermost.
    outermost = next(p for p in after if p == after[-1] or p in calls[after[-1]].outer)
    found.append(_Found(outermost, "output", len(found)))
    states = [_states(item, calls) for item in found]
    if len(told) > 1 and not all(map(_same_states, states, told)):
        raise _NotFound(f"the hidden states of {name} are not the inputs of its blocks", outputs)
    if len(told) == 1 and any(map(_is_padded, states)):
        raise _NotFound(f"{name} does not tell which of its states are those of tokens", outputs)
    return found


def _told(call: Call) -> list[torch.Tensor]:
    """What the model itself calls its hidden states, or at least its last ones."""
    told = getattr(call.result, "hidden_states", None)
    if isinstance(told, tuple | list) and told:
        if not all(isinstance(states, torch.Tensor) for states in told):
            raise _NotFound(f"the hidden states of {type(call.module).__name__} are no tensors")
        return list(told)
    last = getattr(call.result, "last_hidden_state", None)
    if last is None and hasattr(call.result, "to_tuple"):
        last = next((t for t in call.result.to_tuple() if isinstance(t, torch.Tensor)), None)
    last = call.written if last is None else last
    if not isinstance(last, torch.Tensor):
        raise _NotFound(f"{type(call.module).__name__} puts out no hidden states")
    return [last]


def _outside_attention(calls: Sequence[Call], position: int) -> bool:
    around = [*calls[position].outer, position]
    return not any(_is_attention(calls[p].module) for p in around)


def _feed_forwards(model: Any, root: nn.Module, traced: Trace) -> list[_Found]:
    """What the last linear layer of every feed-forward reads: its neurons."""
    calls = traced.calls
    inside = set(root.modules())
    ends = [
        position
        for position, call in enumerate(calls)
        if call.module in inside and _ends_feed_forward(calls, position)
    ]
    declared = _declared(model, root, FEED_FORWARD_WIDTH)
    # Where the configuration tells the width, others are adapters, routers or gates.
    fitting = [p for p in ends if _fits(calls[p], declared)]
    if ends and not fitting:
        call = calls[ends[0]]
        raise _NotFound(
            f"{call.name} reads {_width(call.read)} units, which is none of the widths in the "
            f"configuration ({', '.join(map(str, sorted(declared)))})"
        )
    if not ends:
        products = [p for p in traced.products if calls[p[0]].module in inside]
        _check_products(calls, products, frozenset())
    holders = {calls[p].module for end in fitting for p in calls[end].outer}
    blocks = _only(_block_lists(model, root, calls, holders.__contains__), "'mlp'")
    routed = {p for p in fitting if _reads_some_tokens(model, calls, p, blocks)}
    known = _patterns(calls, [p for p in fitting if p not in routed], blocks)
    found = []
    for layer, block in enumerate(blocks.calls):
        own = [p for p in fitting if block in calls[p].outer]
        try:
            if routed.intersection(own):
                raise _NotFound(
                    f"{calls[block].name} has experts that are modules of their own, which read "
                    "the tokens routed to them only"
                )
            _check_feed_forward(calls, block, own, traced.products)
        except _NotFound as problem:
            raise _NotFound(str(problem), known) from None
        own.sort(key=lambda p: not _is_neurons(calls[p]))  # shared experts after the others
        found += [_Found(p, "input", layer) for p in own]
    return found


def _check_feed_forward(
    calls: Sequence[Call], block: int, own: list[int], products: list[tuple[int, Made]]
) -> None:
    """Raise unless these linear layers read all feed-forward neurons of a block, once."""
    name = calls[block].name
    if not own:
        raise _NotFound(f"{name} has no feed-forward that is known")
    if len({calls[p].module for p in own}) < len(own):
        raise _NotFound(f"{calls[own[0]].name} is called more than once in a block")
    experts = {p for position in own if _is_neurons(calls[position]) for p in calls[position].outer}
    experts = experts.difference(calls[block].outer, [block])
    _check_products(calls, [p for p in products if block in calls[p[0]].outer], experts)


def _reads_some_tokens(model: Any, calls: Sequence[Call], position: int, blocks: _Blocks) -> bool:
    """Whether a module reads some tokens only, or is one of several of which some read none."""
    if not _is_per_token(calls[position].read):
        return True
    called = {call.module for call in calls}
    name, _, inner = calls[position].name.removeprefix(f"{blocks.name}.").partition(".")
    around = [f"{blocks.name}.{name}"]
    for part in inner.split(".")[:-1]:
        around.append(f"{around[-1]}.{part}")
    modules = [model.get_submodule(name) for name in around]
    lists = [m for m in modules if isinstance(m, nn.ModuleList | nn.ModuleDict)]
    return any(called.isdisjoint(m.modules()) for members in lists for m in members.children())


def _check_products(
    calls: Sequence[Call], products: Iterable[tuple[int, Made]], experts: Set[int]
) -> None:
    """Raise if weights are applied to neurons outside of linear layers and of these experts."""
    for position, made in products:
        call = calls[position]
        known = position in experts or not experts.isdisjoint(call.outer)
        if made.is_activated and not known and _outside_attention(calls, position):
            what = f"{call.name} ({type(call.module).__name__})"
            raise _NotFound(
                f"{what} applies weights to neurons and is no linear layer that is known"
            )


def _is_neurons(call: Call) -> bool:
    return call.name.rpartition(".")[2] == NEURONS


def _ends_feed_forward(calls: Sequence[Call], position: int) -> bool:
    call = calls[position]
    if not (is_linear(call.module) or _is_neurons(call)) or not call.made.is_activated:
        return False
    return all(_outside_attention(calls, p) for p in (position, *call.made.linears))


def _declared(model: Any, root: nn.Module, names: re.Pattern[str]) -> set[int]:
    """The numbers in the configuration of a model's text part whose names match."""
    found: set[int] = set()
    waiting = [text_config(model.config), getattr(root, "config", None)]
    while waiting:
        config = waiting.pop()
        for name, value in vars(config).items() if isinstance(config, PreTrainedConfig) else ():
            if isinstance(value, PreTrainedConfig) and config is not model.config:
                waiting.append(value)
            elif names.search(name) and not name.startswith("num_"):
                values = value if isinstance(value, list | tuple) else [value]
                found.update(v for v in values if type(v) is int and v > 1)
        if names is FEED_FORWARD_WIDTH and getattr(config, "block_auto_adjust_ff_dim", False):
            # LFM2 takes two thirds, in whole steps.
            found.add(getattr(config, "block_multiple_of", 1))
    return found


def _fits(call: Call, declared: set[int]) -> bool:
    """Whether a width is one in the configuration, several of them, or half of one."""
    width = _width(call.read) or 0
    return not declared or any(width % d == 0 or 2 * width == d for d in declared)


def _heads(model: Any, root: nn.Module, traced: Trace) -> list[_Found]:
    """What the last linear layer of every block's first attention reads: its heads."""
    calls = traced.calls
    inside = set(root.modules())
    attentions = {c.module for c in calls if c.module in inside and _is_attention(c.module)}

    def has_attention(module: nn.Module) -> bool:
        return not attentions.isdisjoint(module.modules())

    blocks = _only(_block_lists(model, root, calls, has_attention), "'attention_heads'")
    n_heads = _declared(model, root, N_HEADS)
    ends = [_end_of_attention(calls, block, attentions) for block in blocks.calls]
    known = _patterns(calls, [p for p in ends if p is not None], blocks)
    for block, end in zip(blocks.calls, ends, strict=True):
        name = calls[block].name
        if end is None:
            raise _NotFound(f"{name} has no attention that ends with a linear layer", known)
        width = _width(calls[end].read) or 0
        if n_heads and not any(width % n == 0 for n in n_heads):
            raise _NotFound(f"{calls[end].name} reads {width} units, not {n_heads} heads", known)
    return [_Found(end, "input", layer) for layer, end in enumerate(ends) if end is not None]


def _end_of_attention(calls: Sequence[Call], block: int, attentions: set[nn.Module]) -> int | None:
    """The linear layer of a block's first attention that reads what that mixed, if it is one."""
    inside = [p for p, call in enumerate(calls) if p == block or block in call.outer]
    first = next((p for p in inside if calls[p].module in attentions), None)
    ends = [
        p
        for p in inside
        if first in calls[p].outer
        and is_linear(calls[p].module)
        and any(first == mix or first in calls[mix].outer for mix in calls[p].made.mixes)
    ]
    return ends[0] if len(ends) == 1 else None


def _lstm_cells(model: Any, root: nn.Module, traced: Trace) -> list[_Found]:
    calls = traced.calls
    lists = _block_lists(model, root, calls, lambda module: isinstance(module, LSTMLayer))
    blocks = _only(lists, "'lstm_cell'")
    cells = [f"{calls[block].name}.cell" for block in blocks.calls]
    return [
        _Found(next(p for p, call in enumerate(calls) if call.name == name), "output", layer, True)
        for layer, name in enumerate(cells)
    ]


def _named_sites(model: Any, site: str, modules: str) -> Sites:
    """The places whose names the user gives."""
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
        found.append(_Found(positions[0], at, int(match[1])))
    if not found:
        raise InputError(
            f"no module named '{modules}' is called in {type(model).__name__}; give names as "
            f"model.named_modules() has them, such as '{_some_names(model, modules)}'"
        )
    try:
        sites = _as_sites(found, calls, site)
        in_encoder = calls[found[0].call].module in set(_root(model, "encoder").modules())
        _check_padded(model, _root(model, "encoder" if in_encoder else "decoder"), traced, sites)
    except _NotFound as error:
        raise InputError(f"{error}; name other modules") from None
    return sites


def _some_names(model: nn.Module, modules: str) -> str:
    """The numbered name in the model that is most like another."""
    names = dict.fromkeys(
        re.sub(r"\.\d+(\.|$)", r".{}\1", n, count=1) for n, _ in model.named_modules()
    )
    numbered = [name for name in names if "{}" in name]
    return next(iter(get_close_matches(modules, numbered, 1, 0)), "layers.{}")


def _as_sites(found: list[_Found], calls: Sequence[Call], site: str) -> Sites:
    places: dict[tuple[str, str], HookPoint] = {}
    widths: dict[int, int] = {}
    layer_of = {(item.call, item.at): item.layer for item in found}
    for item in found:
        call = calls[item.call]
        states = _states(item, calls)
        if states is None or not (item.stepwise or _is_per_token(states)):
            raise _NotFound(f"{call.name}: its {item.at} is not one vector per token")
        start = widths.get(item.layer, 0)
        widths[item.layer] = start + states.shape[-1]
        key = call.name, item.at
        if key in places:
            continue
        positions = [p for p, other in enumerate(calls) if other.name == call.name]
        layers = tuple(layer_of.get((p, item.at)) for p in positions)
        places[key] = HookPoint(
            call.name,
            item.at,
            (item.layer,) if item.stepwise else layers,
            _is_transposed(states),
            item.stepwise,
            _is_padded(states),
            start,
            states.shape[-1],
        )
    stack = calls[_stack(calls, [item.call for item in found])].name
    return Sites(site, stack, tuple(places.values()), dict(sorted(widths.items())))
