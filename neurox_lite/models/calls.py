"""What the modules of a model read and write when it reads a short text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from neurox_lite.models.trace import SHAPE, Call


class NotFound(Exception):
    """Why a site is not found, and the modules that may be meant instead."""

    def __init__(self, reason: str, modules: Iterable[str] = ()):
        super().__init__(reason)
        self.modules = list(dict.fromkeys(modules))


@dataclass(frozen=True)
class Found:
    """One call at which a layer is read."""

    call: int
    at: str
    layer: int
    stepwise: bool = False


def states_of(found: Found, calls: Sequence[Call]) -> torch.Tensor | None:
    """What was read or written there."""
    call = calls[found.call]
    return call.read if found.at == "input" else call.written


def width_of(states: torch.Tensor | None) -> int | None:
    """How many units states have."""
    return None if states is None else states.shape[-1]


def is_attention(module: nn.Module) -> bool:
    """Whether a module is an attention, by the name of its class."""
    # JambaAttentionDecoderLayer is a block.
    name = type(module).__name__
    return (
        re.search("attention|attn", name, re.IGNORECASE) is not None
        and re.search("(layer|block)$", name, re.IGNORECASE) is None
    )


def is_transposed(states: torch.Tensor | None) -> bool:
    """Whether states are (n_tokens, n_sentences, width)."""
    return states is not None and tuple(states.shape[:2]) == SHAPE[::-1]


def is_padded(states: torch.Tensor | None) -> bool:
    """Whether states continue after the last token."""
    return (
        states is not None
        and states.dim() == 3
        and len(states) == SHAPE[0]
        and states.shape[1] > SHAPE[1]
    )


def is_per_token(states: torch.Tensor | None) -> bool:
    """Whether states have one vector per token of the traced text."""
    if states is None or not states.is_floating_point():
        return False
    flat = states.dim() == 2 and len(states) == SHAPE[0] * SHAPE[1]
    plain = states.dim() == 3 and tuple(states.shape[:2]) == SHAPE
    return flat or plain or (states.dim() == 3 and is_transposed(states)) or is_padded(states)


def same_states(states: torch.Tensor | None, last: torch.Tensor) -> bool:
    """Whether states are equal, padding and order of their axes apart."""
    if states is None:
        return False
    plain = states.transpose(0, 1) if is_transposed(states) else states
    plain = plain[:, : SHAPE[1]] if is_padded(plain) else plain
    return torch.equal(plain.detach().nan_to_num(), last.detach().nan_to_num())
