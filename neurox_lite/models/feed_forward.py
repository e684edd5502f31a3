"""Where the feed-forward neurons of a model are.

1. Ends are linear layers, outside of attention, that read what a nonlinear function made of another
   linear layer's output, or experts whose neurons are exposed.
2. Of these, neurons are read where the width is one that the configuration tells; others are
   adapters, routers or gates.
3. The blocks are the one list of modules in which such ends are.
4. Every block has to have them, once each, reading every token, and no other weights may be applied
   to neurons. Else the model is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from typing import Any

from torch import nn

from neurox_lite.models.blocks import Blocks, block_lists, name_patterns, only
from neurox_lite.models.calls import Found, NotFound, is_attention, is_per_token, width_of
from neurox_lite.models.dataflow import Made
from neurox_lite.models.declared import configs_of, declared_numbers
from neurox_lite.models.experts import NEURONS
from neurox_lite.models.trace import Call, Trace, is_linear

FEED_FORWARD_WIDTH = re.compile(
    "intermediate_size|ffn|feed_?forward_(size|dim)|^(d_ff|dff|n_inner|d_inner|hidden_dim|dim_ff)$"
)


def find_feed_forwards(model: Any, root: nn.Module, traced: Trace) -> list[Found]:
    """What the last linear layer of every feed-forward reads: its neurons."""
    calls = traced.calls
    inside = set(root.modules())
    ends = [
        position
        for position, call in enumerate(calls)
        if call.module in inside and _ends_feed_forward(calls, position)
    ]
    declared = _widths(model, root)
    # Where the configuration tells the width, others are adapters, routers or gates.
    fitting = [p for p in ends if _fits(calls[p], declared)]
    if ends and not fitting:
        call = calls[ends[0]]
        raise NotFound(
            f"{call.name} reads {width_of(call.read)} units, which is none of the widths in the "
            f"configuration ({', '.join(map(str, sorted(declared)))})"
        )
    if not ends:
        products = [p for p in traced.products if calls[p[0]].module in inside]
        _check_products(calls, products, frozenset())
    holders = {calls[p].module for end in fitting for p in calls[end].outer}
    blocks = only(block_lists(model, root, calls, holders.__contains__), "'mlp'")
    routed = {p for p in fitting if _reads_some_tokens(model, calls, p, blocks)}
    known = name_patterns(calls, [p for p in fitting if p not in routed], blocks)
    found = []
    for layer, block in enumerate(blocks.calls):
        own = [p for p in fitting if block in calls[p].outer]
        try:
            if routed.intersection(own):
                raise NotFound(
                    f"{calls[block].name} has experts that are modules of their own, which read "
                    "the tokens routed to them only"
                )
            _check_feed_forward(calls, block, own, traced.products)
        except NotFound as problem:
            raise NotFound(str(problem), known) from None
        own.sort(key=lambda p: not _is_neurons(calls[p]))  # shared experts after the others
        found += [Found(p, "input", layer) for p in own]
    return found


def _check_feed_forward(
    calls: Sequence[Call], block: int, own: list[int], products: list[tuple[int, Made]]
) -> None:
    """Raise unless these linear layers read all feed-forward neurons of a block, once."""
    name = calls[block].name
    if not own:
        raise NotFound(f"{name} has no feed-forward that is known")
    if len({calls[p].module for p in own}) < len(own):
        raise NotFound(f"{calls[own[0]].name} is called more than once in a block")
    experts = {p for position in own if _is_neurons(calls[position]) for p in calls[position].outer}
    experts = experts.difference(calls[block].outer, [block])
    _check_products(calls, [p for p in products if block in calls[p[0]].outer], experts)


def _reads_some_tokens(model: Any, calls: Sequence[Call], position: int, blocks: Blocks) -> bool:
    """Whether a module reads some tokens only, or is one of several of which some read none."""
    if not is_per_token(calls[position].read):
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
            raise NotFound(
                f"{what} applies weights to neurons and is not a linear layer that is known"
            )


def _is_neurons(call: Call) -> bool:
    return call.name.rpartition(".")[2] == NEURONS


def _ends_feed_forward(calls: Sequence[Call], position: int) -> bool:
    call = calls[position]
    if not (is_linear(call.module) or _is_neurons(call)) or not call.made.is_activated:
        return False
    return all(_outside_attention(calls, p) for p in (position, *call.made.linears))


def _outside_attention(calls: Sequence[Call], position: int) -> bool:
    around = [*calls[position].outer, position]
    return not any(is_attention(calls[p].module) for p in around)


def _widths(model: Any, root: nn.Module) -> set[int]:
    """Of feed-forwards, as the configuration tells them."""
    declared = declared_numbers(model, root, FEED_FORWARD_WIDTH)
    for config in configs_of(model, root):
        if getattr(config, "block_auto_adjust_ff_dim", False):
            # LFM2 takes two thirds, in whole steps.
            declared.add(getattr(config, "block_multiple_of", 1))
    return declared


def _fits(call: Call, declared: set[int]) -> bool:
    """Whether a width is one in the configuration, several of them, or half of one."""
    width = width_of(call.read) or 0
    return not declared or any(width % d == 0 or 2 * width == d for d in declared)
