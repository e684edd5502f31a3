"""What states are made of, for computations whose answer is known."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from neurox_lite.models.dataflow import CONSTANT, Dataflow, Made

HERE = 5  # the call of a module that is said to be running


@pytest.fixture
def made():
    """What a function of states (2, 3, 4) and two weights gives is made of."""

    def of(function) -> Made:
        states = torch.randn(2, 3, 4)
        up, other = torch.randn(8, 4), torch.randn(8, 4)
        with torch.inference_mode(), Dataflow([states], [HERE]) as flow:
            return flow.of(function(states, up, other))

    return of


def linear(x, weight):
    return functional.linear(x, weight)


ACTIVATED = [
    lambda x, up, _: functional.gelu(linear(x, up)),
    lambda x, up, _: functional.relu(linear(x, up)) ** 2,
    lambda x, up, _: functional.glu(linear(x, up)),
    lambda x, up, other: linear(x, up) * linear(x, other),  # a gate without a function
    lambda x, up, other: functional.silu(linear(x, up)) * linear(x, other) + 1,
    lambda x, up, _: functional.silu(linear(x, up).chunk(2, -1)[0]) * linear(x, up).chunk(2, -1)[1],
    lambda x, up, _: functional.gelu(linear(x.transpose(0, 1), up)).transpose(0, 1).contiguous(),
    lambda x, up, _: functional.gelu(linear(x, up)).reshape(6, 8)[torch.tensor([4, 1])],
    lambda x, up, _: linear(x, up).relu_().mul_(2),
    lambda x, up, _: functional.layer_norm(functional.gelu(linear(x, up)), (8,)),
    lambda x, up, _: torch.zeros(6, 8).index_add_(
        0, torch.tensor([2]), functional.gelu(linear(x, up))[0, :1]
    ),
]
NOT_ACTIVATED = [
    lambda x, up, _: x,
    lambda x, up, _: functional.gelu(x),  # of no linear layer
    lambda x, up, _: linear(x, up) * 2 + 1,  # no function in between
    lambda x, up, _: functional.layer_norm(linear(x, up), (8,)),
    lambda x, up, _: linear(x, up) * linear(x, up).pow(2).mean(-1, keepdim=True).rsqrt(),
    lambda x, up, _: linear(x, up).softmax(-1),  # no function of single units
    lambda x, up, _: functional.gelu(linear(x, up)).cumsum(1),
    lambda x, up, _: functional.gelu(linear(x, up)).mean(1),
    lambda x, up, _: functional.gelu(linear(x, up)[..., :4]) + x,  # the residual is in it, too
    lambda x, up, _: functional.conv1d(functional.gelu(linear(x, up)), torch.ones(3, 3, 1)),
    lambda x, up, _: linear(functional.gelu(linear(x, up)), up.T),  # of the next layer
]


@pytest.mark.parametrize("function", ACTIVATED)
def test_a_function_of_each_unit_of_a_linear_layer(made, function):
    found = made(function)
    assert found.is_activated
    assert found.linears == {HERE}


@pytest.mark.parametrize("function", NOT_ACTIVATED)
def test_anything_else_is_none(made, function):
    assert not made(function).is_activated


MIXING = [
    lambda q: functional.scaled_dot_product_attention(q, q, q),
    lambda q: functional.scaled_dot_product_attention(q, q, q, attn_mask=torch.zeros(3, 3)),
    lambda q: (q @ q.transpose(-1, -2)).softmax(-1) @ q,
    lambda q: torch.einsum("bhij,bhjd->bhid", (q @ q.transpose(-1, -2)).softmax(-1), q),
]


@pytest.mark.parametrize("mix", MIXING)
def test_heads_are_mixed_and_no_neurons(made, mix):
    def attend(x, up, _):
        heads = linear(x, up).view(2, 3, 2, 4).transpose(1, 2)
        return mix(heads).transpose(1, 2).reshape(2, 3, 8)

    found = made(attend)
    assert found.mixes == {HERE}
    assert not found.is_activated
    gated = made(lambda x, up, other: attend(x, up, other) * linear(x, other).sigmoid())
    assert gated.mixes == {HERE}
    assert not gated.is_activated


def test_weights_and_what_is_made_of_them_are_constant(made):
    assert made(lambda x, up, other: up @ other.T) == CONSTANT
    assert made(lambda x, up, other: torch.zeros_like(x)) == CONSTANT


def test_token_ids_are_not_constant():
    ids = torch.tensor([[1, 2, 3]])
    table = nn.Embedding(10, 4)
    with torch.inference_mode(), Dataflow([ids], [HERE]) as flow:
        assert flow.of(table(functional.pad(ids, (0, 2)))).is_other
        assert flow.of(functional.one_hot(ids).float()).is_other


def test_nothing_is_noted_of_storages_that_are_gone():
    """A new tensor in the memory of an old one is not taken for it."""
    states = torch.randn(64)
    with torch.inference_mode(), Dataflow([states], [HERE]) as flow:
        for _ in range(50):
            _ = functional.gelu(states)
            fresh = torch.empty(64)
            assert flow.of(fresh) == CONSTANT
