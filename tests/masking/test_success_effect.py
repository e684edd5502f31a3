"""The share of examples that turn, as what a mask is to reach: beside all sets of neurons."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neurox_lite as nx
from neurox_lite.masking.fitting import fit_mask
from neurox_lite.masking.success_effect import SuccessEffect
from tests.masking.additive_effect import AdditiveEffect
from tests.masking.test_template_effects import train_of

N, N_NEURONS = 200, 8


def halves() -> AdditiveEffect:
    """Unit 0 turns half of the examples by far, unit 1 the other half by little, others nothing."""
    first = np.arange(N) % 2 == 0
    gains = np.zeros((N, N_NEURONS))
    gains[first, 0] = 20
    gains[~first, 1] = 4
    return AdditiveEffect(np.full(N, -3.0), gains)


def test_the_effect_is_the_share_and_its_gradient_that_of_the_sigmoid() -> None:
    effect = SuccessEffect(halves(), 0.0, temperature=2.0)
    gates, rows = torch.full((N_NEURONS,), 0.3).requires_grad_(), torch.arange(10)
    found = effect(gates, effect.start, rows)
    assert found.tolist() == [1.0, 0.0] * 5  # -3 + 6 and -3 + 1.2
    (slopes,) = torch.autograd.grad(found.mean(), gates)
    each = torch.sigmoid(torch.tensor([3.0, -1.8]) / 2)
    expected = each * (1 - each) / 2 * torch.tensor([20.0, 4.0]) / 2
    torch.testing.assert_close(slopes[:2], expected)
    assert (slopes[2:] == 0).all() and effect.n_runs == 10


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("success", "size"), [(0.4, 1), (0.95, 2), (1.0, 2)])
def test_the_mask_is_the_smallest_that_turns_so_many(success: float, size: int, seed: int) -> None:
    effect = halves()
    assert effect.fewest(train_of(effect, seed), success, share=True) == size
    fit = fit_mask(effect, success=success, seed=seed, n_steps=100)
    assert fit.feasible and fit.size == size
    assert fit.train_success >= success and fit.held_out_success >= success - 0.15
    assert (fit.success, fit.alpha) == (success, 0.0)


def test_a_mean_effect_asks_for_something_else() -> None:
    fit = fit_mask(halves(), alpha=1.5, n_steps=100)
    assert fit.feasible and fit.size == 1 and fit.train_success == pytest.approx(0.5, abs=0.1)


def test_more_than_can_be_turned() -> None:
    effect = halves()
    effect.gains[:, 1] = 0
    fit = fit_mask(effect, success=0.95, n_steps=50)
    assert fit.status == "infeasible"
    assert fit.train_success == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"success": 0.0}, "success is 0.0; give a share"),
        ({"success": 95}, "success is 95.0; give a share"),
        ({"success": float("nan")}, "success is nan"),
        ({"success": 0.9, "alpha": 1.0}, "give one of them"),
    ],
)
def test_options(options: dict[str, float], message: str) -> None:
    with pytest.raises(nx.InputError, match=message):
        fit_mask(halves(), **options)
