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


def experts_of(block: nn.Module) -> list[nn.Module]:
    """The modules in a block that hold several experts' weights in one tensor."""
    return [
        module
        for module in block.modules()
        if isinstance(getattr(module, "down_proj", None), nn.Parameter)
    ]


def show_neurons(model: Any, experts: nn.Module) -> None:
    """Let the neurons of an experts module pass through its new submodule ``neurons``.

    Raises
    ------
    InputError
        When its weights are laid out in a way that is not known.
    """
    plain = (
        getattr(experts, "has_gate", False)
        and getattr(experts, "is_concatenated", True)
        and not experts.has_bias
        and not experts.is_transposed
    )
    if not plain:
        raise InputError(
            f"{type(experts).__name__}: the weights of these experts are laid out in a way that "
            "is not known here; use another site or model"
        )
    model.set_experts_implementation(IMPLEMENTATION)
    if not hasattr(experts, "neurons"):
        experts.neurons = nn.Identity().train(experts.training)


def forward(
    experts: Any, hidden: torch.Tensor, chosen: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """What the experts of one layer add.

    Parameters
    ----------
    experts : Module
        With ``gate_up_proj`` (n_experts, 2 * width, hidden_size) and ``down_proj`` (n_experts,
        hidden_size, width).
    hidden : Tensor, shape (n_tokens, hidden_size)
    chosen : Tensor of int, shape (n_tokens, n_chosen)
        The experts of each token.
    weights : Tensor, shape (n_tokens, n_chosen)
        Their shares.

    Returns
    -------
    Tensor, shape (n_tokens, hidden_size)
    """
    n_experts, _, width = experts.down_proj.shape
    # Token by token in the order of transformers' eager experts, so that sums round alike.
    routes = [torch.where((chosen == expert).T) for expert in range(n_experts)]
    neurons = hidden.new_zeros(len(hidden), n_experts, width)
    for expert, (_, tokens) in enumerate(routes):
        gate_up = functional.linear(hidden[tokens], experts.gate_up_proj[expert])
        neurons[tokens, expert] = experts._apply_gate(gate_up)
    neurons = neurons.flatten(1)
    if hasattr(experts, "neurons"):
        neurons = experts.neurons(neurons)
    neurons = neurons.view(len(hidden), n_experts, width)
    total = torch.zeros_like(hidden)
    for expert, (position, tokens) in enumerate(routes):
        added = functional.linear(neurons[tokens, expert], experts.down_proj[expert])
        # Routers of half-precision models may give float32 shares.
        shared = added * weights[tokens, position, None]
        total.index_add_(0, tokens, shared.to(total.dtype))
    return total


ALL_EXPERTS_FUNCTIONS.register(IMPLEMENTATION, forward)
