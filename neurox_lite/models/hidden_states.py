"""Where the hidden states of a model are.

1. The blocks are the list of modules in which attentions are, or else of modules with parameters.
2. Hidden states are what each block reads, and after the last one what the model outputs.
3. They have to be those that the model itself tells, where it does. Else it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from neurox_lite.models.blocks import Blocks, block_lists, innermost_root, only
from neurox_lite.models.calls import (
    Found,
    NotFound,
    is_attention,
    is_padded,
    is_per_token,
    same_states,
    states_of,
)
from neurox_lite.models.trace import Call, Trace


def find_hidden_states(model: Any, root: nn.Module, traced: Trace) -> list[Found]:
    """The input of every block, and what the model outputs after the last one."""
    calls = traced.calls
    lists = block_lists(
        model, root, calls, lambda module: any(map(is_attention, module.modules()))
    ) or block_lists(model, root, calls, lambda module: any(True for _ in module.parameters()))
    found: list[list[Found]] = []
    problems: list[NotFound] = []
    for blocks in lists:
        try:
            found.append(_states_around(blocks, calls))
        except NotFound as problem:
            problems.append(problem)
    if problems and not found:
        raise problems[0]
    if len(found) != 1:
        only(lists, "'hidden_states'")
    return found[0]


def _states_around(blocks: Blocks, calls: Sequence[Call]) -> list[Found]:
    found = [Found(call, "input", layer) for layer, call in enumerate(blocks.calls)]
    if not all(is_per_token(states_of(item, calls)) for item in found):
        raise NotFound(f"the blocks {blocks.name} do not read one vector per token")
    root = innermost_root(calls, blocks.calls)
    name = type(calls[root].module).__name__
    told = _told(calls[root])
    outputs = [f"{blocks.name}.{{}}"]
    if len(told) not in (1, len(found) + 1):
        raise NotFound(f"{name} has {len(told)} hidden states and {len(found)} blocks", outputs)
    after = [
        position
        for position in range(blocks.calls[-1], len(calls))
        if root in calls[position].outer and same_states(calls[position].written, told[-1])
    ]
    if not after:
        raise NotFound(f"no module of {name} outputs its last hidden states", outputs)
    # Of modules inside each other that output the same, the outermost.
    outermost = next(p for p in after if p == after[-1] or p in calls[after[-1]].outer)
    found.append(Found(outermost, "output", len(found)))
    states = [states_of(item, calls) for item in found]
    if len(told) > 1 and not all(map(same_states, states, told)):
        raise NotFound(f"the hidden states of {name} are not the inputs of its blocks", outputs)
    if len(told) == 1 and any(map(is_padded, states)):
        raise NotFound(f"{name} does not tell which of its states are those of tokens", outputs)
    return found


def _told(call: Call) -> list[torch.Tensor]:
    """What the model itself calls its hidden states, or at least its last ones."""
    told = getattr(call.result, "hidden_states", None)
    if isinstance(told, tuple | list) and told:
        if not all(isinstance(states, torch.Tensor) for states in told):
            raise NotFound(f"the hidden states of {type(call.module).__name__} are not tensors")
        return list(told)
    last = getattr(call.result, "last_hidden_state", None)
    if last is None and hasattr(call.result, "to_tuple"):
        last = next((t for t in call.result.to_tuple() if isinstance(t, torch.Tensor)), None)
    last = call.written if last is None else last
    if not isinstance(last, torch.Tensor):
        raise NotFound(f"{type(call.module).__name__} outputs no hidden states")
    return [last]
