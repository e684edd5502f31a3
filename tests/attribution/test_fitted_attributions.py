"""On a linear model the optimum of the methods that are fitted is known.

`neurox_lite.attribution.information_bottleneck`, `neurox_lite.attribution.noise`,
`neurox_lite.attribution.optimising`
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from neurox_lite.activations.moments import Moments
from neurox_lite.attribution import (
    exact_erasure,
    gradient_times_input,
    information_bottleneck,
    integrated_gradients,
    leave_one_out,
    noise,
    state_moments,
)
from neurox_lite.attribution.information_bottleneck import kl_divergence
from neurox_lite.errors import InputError
from tests.attribution.linear_model import linear_texts

WIDTH = 4


@pytest.fixture(scope="module")
def texts():
    make = torch.Generator().manual_seed(0)
    embeddings, scales = torch.randn(14, WIDTH, generator=make), torch.ones(14)
    scales[:3] = torch.tensor([1.0, 2.0, 4.0])
    weights = torch.tensor([2.0, -1.0, 0.5, 1.0])
    return linear_texts(embeddings, weights, scales, range(3, 15))


def contributions(texts):
    """What each token adds to the output, (n_tokens,) of each text."""
    model = texts.states
    every = (model.embeddings @ model.weights * model.scales).numpy()
    return [every[: len(tokens)] for tokens in texts.inputs.tokens]


@pytest.mark.parametrize("entropy_weight", [0.5, 2.0])
def test_noise_is_what_minimises_the_loss(texts, entropy_weight):
    """Least ``sum_i (sigma_i s_i |w|)^2 - weight log sigma_i``: ``sigma_i^2 = weight/2/(s|w|)^2``.

    Means over texts, whose noise differs.
    """
    found = np.array([values[:3] for values in noise(texts, entropy_weight=entropy_weight).values])
    norm = float(texts.states.weights.norm())
    expected = np.sqrt(2 / entropy_weight) * norm * np.array([1, 2, 4])
    np.testing.assert_allclose(np.exp(np.log(found).mean(0)), expected, rtol=0.1)
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=0.6)


def test_the_bottleneck_keeps_what_its_loss_asks_for(texts):
    """Where a token's gain ``s w . (h - mu)`` is the weighted change of its information."""
    mean, std = np.full(WIDTH, -0.5), np.array([0.5, 1.0, 1.5, 1.0])
    found = information_bottleneck(texts, kl_weight=20.0, moments=Moments(9, mean, std))
    model, shares = texts.states, []
    for number, values in enumerate(found.values[:3]):
        n = len(values)
        difference = model.embeddings[:n].numpy() - mean
        gains = difference @ model.weights.numpy() * model.scales[:n].numpy()
        squares = ((difference / std) ** 2).mean(1)

        def slope(kept, gain, square, n=number + 3):
            return 20 / n * (kept * square + 1 / (1 - kept) - (1 - kept)) - gain

        for gain, square, value in zip(gains, squares, values, strict=True):
            share = brentq(slope, 0, 1 - 1e-9, args=(gain, square)) if gain > 0 else 0.0
            assert value == pytest.approx(share, abs=0.07)
            shares.append(share)
    assert max(shares) > 0.5
    assert min(shares) == 0


def test_information_is_the_divergence_of_normal_distributions():
    make = torch.Generator().manual_seed(0)
    states, mean = torch.randn(5, WIDTH, generator=make), torch.randn(WIDTH, generator=make)
    std, alpha = torch.rand(WIDTH, generator=make) + 0.5, torch.randn(5, generator=make)
    kept = alpha.sigmoid()[:, None]
    normal = torch.distributions.Normal
    z = normal(kept * states + (1 - kept) * mean, std * (1 - kept))
    expected = torch.distributions.kl_divergence(z, normal(mean, std)).mean(-1)
    squares = ((states - mean) / std).square().mean(-1)
    torch.testing.assert_close(kl_divergence(alpha, squares), expected)
    assert kl_divergence(torch.tensor(-50.0), torch.tensor(3.0)) < 1e-12


def test_moments_of_a_state_are_those_of_all_tokens(texts):
    rows = [texts.states.embeddings[: len(each)] for each in texts.inputs.tokens]
    found = state_moments(texts)
    np.testing.assert_allclose(found.mean, torch.cat(rows).mean(0), rtol=1e-5)
    np.testing.assert_allclose(found.std, torch.cat(rows).std(0, correction=0), rtol=1e-5)
    assert found.n_rows == sum(range(3, 15))
    with pytest.raises(InputError, match="moments of 3 units; give those of state 0, 4"):
        information_bottleneck(texts, moments=Moments(1, np.zeros(3), np.ones(3)))


def test_all_others_are_exact_there(texts):
    """Also with states and an output of one's own."""
    for method in (gradient_times_input, integrated_gradients):
        for values, expected in zip(method(texts).values, contributions(texts), strict=True):
            np.testing.assert_allclose(values, expected, rtol=1e-4)
    for values, expected in zip(leave_one_out(texts).values, contributions(texts), strict=True):
        np.testing.assert_allclose(values, expected**2 / 2, rtol=1e-3)
    shortest = exact_erasure(texts, keep="output", epsilon=0.2, max_tokens=14).values[0]
    added = contributions(texts)[0]
    assert (shortest @ added - added.sum()) ** 2 / 2 <= 0.2
