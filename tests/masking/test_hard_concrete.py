"""Hard concrete gates have the probabilities of their closed form, and gradients."""

import pytest
import torch

from neurox_lite.masking.hard_concrete import NEURONS, probability, sample


def draw(phi, n=200_000):
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand((n, len(phi)), generator=generator).clamp(1e-6, 1 - 1e-6)
    return sample(phi, noise)


def test_the_probability_is_that_of_the_samples():
    phi = torch.tensor([-6.0, -2.0, -0.5, 0.0, 0.5, 3.0])
    gates = draw(phi)
    assert ((gates >= 0) & (gates <= 1)).all()
    measured = (gates > 0).double().mean(0)
    torch.testing.assert_close(measured, probability(phi).double(), atol=4e-3, rtol=0)


def test_gates_are_mostly_exactly_zero_or_one():
    gates = draw(torch.zeros(1))
    assert ((gates == 0) | (gates == 1)).double().mean() == pytest.approx(0.76, abs=0.01)
    assert gates.mean() == pytest.approx(0.5, abs=0.01)  # the distribution is symmetric


def test_a_gate_at_zero_is_more_often_open_than_half_of_the_time_only_by_the_stretch():
    open_share = float(probability(torch.zeros(1)))
    # s > -l / (r - l) with s = sigmoid(logit(u) / tau)
    threshold = -NEURONS.low / (NEURONS.high - NEURONS.low)
    u = 1 / (1 + ((1 - threshold) / threshold) ** NEURONS.temperature)
    assert open_share == pytest.approx(1 - u, abs=1e-6)


def test_gradients_reach_the_location():
    phi = torch.zeros(3, requires_grad=True)
    draw(phi, 1000).sum().backward()
    assert (phi.grad > 0).all()
