"""Forward passes that prove direct paths to the logits, and measure the norms on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import Any

import torch
from torch import nn

from neurox_lite.errors import InputError
from neurox_lite.models.norms import Norm
from neurox_lite.models.trace import SHAPE, dry_run, first_tensor


def prove_paths(
    model: Any, added: Sequence[nn.Module], start: nn.Module, output: nn.Module, ids: torch.Tensor
) -> tuple[dict[nn.Module, float], float]:
    """Find by which constants what modules output gets to where the stream is read last.

    All their outputs are held at what they are, so that no module sees what another adds. If the
    gradient of the stream is then a constant times the identity for an output, that is added to
    the stream, and nothing else changes it. The same for the unembedding and the logits.

    Parameters
    ----------
    model : PreTrainedModel
    added : sequence of Module
        Whose outputs are added to the stream.
    start, output : Module
        What reads the stream last, and the unembedding.
    ids : (n_texts, n_tokens) int tensor

    Returns
    -------
    dict, float
        The constants, of those modules of which it is proved; and that from the unembedding's
        output to the logits, at an output of 0.

    Raises
    ------
    InputError
        When that is none.
    """
    leaves: dict[nn.Module, torch.Tensor] = {}
    stream: list[torch.Tensor] = []

    def hold(module: nn.Module, args: Any, result: torch.Tensor) -> torch.Tensor:
        leaves[module] = torch.zeros_like(result).requires_grad_()
        return result.detach() + leaves[module]

    def see(module: nn.Module, args: Any, kwargs: Any) -> None:
        states = first_tensor(args, kwargs)
        if states is not None:
            stream.append(states.clone())

    def restart(module: nn.Module, args: Any, result: torch.Tensor) -> torch.Tensor:
        leaves[module] = torch.zeros_like(result).requires_grad_()
        return leaves[module].clone()

    handles = [module.register_forward_hook(hold) for module in added]
    handles.append(start.register_forward_pre_hook(see, with_kwargs=True))
    handles.append(output.register_forward_hook(restart))
    with _removing(handles), torch.inference_mode(False), torch.enable_grad():
        logits = _logits(model, ids[: SHAPE[0], : SHAPE[1]])
        factors = _constants(stream[-1], {m: leaves[m] for m in added if m in leaves})
        of_logits = _constants(logits, {output: leaves[output]})
    if output not in of_logits:
        raise InputError(
            f"{type(model).__name__}: its logits are not what its unembedding gives, times a "
            "constant; give another model"
        )
    return factors, of_logits[output]


def _constants(
    states: torch.Tensor, leaves: Mapping[nn.Module, torch.Tensor]
) -> dict[nn.Module, float]:
    """By which constants leaves are in states, of those whose gradients are nothing else."""
    if not states.requires_grad:
        return {}
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(states.shape[-1], generator=generator).to(states)
    gradients = torch.autograd.grad(
        (states * direction).sum(), list(leaves.values()), allow_unused=True
    )
    found = {}
    for module, gradient in zip(leaves, gradients, strict=True):
        if gradient is None or gradient.shape[-1:] != direction.shape:
            continue
        tolerance = 4 * torch.finfo(gradient.dtype).eps  # additions do not round gradients
        gradient, expected = gradient.double(), direction.double()
        constant = float((gradient @ expected).mean() / expected.square().sum())
        if constant and torch.allclose(gradient / constant, expected, tolerance, tolerance):
            found[module] = constant
    return found


def median_divisors(
    model: Any, norms: Sequence[Norm], output: nn.Module, ids: torch.Tensor
) -> dict[nn.Module, float]:
    """The median, over tokens (n_texts, n_tokens), of what each norm divides by."""
    found: dict[nn.Module, float] = {}

    def measuring(norm: Norm) -> Callable[..., None]:
        def measure(module: nn.Module, args: Any, kwargs: Any, result: torch.Tensor) -> None:
            read = first_tensor(args, kwargs)
            if read is not None:
                divisors = norm.divisors(read.flatten(0, -2), result.flatten(0, -2))
                found[module] = float(divisors.median())

        return measure

    def first(module: nn.Module, args: Any) -> Any:
        # Logits of all tokens would take much memory, and are not needed.
        return (args[0][:, :1], *args[1:]) if args else None

    handles = [
        norm.module.register_forward_hook(measuring(norm), with_kwargs=True) for norm in norms
    ]
    handles.append(output.register_forward_pre_hook(first))
    with _removing(handles), torch.no_grad():
        if norms:
            _logits(model, ids)
    return found


def _logits(model: Any, ids: torch.Tensor) -> torch.Tensor:
    without = {"use_cache": False} if "use_cache" in signature(model.forward).parameters else {}
    mask = torch.ones_like(ids)
    with dry_run():
        logits: torch.Tensor = model(input_ids=ids, attention_mask=mask, **without).logits
    return logits


@contextmanager
def _removing(handles: Sequence[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
