"""The feed-forward neurons of mixtures of experts, where a hook can reach them.

transformers computes all experts of a layer inside one module. Models loaded here compute them as
its ``eager`` experts do, but let the neurons of all experts pass through a module of their own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

from neurox_lite.errors import InputError

IMPLEMENTATION = "neurox_lite"
NEURONS = "neurons"


def is_experts(module: nn.Module) -> bool:
    """Whether a module holds several experts' weights in one tensor, and computes as it is told."""
    return hasattr(module, "has_gate") and isinstance(
        getattr(module, "down_proj", None), nn.Parameter
    )


def expose_expert_neurons(model: Any, experts: Any) -> None:
    """Let the neurons of an experts module pass through its new submodule ``neurons``.

    InputError when they cannot be computed here as transformers computes them.
    """
    before = experts.config._experts_implementation
    model.set_experts_implementation(IMPLEMENTATION)
    if hasattr(experts, NEURONS):
        return
    if not _computes_the_same(experts):
        model.set_experts_implementation(before)
        raise InputError(
            f"{type(experts).__name__}: the weights of these experts are laid out in a way that "
            "is not known here; use another site or model"
        )
    experts.neurons = nn.Identity().train(experts.training)


@torch.no_grad()
def _computes_the_same(experts: Any) -> bool:
    """Whether :func:`forward` gives what the module's own code does, for a few random tokens."""
    weights = experts.down_proj
    n_experts, width = len(weights), weights.shape[2 if experts.is_transposed else 1]
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(4, width, generator=generator).to(weights)
    chosen = torch.randint(n_experts, (4, 2), generator=generator).to(weights.device)
    chosen[:, 1] = (chosen[:, 0] + 1) % n_experts
    shares = torch.rand(4, 2, generator=generator).to(weights)
    try:
        config, implementation = experts.config, experts.config._experts_implementation
        config._experts_implementation = "eager"
        expected = experts(hidden, chosen, shares)
        config._experts_implementation = implementation
        found = forward(experts, hidden, chosen, shares)
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
        return False
    tolerance = torch.finfo(weights.dtype).eps ** 0.5
    return torch.allclose(found, expected, rtol=tolerance, atol=tolerance * expected.abs().max())


def forward(
    experts: Any, hidden: torch.Tensor, chosen: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """What the experts of one layer add, (n_tokens, hidden_size).

    Parameters
    ----------
    experts : Module
        With ``gate_up_proj`` (n_experts, 2 * width, hidden_size), or ``up_proj`` where it has no
        gate, and ``down_proj`` (n_experts, hidden_size, width); both transposed, or with biases,
        where it says so.
    hidden : (n_tokens, hidden_size) tensor
    chosen, weights : (n_tokens, n_chosen) tensors
        The experts of each token, and their shares.
    """
    n_experts = len(experts.down_proj)
    width = experts.down_proj.shape[1 if experts.is_transposed else 2]
    # Token by token in the order of transformers' eager experts, so that sums round alike.
    routes = [torch.where((chosen == expert).T) for expert in range(n_experts)]
    neurons = hidden.new_zeros(len(hidden), n_experts, width)
    up = "gate_up_proj" if experts.has_gate else "up_proj"
    for expert, (_, tokens) in enumerate(routes):
        raised = _applied(experts, up, expert, hidden[tokens])
        activated = experts._apply_gate(raised) if experts.has_gate else experts.act_fn(raised)
        neurons[tokens, expert] = activated
    neurons = neurons.flatten(1)
    if hasattr(experts, NEURONS):
        neurons = experts.neurons(neurons)
    neurons = neurons.view(len(hidden), n_experts, width)
    total = torch.zeros_like(hidden)
    for expert, (position, tokens) in enumerate(routes):
        added = _applied(experts, "down_proj", expert, neurons[tokens, expert])
        if getattr(experts, "has_post_expert_norm", False):
            added = experts.post_expert_norm(added)
        # Routers of half-precision models may give float32 shares.
        shared = added * weights[tokens, position, None]
        total.index_add_(0, tokens, shared.to(total.dtype))
    return total


def _applied(experts: Any, name: str, expert: int, states: torch.Tensor) -> torch.Tensor:
    """One expert's weights, applied to states."""
    weight = getattr(experts, name)[expert]
    bias = getattr(experts, f"{name}_bias")[expert] if experts.has_bias else None
    if not experts.is_transposed:
        return functional.linear(states, weight, bias)
    return states @ weight if bias is None else states @ weight + bias


ALL_EXPERTS_FUNCTIONS.register(IMPLEMENTATION, forward)
