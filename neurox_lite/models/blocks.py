"""The blocks of a model: the outermost list of modules that it calls one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from neurox_lite.models.calls import NotFound, is_per_token
from neurox_lite.models.trace import Call


@dataclass(frozen=True)
class Blocks:
    """A list of modules, and the positions of its members' calls."""

    name: str
    calls: list[int]


def block_lists(
    model: Any, root: nn.Module, calls: Sequence[Call], is_meant: Callable[[nn.Module], bool]
) -> list[Blocks]:
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
                raise NotFound(f"{name}.{number}: was taken for a block but is not called")
        positions = [p for p, call in enumerate(calls) if call.module in set(blocks)]
        found.append(Blocks(name, positions))
    return found


def only(found: list[Blocks], what: str) -> Blocks:
    """The only list of blocks; raise NotFound if there is none, or more than one."""
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"no list of blocks found that has {what}")
    names = ", ".join(blocks.name for blocks in found[:4])
    raise NotFound(f"more than one list of blocks has {what} ({names})")


def name_patterns(calls: Sequence[Call], found: list[int], blocks: Blocks) -> list[str]:
    """The names that --modules takes for these calls, with {} for the number of the block."""
    times = Counter(call.name for call in calls)
    names = [
        calls[p].name for p in found if times[calls[p].name] == 1 and is_per_token(calls[p].read)
    ]
    inner = [name.removeprefix(f"{blocks.name}.").split(".", 1)[1:] for name in names]
    return [".".join([blocks.name, "{}", *rest]) for rest in inner]


def innermost_root(calls: Sequence[Call], inside: Sequence[int]) -> int:
    """The innermost call around all these that was given the token ids."""
    around = set.intersection(*(set(calls[position].outer) for position in inside))
    given = [position for position in around if calls[position].reads_ids]
    if not given:
        raise NotFound("no module around its blocks is given the token ids")
    return max(given)
