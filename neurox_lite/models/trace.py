"""One small forward pass in which every call of every module is noted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from inspect import signature
from itertools import islice
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedConfig
from transformers.pytorch_utils import Conv1D

from neurox_lite.errors import InputError
from neurox_lite.models.dataflow import CONSTANT, Dataflow, Made

SHAPE = (2, 3)
"""Sentences and tokens that are read: different, so that transposed states are recognised."""

_DRY_RUN = ContextVar("dry run", default=False)


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
    made : Made
        What the states that went in were computed from, where that was asked for.
    """

    name: str
    module: nn.Module
    outer: tuple[int, ...]
    read: torch.Tensor | None
    reads_ids: bool
    made: Made = CONSTANT
    result: Any = None

    @property
    def written(self) -> torch.Tensor | None:
        """The states that came out, where the module gives a tensor or a tuple of them."""
        first = self.result[0] if isinstance(self.result, tuple) else self.result
        return first if isinstance(first, torch.Tensor) else None


@contextmanager
def dry_run() -> Iterator[None]:
    """While the block runs, hooks of interventions leave forward passes alone."""
    token = _DRY_RUN.set(True)
    try:
        yield
    finally:
        _DRY_RUN.reset(token)


def in_dry_run() -> bool:
    """Whether the forward pass under way is one of :func:`dry_run`."""
    return _DRY_RUN.get()


@dataclass
class Trace:
    """One forward pass of six tokens.

    Attributes
    ----------
    calls : list of Call
        Every call of a module, in the order they started.
    products : list of (int, Made)
        See :class:`neurox_lite.models.dataflow.Dataflow`; outside of linear layers.
    """

    calls: list[Call]
    products: list[tuple[int, Made]]


def is_linear(module: nn.Module) -> bool:
    """Whether a module is a linear layer."""
    return isinstance(module, nn.Linear | Conv1D)


@torch.inference_mode()
def trace(model: Any, *, dataflow: bool = False) -> Trace:
    """Run the model on six tokens and give every call of a module, in the order they started.

    With ``dataflow`` what states are made of is noted, too, which takes longer.
    """
    name = type(model).__name__
    known = signature(model.forward).parameters
    takes_all = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in known.values())
    if "input_ids" not in known and not takes_all:
        raise InputError(f"{name}: reads no token ids (input_ids); give a model of text")
    ids = _short_ids(model)
    inputs = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "output_hidden_states": True,
    }
    if "use_cache" in known:
        inputs["use_cache"] = False
    if model.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = ids.clone()
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
    inputs = {key: value for key, value in inputs.items() if takes_all or key in known}
    running: list[int] = []
    tensors = [value for value in inputs.values() if isinstance(value, torch.Tensor)]
    flow = Dataflow(tensors, running) if dataflow else None
    try:
        with dry_run(), _noting(model, running, flow) as calls, flow or nullcontext():
            model(**inputs)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # whatever a model raises that needs images or speech
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        advice = "give a model that runs on token ids alone"
        if "HigherOrderOperator" in reason:
            advice = "load it with attn_implementation='sdpa'"
        raise InputError(
            f"{name}: fails when it reads six tokens ({type(error).__name__}: {reason[:200]}); "
            f"{advice}"
        ) from error
    products = [] if flow is None else flow.products
    return Trace(calls, [p for p in products if not is_linear(calls[p[0]].module)])


def text_config(config: PreTrainedConfig) -> PreTrainedConfig:
    """The part of a model's configuration that is of text; all of it where there are several."""
    try:
        return config.get_text_config()
    except ValueError:
        return config


def _short_ids(model: Any) -> torch.Tensor:
    """Six tokens, (2, 3). Of an encoder-decoder both end a text, which some classifiers need."""
    config = model.config
    try:
        vocabulary = model.get_input_embeddings().num_embeddings
    except (AttributeError, NotImplementedError):  # CLIP and CANINE do not tell
        vocabulary = getattr(text_config(config), "vocab_size", 100)
    # Tokens that stand for images or sound want them.
    named = {
        value
        for key, value in vars(config).items()
        if key.endswith(("_id", "_index")) and isinstance(value, int)
    }
    plain = (token for token in range(vocabulary) if token not in named)
    n_tokens = SHAPE[0] * SHAPE[1]
    chosen = list(islice(plain, n_tokens)) or [0]
    ids = torch.tensor([chosen[i % len(chosen)] for i in range(n_tokens)])
    end = getattr(config, "eos_token_id", None)
    if config.is_encoder_decoder and isinstance(end, int):
        ids[SHAPE[1] - 1 :: SHAPE[1]] = end
    return ids.view(SHAPE).to(next(model.parameters()).device)


@contextmanager
def _noting(model: nn.Module, running: list[int], flow: Dataflow | None) -> Iterator[list[Call]]:
    calls: list[Call] = []
    name_of = {module: name for name, module in model.named_modules()}

    def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
        ids = args[0] if args else kwargs.get("input_ids")
        reads_ids = isinstance(ids, torch.Tensor) and not ids.is_floating_point()
        read = first_tensor(args, kwargs)
        made = CONSTANT if flow is None or read is None else flow.of(read)
        call = Call(name_of[module], module, tuple(running), read, reads_ids, made)
        running.append(len(calls))
        calls.append(call)

    def leave(module: nn.Module, args: Any, output: Any) -> None:
        position = running.pop()
        calls[position].result = output
        if flow is not None and is_linear(module) and isinstance(output, torch.Tensor):
            # However it is computed: the weights may be quantised.
            flow.note(output, Made(frozenset({position})))

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
