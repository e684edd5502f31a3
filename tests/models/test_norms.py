"""Norms are measured for what they are, and nothing else is taken for one."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers.models.gemma2.modeling_gemma2 import Gemma2RMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from neurox_lite.models.norms import measure_norm

WIDTH = 12
LAYER_NORMS = {
    "plain": lambda: nn.LayerNorm(WIDTH),
    "without a bias": lambda: nn.LayerNorm(WIDTH, bias=False),
    "without weights": lambda: nn.LayerNorm(WIDTH, elementwise_affine=False),
    "half precision": lambda: nn.LayerNorm(WIDTH).bfloat16(),
}
RMS_NORMS = {
    "torch": lambda: nn.RMSNorm(WIDTH),
    "Llama": lambda: LlamaRMSNorm(WIDTH),
    "Gemma, of 1 + weight": lambda: Gemma2RMSNorm(WIDTH),
}
OTHERS = {
    "linear": lambda: nn.Linear(WIDTH, WIDTH),
    "elementwise": lambda: nn.PReLU(WIDTH),
    "activation": lambda: nn.GELU(),
    "identity": lambda: nn.Identity(),
    "softmax": lambda: nn.Softmax(-1),
    "groups": lambda: nn.GroupNorm(2, WIDTH),
    "other width": lambda: nn.LayerNorm(WIDTH + 1),
    "no vectors": lambda: nn.Embedding(WIDTH, WIDTH),
}


def random_weights(module):
    torch.manual_seed(0)
    for weights in module.parameters():
        nn.init.normal_(weights, std=0.5)
    return module.requires_grad_(False)


@pytest.mark.parametrize("name", [*LAYER_NORMS, *RMS_NORMS])
def test_a_norm_divides_what_it_is_said_to(name):
    module = random_weights((LAYER_NORMS | RMS_NORMS)[name]())
    norm = measure_norm(module, torch.zeros(1, WIDTH))
    assert norm.centres == (name in LAYER_NORMS)
    states = torch.randn(5, WIDTH) * 3 + 1
    centred = states - states.mean(-1, keepdim=True) * norm.centres
    divisors = norm.divisors(states, module.float()(states))
    assert torch.allclose(divisors, centred.square().mean(-1).sqrt(), rtol=1e-3)
    written = norm.undivided(states) / divisors[:, None] + norm.shift
    assert torch.allclose(written, module(states), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_else_is_a_norm(name):
    assert measure_norm(random_weights(OTHERS[name]()), torch.zeros(1, WIDTH)) is None
