"""Where neurons live in an architecture: the only module that knows.

Blocks are found by structure: the outermost list of modules that each hold an attention (or an
LSTM). Inside a block, one small forward pass tells which linear layer is called last in the
attention (its input are the heads) and outside of it (its input are the feed-forward neurons).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.models.experts import experts_of, show_neurons
from neurox_lite.models.lstm import LSTMLayer
from neurox_lite.models.trace import SHAPE, Call, trace

SITES = ("hidden_states", "mlp", "attention_heads", "lstm_cell")
BY_NAME = "extract modules by name, with {} for the number of the layer, by modules= (--modules)"


@dataclass(frozen=True)
class Place:
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
    """

    module: str
    at: str
    layers: tuple[int | None, ...]
    transposed: bool = False
    stepwise: bool = False


@dataclass(frozen=True)
class Sites:
    """All places of one site in one model.

    Attributes
    ----------
    site : str
    stack : str
        Name of the module whose forward pass calls all places; "" is the model itself.
    places : tuple of Place
    widths : dict
        Layer -> number of neurons, ascending by layer.
    """

    site: str
    stack: str
    places: tuple[Place, ...]
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
        When the site is unknown or this model does not have it in a form that is known.
    """
    if site not in SITES:
        raise unknown_choice("site", site, SITES)
    if modules is not None:
        calls = trace(model)
        found = _named(calls, site, modules)
    else:
        blocks = _block_names(model, side, site)
        if site == "mlp":
            for experts in {e for name in blocks for e in experts_of(model.get_submodule(name))}:
                show_neurons(model, experts)
        calls = trace(model)
        find = {"hidden_states": _hidden_states, "lstm_cell": _lstm_cells}.get(site, _projections)
        found = find(calls, blocks, site)
    return _as_sites(found, calls, site)


def _width(states: torch.Tensor | None) -> int | None:
    return None if states is None else states.shape[-1]


def _is_attention(module: nn.Module) -> bool:
    return re.search("attention|attn", type(module).__name__, re.IGNORECASE) is not None


def _is_linear(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear | Conv1D)


def _block_names(model: Any, side: str, site: str) -> list[str]:
    root = model
    if model.config.is_encoder_decoder:
        root = model.get_encoder() if side == "encoder" else model.get_decoder()
    lists = [
        module for module in root.modules() if isinstance(module, nn.ModuleList) and len(module)
    ]
    if site == "lstm_cell":
        found = _outermost(lists, lambda block: isinstance(block, LSTMLayer))
    else:
        found = _outermost(lists, lambda block: any(map(_is_attention, block.modules())))
        if site == "hidden_states" and not found:
            # Models without attention; that these are the hidden states is checked further on.
            found = [m for m in _outermost(lists, lambda _: True) if len(set(map(type, m))) == 1]
    if len(found) != 1:
        raise InputError(
            f"{type(model).__name__}: {'no' if not found else 'more than one'} list of blocks "
            f"found that has '{site}'; use another site, or {BY_NAME}"
        )
    return [name for name, module in model.named_modules() if module in list(found[0])]


def _outermost(
    lists: list[nn.ModuleList], is_block: Callable[[nn.Module], bool]
) -> list[nn.ModuleList]:
    """The lists of nothing but blocks that lie in no other such list."""
    found = [modules for modules in lists if all(map(is_block, modules))]
    inner = {module for modules in found for module in modules.modules() if module is not modules}
    return [modules for modules in found if modules not in inner]


@dataclass(frozen=True)
class _Found:
    """One call at which a layer is read."""

    call: int
    at: str
    layer: int
    transposed: bool = False
    stepwise: bool = False


def _states(found: _Found, calls: list[Call]) -> torch.Tensor | None:
    call = calls[found.call]
    return call.read if found.at == "input" else call.written


def _block_calls(calls: list[Call], blocks: list[str]) -> list[int]:
    found = [position for position, call in enumerate(calls) if call.name in blocks]
    if not found:
        raise InputError(f"{blocks[0]}: was taken for a block but is not called; {BY_NAME}")
    return found


def _stack(calls: list[Call], inside: list[int]) -> int:
    """The innermost call around all these that was given the token ids."""
    around = set.intersection(*(set(calls[position].outer) for position in inside))
    return max(position for position in around if calls[position].reads_ids)


def _hidden_states(calls: list[Call], blocks: list[str], site: str) -> list[_Found]:
    """The input of every block, and what the model puts out after the last one."""
    block_calls = _block_calls(calls, blocks)
    found = [
        _Found(call, "input", layer, transposed=_is_transposed(calls[call].read))
        for layer, call in enumerate(block_calls)
    ]
    stack = _stack(calls, block_calls)
    last = calls[stack].result[0]
    after = [
        position
        for position in range(block_calls[-1], len(calls))
        if stack in calls[position].outer and _same_states(calls[position].written, last)
    ]
    if not after:
        raise InputError(
            f"{type(calls[stack].module).__name__}: no module puts out its last hidden states; "
            f"{BY_NAME}"
        )
    # Of modules inside each other that put out the same, the outermost.
    outermost = next(p for p in after if p == after[-1] or p in calls[after[-1]].outer)
    transposed = _is_transposed(calls[outermost].written)
    found.append(_Found(outermost, "output", len(found), transposed=transposed))
    _check_hidden_states([_states(item, calls) for item in found], calls[stack])
    return found


def _check_hidden_states(found: list[torch.Tensor | None], stack: Call) -> None:
    """Compare with what the model itself calls its hidden states."""
    told = getattr(stack.result, "hidden_states", None)
    if told and not (len(found) == len(told) and all(map(_same_states, found, told))):
        raise InputError(
            f"{type(stack.module).__name__}: its hidden states are not the inputs of its blocks; "
            f"{BY_NAME}"
        )


def _same_states(states: torch.Tensor | None, last: torch.Tensor) -> bool:
    if states is None:
        return False
    plain = states.transpose(0, 1) if _is_transposed(states) else states
    return torch.equal(plain.detach().nan_to_num(), last.detach().nan_to_num())


def _is_transposed(states: torch.Tensor | None) -> bool:
    return states is not None and tuple(states.shape[:2]) == SHAPE[::-1]


def _projections(calls: list[Call], blocks: list[str], site: str) -> list[_Found]:
    """Per block, the last linear layer back to the block's width, in or outside the attention."""
    found = []
    for layer, block in enumerate(_block_calls(calls, blocks)):
        width = _width(calls[block].read)
        inside = [p for p, call in enumerate(calls) if block in call.outer]
        attentions = [p for p in inside if _is_attention(calls[p].module)]
        if site == "attention_heads":
            first = attentions[:1]
            candidates = [p for p in inside if first and first[0] in calls[p].outer]
        else:
            candidates = [
                p for p in inside if p not in attentions and not set(attentions) & {*calls[p].outer}
            ]
        experts = [p for p in candidates if calls[p].name.endswith(".neurons")]
        projections = [
            p
            for p in candidates
            if _is_linear(calls[p].module) and _width(calls[p].written) == width
        ]
        if site == "mlp" and experts:
            if projections:
                raise InputError(
                    f"{calls[block].name}: has routed experts and {calls[projections[-1]].name} "
                    f"beside them; {BY_NAME}"
                )
            projections = experts
        if not projections:
            what = "attention" if site == "attention_heads" else "feed-forward"
            raise InputError(
                f"{calls[block].name}: no linear layer found that ends its {what}; use "
                f"another site, or {BY_NAME}"
            )
        found.append(
            _Found(
                projections[-1],
                "input",
                layer,
                transposed=_is_transposed(calls[projections[-1]].read),
            )
        )
    return found


def _lstm_cells(calls: list[Call], blocks: list[str], site: str) -> list[_Found]:
    cells = [f"{name}.cell" for name in blocks]
    return [
        _Found(
            next(p for p, call in enumerate(calls) if call.name == name),
            "output",
            layer,
            stepwise=True,
        )
        for layer, name in enumerate(cells)
    ]


def _named(calls: list[Call], site: str, modules: str) -> list[_Found]:
    pattern = re.escape(modules).replace(re.escape("{}"), r"(\d+)")
    at = "input" if site in ("mlp", "attention_heads") else "output"
    found = []
    for position, call in enumerate(calls):
        match = re.fullmatch(pattern, call.name)
        if match:
            layer = int(match[1]) if match.groups() else 0
            states = call.read if at == "input" else call.written
            found.append(_Found(position, at, layer, transposed=_is_transposed(states)))
    if not found or len({f.layer for f in found}) < len(found):
        problem = "is called" if not found else "is called once per layer"
        raise InputError(f"no module named '{modules}' {problem}; give its name in the model")
    return found


def _as_sites(found: list[_Found], calls: list[Call], site: str) -> Sites:
    places: dict[tuple[str, str], Place] = {}
    widths = {}
    for item in found:
        call = calls[item.call]
        states = _states(item, calls)
        if states is None:
            raise InputError(f"{call.name}: has no tensor as its {item.at}; name other modules")
        widths[item.layer] = states.shape[-1]
        key = call.name, item.at
        if key in places:
            continue
        positions = [p for p, other in enumerate(calls) if other.name == call.name]
        layer_of = {f.call: f.layer for f in found if f.at == item.at}
        layers = (item.layer,) if item.stepwise else tuple(map(layer_of.get, positions))
        places[key] = Place(call.name, item.at, layers, item.transposed, item.stepwise)
    stack = calls[_stack(calls, [item.call for item in found])].name
    return Sites(site, stack, tuple(places.values()), dict(sorted(widths.items())))
