"""One small forward pass in which every call of every module is noted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

SHAPE = (2, 3)
"""Sentences and tokens of the trial: different, so that transposed states are recognised."""

_ON_TRIAL = ContextVar("on trial", default=False)


@dataclass
class Call:
    """One call of a module.

    Attributes
    ----------
    name : str
        Of the module in the model.
    module : Module
    outer : tuple of int
        Positions of the calls that were running when this one started, outermost first.
    read : Tensor or None
        The states that went in.
    result : object
        What came out.
    reads_ids : bool
        Whether it was given the token ids.
    """

    name: str
    module: nn.Module
    outer: tuple[int, ...]
    read: torch.Tensor | None
    reads_ids: bool
    result: Any = None

    @property
    def written(self) -> torch.Tensor | None:
        """The states that came out, where the module gives a tensor or a tuple of them."""
        first = self.result[0] if isinstance(self.result, tuple) else self.result
        return first if isinstance(first, torch.Tensor) else None


@contextmanager
def trial() -> Iterator[None]:
    """While the block runs, forward passes are trials: hooks of interventions leave them alone."""
    token = _ON_TRIAL.set(True)
    try:
        yield
    finally:
        _ON_TRIAL.reset(token)


def on_trial() -> bool:
    """Whether the forward pass under way is a trial."""
    return _ON_TRIAL.get()


@torch.inference_mode()
def trace(model: Any) -> list[Call]:
    """Run the model on six tokens and give every call of a module, in the order they started."""
    ids = _trial_ids(model)
    inputs = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "output_hidden_states": True,
    }
    if model.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = ids
    with trial(), _noting(model) as calls:
        model(**inputs)
    return calls


def _trial_ids(model: Any) -> torch.Tensor:
    """Six tokens, (2, 3). Of an encoder-decoder both end a text, which some classifiers need."""
    vocabulary = getattr(model.get_input_embeddings(), "num_embeddings", None)
    vocabulary = model.config.vocab_size if vocabulary is None else vocabulary
    ids = torch.arange(SHAPE[0] * SHAPE[1]) % vocabulary
    end = getattr(model.config, "eos_token_id", None)
    if model.config.is_encoder_decoder and isinstance(end, int):
        ids = torch.where(ids == end, (end + 1) % vocabulary, ids)
        ids[SHAPE[1] - 1 :: SHAPE[1]] = end
    return ids.view(SHAPE).to(next(model.parameters()).device)


@contextmanager
def _noting(model: nn.Module) -> Iterator[list[Call]]:
    calls: list[Call] = []
    running: list[int] = []
    name_of = {module: name for name, module in model.named_modules()}

    def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
        ids = args[0] if args else kwargs.get("input_ids")
        reads_ids = isinstance(ids, torch.Tensor) and not ids.is_floating_point()
        read = first_tensor(args, kwargs)
        call = Call(name_of[module], module, tuple(running), read, reads_ids)
        running.append(len(calls))
        calls.append(call)

    def leave(module: nn.Module, args: Any, output: Any) -> None:
        calls[running.pop()].result = output

    handles = []
    try:
        for module in name_of:
            handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
            handles.append(module.register_forward_hook(leave))
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def first_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor | None:
    """The states among a module's arguments: its first one, or that called ``hidden_states``."""
    if args:
        return args[0] if isinstance(args[0], torch.Tensor) else None
    return kwargs.get("hidden_states")
