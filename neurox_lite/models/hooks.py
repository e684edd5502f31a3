"""Reading and writing neurons while a model runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import torch
from torch import nn

from neurox_lite.errors import InputError
from neurox_lite.models.sites import HookPoint, Sites
from neurox_lite.models.trace import first_tensor, in_dry_run

Visit = Callable[[HookPoint, int, int, torch.Tensor], torch.Tensor | None]


class _Enough(Exception):
    """Ends a forward pass that has nothing more to show."""


@contextmanager
def record(
    model: nn.Module,
    sites: Sites,
    receive: Callable[[int, torch.Tensor], None],
    layers: Collection[int] | None = None,
    stop: bool = False,
) -> Iterator[None]:
    """While the block runs, give every layer of a site to a function, once per forward pass.

    Parameters
    ----------
    model, sites
        See :func:`neurox_lite.models.sites.find_sites`.
    receive : function of (layer, states)
        States are (n_sentences, n_tokens, width): the model's own tensor, not to be changed.
    layers : collection of int, optional
        All by default.
    stop : bool
        Leave the block as soon as all these layers were received: what the model would compute
        after the last of them is not needed.
    """
    waiting = set(sites.widths if layers is None else layers)
    steps: dict[int, list[torch.Tensor]] = {}
    parts: dict[int, dict[int, torch.Tensor]] = {}

    def visit(point: HookPoint, layer: int, position: int, states: torch.Tensor) -> None:
        if point.stepwise:
            steps.setdefault(layer, []).append(states)
            return
        if point.width < sites.widths[layer]:
            own = parts.setdefault(layer, {})
            own[point.first] = states
            if sum(part.shape[-1] for part in own.values()) < sites.widths[layer]:
                return
            states = torch.cat([part for _, part in sorted(parts.pop(layer).items())], dim=-1)
        receive(layer, states)
        waiting.discard(layer)
        if stop and not waiting:
            raise _Enough

    def deliver(*_: Any) -> None:
        for layer in sorted(steps):
            receive(layer, torch.cat(steps.pop(layer), dim=1))

    handle = model.get_submodule(sites.root).register_forward_hook(deliver)
    try:
        with suppress(_Enough), _visiting(model, sites, visit, layers):
            yield
    finally:
        handle.remove()


@contextmanager
def rewrite(
    model: nn.Module,
    sites: Sites,
    change: Callable[[int, int, torch.Tensor], torch.Tensor],
    layers: Collection[int] | None = None,
) -> Iterator[None]:
    """While the block runs, let a function replace the neurons of a site.

    Parameters
    ----------
    model, sites, layers
        As for :func:`record`.
    change : function of (layer, position, states)
        States are (n_sentences, n_positions, width), the first of them at token ``position`` of
        the input: all tokens at once, or one at a time in the cell of an LSTM. Returns what the
        model continues with, of the same shape. Where the neurons of a layer lie at several points,
        it is called at each, with zeros for those of the others.
    """

    def visit(point: HookPoint, layer: int, position: int, states: torch.Tensor) -> torch.Tensor:
        if point.width == sites.widths[layer]:
            return change(layer, position, states)
        last = point.first + point.width
        around = (point.first, sites.widths[layer] - last)
        return change(layer, position, nn.functional.pad(states, around))[..., point.first : last]

    with _visiting(model, sites, visit, layers):
        yield


@contextmanager
def _visiting(
    model: nn.Module, sites: Sites, visit: Visit, layers: Collection[int] | None
) -> Iterator[None]:
    known = set(sites.widths)
    if layers is not None and not set(layers) <= known:
        raise InputError(f"site '{sites.site}' has layers {sorted(known)}, not {sorted(layers)}")
    chosen = known if layers is None else set(layers)
    # Calls per point and (n_sentences, n_tokens), both of the forward pass under way.
    counts: dict[HookPoint, int] = {}
    shape: list[int] = []

    def start(module: nn.Module, args: Any, kwargs: Any) -> None:
        if in_dry_run():
            return
        counts.clear()
        inputs = [*args, kwargs.get("input_ids"), kwargs.get("inputs_embeds")]
        tokens = next((tensor for tensor in inputs if isinstance(tensor, torch.Tensor)), None)
        if tokens is None:
            raise InputError(f"{type(module).__name__}: give it input_ids or inputs_embeds")
        shape[:] = tokens.shape[:2]

    def visited(point: HookPoint, states: torch.Tensor) -> torch.Tensor | None:
        if in_dry_run():
            return None
        call = counts[point] = counts.get(point, -1) + 1
        # Gradient checkpointing calls a module again.
        number = 0 if point.stepwise or len(point.layers) == 1 else call
        if number >= len(point.layers):
            raise InputError(
                f"{point.module}: is called {number + 1} times for this input, not "
                f"{len(point.layers)} as for a short text; name other modules or use another site"
            )
        layer = point.layers[number]
        if layer not in chosen:
            return None
        whole = _by_sentence(point, states, shape)
        plain = whole[:, : shape[1]] if point.padded else whole
        new = visit(point, layer, call if point.stepwise else 0, plain)
        if new is None:
            return None
        if plain is not whole:
            new = torch.cat([new, whole[:, shape[1] :]], dim=1)
        return (new.transpose(0, 1) if point.transposed else new).reshape(states.shape)

    handles = []
    try:
        root = model.get_submodule(sites.root)
        handles.append(root.register_forward_pre_hook(start, with_kwargs=True))
        for point in sites.points:
            if chosen & set(point.layers):
                register = _on_input if point.at == "input" else _on_output
                handles.append(register(model.get_submodule(point.module), partial(visited, point)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _by_sentence(point: HookPoint, states: torch.Tensor, shape: list[int]) -> torch.Tensor:
    """States as (n_sentences, n_tokens, width)."""
    plain = states.transpose(0, 1) if point.transposed else states
    if plain.dim() == 2 and len(plain) == shape[0] * shape[1]:
        plain = plain.view(*shape, -1)
    length = 1 if point.stepwise else shape[1]
    fits = (
        plain.dim() == 3
        and len(plain) == shape[0]
        and (plain.shape[1] == length or (point.padded and plain.shape[1] > length))
        and plain.shape[2] == point.width
    )
    if not fits:
        raise InputError(
            f"{point.module}: its {point.at} is {tuple(states.shape)} for {shape[0]} texts of "
            f"{shape[1]} tokens, not one vector of {point.width} per token; name other modules or "
            "use another site"
        )
    return plain


Replace = Callable[[torch.Tensor], torch.Tensor | None]


def _on_input(module: nn.Module, replace: Replace) -> Any:
    def hook(module: nn.Module, args: Any, kwargs: Any) -> Any:
        states = first_tensor(args, kwargs)
        new = None if states is None else replace(states)
        if new is None:
            return None
        return ((new, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": new})

    return module.register_forward_pre_hook(hook, with_kwargs=True)


def _on_output(module: nn.Module, replace: Replace) -> Any:
    def hook(module: nn.Module, args: Any, output: Any) -> Any:
        new = replace(output[0] if isinstance(output, tuple) else output)
        if new is None or not isinstance(output, tuple):
            return new
        others = (new, *output[1:])
        return output._make(others) if hasattr(output, "_make") else others

    return module.register_forward_hook(hook)
