"""Where the attention heads of a model are.

1. The blocks are the one list of modules in which attentions are.
2. The end of a block's first attention is its only linear layer that reads what the attention
   mixed: the heads are its input.
3. Its width has to be a multiple of a number of heads that the configuration tells. Else the model
   is refused.
4. How many heads a layer has is the one number that its attention tells, or else the configuration
   (:func:`count_heads`). With grouped queries it is the number of the queries' heads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from torch import nn

from neurox_lite.models.blocks import block_lists, name_patterns, only
from neurox_lite.models.calls import Found, NotFound, is_attention, width_of
from neurox_lite.models.declared import configs_of, declared_numbers
from neurox_lite.models.trace import Call, Trace, is_linear

N_HEADS = re.compile("(attention_heads|^n_heads?|^num_heads)$")
OF_QUERIES = re.compile("(^|_)(attention|query|q)_heads$|^(n|num)_heads?$")
"""Numbers of heads of a module or configuration, but not those of keys and values."""


def find_heads(model: Any, root: nn.Module, traced: Trace) -> list[Found]:
    """What the last linear layer of every block's first attention reads: its heads."""
    calls = traced.calls
    inside = set(root.modules())
    attentions = {c.module for c in calls if c.module in inside and is_attention(c.module)}
    lists = block_lists(model, root, calls, lambda m: not attentions.isdisjoint(m.modules()))
    blocks = only(lists, "'attention_heads'")
    n_heads = declared_numbers(model, root, N_HEADS)
    ends = [_end_of_attention(calls, block, attentions) for block in blocks.calls]
    known = name_patterns(calls, [p for p in ends if p is not None], blocks)
    for block, end in zip(blocks.calls, ends, strict=True):
        name = calls[block].name
        if end is None:
            raise NotFound(f"{name} has no attention that ends with a linear layer", known)
        width = width_of(calls[end].read) or 0
        if n_heads and not any(width % n == 0 for n in n_heads):
            raise NotFound(f"{calls[end].name} reads {width} units, not {n_heads} heads", known)
    return [Found(end, "input", layer) for layer, end in enumerate(ends) if end is not None]


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


def count_heads(model: Any, root: nn.Module, name: str, width: int) -> int | None:
    """How many heads the input of a module is; None where the model does not tell one number.

    Asked are the attentions around it, the innermost first, with what is in them, and then the
    configuration.
    """
    modules = dict(model.named_modules())
    sources: list[Iterable[Any]] = []
    outer = name
    while "." in outer:
        outer = outer.rpartition(".")[0]
        if is_attention(modules[outer]):
            sources += [[module] for module in modules[outer].modules()]
    for told_by in [*sources, configs_of(model, root)]:
        found = {count for each in told_by for count in _numbers_of_heads(each, width)}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _numbers_of_heads(told_by: Any, width: int) -> set[int]:
    """Those that a module or configuration tells and that divide a width."""
    facts = vars(told_by)
    size = facts.get("attention_head_size")
    numbers = (value for name, value in facts.items() if OF_QUERIES.search(name))
    return {
        n
        for n in numbers
        if type(n) is int and n > 0 and width % n == 0 and size in (None, width // n)
    }
