"""The direct path from a neuron to the logits, past all that later layers make of what it writes.

1. A neuron writes its column of the linear layer, or of the expert, that reads it.
2. That is added to the stream as it is, or divided by a norm before (Gemma 2, OLMo 2).
3. The stream goes through the final norm, where there is one, and the unembedding to the logits.

Which modules these are is told by the states they pass on in a forward pass of six tokens, and
proved by the gradients of another one (:mod:`~neurox_lite.models.path_proof`). A model in which
this does not hold is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from neurox_lite.errors import InputError
from neurox_lite.models.calls import same_states
from neurox_lite.models.experts import NEURONS, is_experts
from neurox_lite.models.norms import Norm, measure_norm
from neurox_lite.models.path_proof import median_divisors, prove_paths
from neurox_lite.models.sites import HookPoint, Sites, find_sites
from neurox_lite.models.trace import Call, dry_run, is_linear, trace
from neurox_lite.showing import short_repr

WRITING_SITES = ("mlp", "attention_heads")


@dataclass(frozen=True, eq=False)
class Write:
    """How the neurons of one hook point get into the stream.

    Attributes
    ----------
    point : HookPoint
    module : Module
        The linear layer that reads them, or the experts.
    norm : Norm or None
        Between that and the stream.
    """

    point: HookPoint
    module: nn.Module
    norm: Norm | None

    @property
    def added(self) -> nn.Module:
        """The module whose output is added to the stream."""
        return self.module if self.norm is None else self.norm.module

    def columns(self, units: torch.Tensor) -> torch.Tensor:
        """What neurons write per unit of activation, (n_units, width), of experts at a share of 1.

        Units count from 0 at the point.
        """
        if not is_experts(self.module):
            weight = _weight(self.module)
            return weight[:, units.to(weight.device)].T.float()
        experts: Any = self.module
        weight = experts.down_proj
        units = units.to(weight.device)
        width = weight.shape[1 if experts.is_transposed else 2]
        expert, unit = units // width, units % width
        return (weight[expert, unit] if experts.is_transposed else weight[expert, :, unit]).float()


@dataclass(frozen=True, eq=False)
class DirectPaths:
    """From the neurons of a site to the logits; see :func:`find_direct_paths`.

    Attributes
    ----------
    unembedding : (n_embeddings, width) tensor
        The model's own weight.
    logit_scale : float
        By which the model multiplies products with it; where it caps logits, near 0.
    writes : dict
        Layer -> its writes.
    steps : list of Norm or Module
        Norms and linear layers between the stream and the unembedding.
    factors : dict
        Module -> by what its output is multiplied in the stream.
    divisors : dict
        Module of a norm -> by what it divides.
    """

    unembedding: torch.Tensor
    logit_scale: float
    writes: dict[int, list[Write]]
    steps: list[Norm | nn.Module]
    factors: dict[nn.Module, float]
    divisors: dict[nn.Module, float]

    __repr__ = short_repr

    @property
    def divisor(self) -> float:
        """By which the final norm divides; 1 where there is none."""
        return prod(self.divisors[step.module] for step in self.steps if isinstance(step, Norm))

    @torch.no_grad()
    def vectors(self, layer: int, units: torch.Tensor) -> torch.Tensor:
        """What neurons of a layer add to what the unembedding reads, per unit of activation.

        Returns
        -------
        (n_units, width) float32 tensor
        """
        device = self.unembedding.device
        found = torch.empty(len(units), self.unembedding.shape[1], device=device)
        for write in self.writes[layer]:
            first, last = write.point.first, write.point.first + write.point.width
            own = (units >= first) & (units < last)
            vectors = write.columns(units[own] - first)
            if write.norm is not None:
                vectors = self._normalised(write.norm, vectors)
            vectors = vectors * self.factors[write.added]
            for step in self.steps:
                if isinstance(step, Norm):
                    vectors = self._normalised(step, vectors)
                else:
                    vectors = vectors.to(_weight(step).device) @ _weight(step).T.float()
            found[own.to(device)] = vectors.to(device)
        return found

    def _normalised(self, norm: Norm, vectors: torch.Tensor) -> torch.Tensor:
        return norm.undivided(vectors.to(norm.gain.device)) / self.divisors[norm.module]


def find_direct_paths(
    model: Any, sites: Sites, layers: Collection[int], ids: torch.Tensor
) -> DirectPaths:
    """Find how what the neurons of some layers write gets to the logits.

    Parameters
    ----------
    model : PreTrainedModel
        With a language head.
    sites : Sites
        Of ``mlp`` or ``attention_heads``.
    layers : collection of int
    ids : (n_texts, n_tokens) int tensor
        The reference for norms: each divides by the median of its divisors at these tokens.

    Raises
    ------
    InputError
        When the model has no unembedding, is an encoder-decoder, or something else than is known
        stands between these neurons and the logits.
    """
    kind = type(model).__name__
    output = find_unembedding(model)
    if model.config.is_encoder_decoder:
        raise InputError(f"a {kind} is an encoder-decoder; give a model without an encoder")
    every = [sites]
    for site in set(WRITING_SITES) - {sites.site}:
        with suppress(InputError):  # then it is not held, and the proof fails where that matters
            every.append(find_sites(model, site))
    calls = trace(model).calls
    writes = [_writes(kind, each, calls) for each in every]
    both = [write for of_site in writes for of_layer in of_site.values() for write in of_layer]
    steps = _steps(kind, calls, output, {write.module for write in both})
    start = output if not steps else steps[0].module if isinstance(steps[0], Norm) else steps[0]
    factors, logit_scale = prove_paths(model, [write.added for write in both], start, output, ids)
    asked = {layer: writes[0][layer] for layer in layers}
    for layer, own in asked.items():
        if not all(write.added in factors for write in own):
            raise InputError(
                f"{kind}: what layer {layer} writes at '{sites.site}' does not get to the logits "
                "by additions and the final norm alone (a norm or a gate stands in the stream, or "
                "a part of the model is not known); give one whose layers normalise what they read"
            )
    norms = [write.norm for own in asked.values() for write in own] + steps
    measured = [norm for norm in norms if isinstance(norm, Norm)]
    divisors = median_divisors(model, measured, output, ids)
    return DirectPaths(_weight(output), logit_scale, asked, steps, factors, divisors)


def find_unembedding(model: Any) -> nn.Module:
    """The last layer of a language head; InputError when a model has none that is linear."""
    output: nn.Module | None = model.get_output_embeddings()
    if output is None or not is_linear(output):
        kind = type(model).__name__
        has = "no unembedding" if output is None else f"a {type(output).__name__} as unembedding"
        raise InputError(f"a {kind} has {has}; give a model with a linear language head")
    return output


def _weight(module: Any) -> torch.Tensor:
    """Of a linear layer, (n_out, n_in)."""
    weight: torch.Tensor = module.weight.detach()
    return weight.T if isinstance(module, Conv1D) else weight


@torch.no_grad()
def _check_weight(kind: str, call: Call) -> None:
    """Raise unless a module multiplies by its weight, which may be quantised or adapted."""
    module: Any = call.module
    right = is_linear(module) and module.weight.is_floating_point()
    if right:
        weight, bias = _weight(module), getattr(module, "bias", None)
        generator = torch.Generator().manual_seed(0)
        vectors = torch.randn(2, weight.shape[1], generator=generator).to(weight)
        some = torch.linspace(0, len(weight) - 1, 64).long().to(weight.device)
        expected = vectors.double() @ weight[some].T.double()
        if bias is not None:
            expected += bias[some]
        with dry_run():
            given = module(vectors)[:, some].double()
        tolerance = torch.finfo(weight.dtype).eps ** 0.5
        right = torch.allclose(given, expected, tolerance, tolerance * float(expected.abs().max()))
    if not right:
        raise InputError(
            f"{kind}: {call.name} does not multiply by its weight as a linear layer does; give a "
            "model that is not quantised or adapted"
        )


def _writes(kind: str, sites: Sites, calls: Sequence[Call]) -> dict[int, list[Write]]:
    """How the neurons of each layer of a site get into the stream."""
    found: dict[int, list[Write]] = {layer: [] for layer in sites.widths}
    for point in sites.points:
        name, _, last = point.module.rpartition(".")
        name = name if last == NEURONS else point.module
        own = [position for position, call in enumerate(calls) if call.name == name]
        call = calls[own[0]]
        if len(own) > 1:
            raise InputError(f"{kind}: layers share {name}; give a model with layers of their own")
        if getattr(call.module, "has_post_expert_norm", False):
            raise InputError(f"{kind}: a norm follows each expert in {name}; give another model")
        if not is_experts(call.module):
            _check_weight(kind, call)
        for layer in point.layers:
            if layer is not None:
                found[layer].append(Write(point, call.module, _norm_after(calls, own[0])))
    return found


def _norm_after(calls: Sequence[Call], position: int) -> Norm | None:
    """The norm that reads just what a call wrote."""
    written, around = calls[position].written, calls[position].outer
    if written is None:
        return None
    for call in calls[position + 1 :]:
        # It is called by one of the modules around, as the block.
        is_near = call.outer == around[: len(call.outer)]
        if not is_near or not _same(call.read, written):
            continue
        if not _same(call.written, written):  # as a dropout's are
            is_shared = sum(other.module is call.module for other in calls) > 1
            return None if is_shared else measure_norm(call.module, written)
    return None


def _same(states: torch.Tensor | None, others: torch.Tensor) -> bool:
    """Whether states are equal; experts write those of all texts in a row."""
    if states is None or not states.dim() or not others.dim():
        return False
    return same_states(states.flatten(0, -2), others.flatten(0, -2))


def _steps(
    kind: str, calls: Sequence[Call], output: nn.Module, writing: Collection[nn.Module]
) -> list[Norm | nn.Module]:
    """Norms and linear layers that the stream goes through before the unembedding, in order."""
    last = [call for call in calls if call.module is output]
    if len(last) != 1 or last[0].read is None:
        raise InputError(f"{kind}: its unembedding is not called once; give another model")
    _check_weight(kind, last[0])
    in_blocks = {p for call in calls if call.module in writing for p in call.outer}
    steps: list[Norm | nn.Module] = []
    states: torch.Tensor | None = last[0].read
    while states is not None:
        # The innermost module that made these states, not those that only pass them on.
        made = [
            position
            for position, call in enumerate(calls)
            if _same(call.written, states) and not _same(call.read, states)
        ]
        if not made or made[-1] in in_blocks or calls[made[-1]].module in writing:
            break
        call = calls[made[-1]]
        norm = None
        if is_linear(call.module):
            _check_weight(kind, call)
        else:
            norm = measure_norm(call.module, states)
            if norm is None:
                raise InputError(
                    f"{kind}: {call.name}, before its unembedding, is neither a norm nor a linear "
                    "layer; give a causal model"
                )
        steps.insert(0, norm or call.module)
        states = call.read
    return steps
