"""Known truth: of an effect that is a sum, how many of an order are enough can be counted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurox_lite.masking.gate_search import cut_at_half
from neurox_lite.masking.prefix_fit import shortest_prefix
from tests.masking.additive_effect import AdditiveEffect

N_NEURONS, N_ROWS = 40, 30
ALPHA = 5.5
"""Each neuron adds 1 to -10: 16 are enough."""


@pytest.fixture
def effect():
    return AdditiveEffect(np.full(N_ROWS, -10.0), np.ones((N_ROWS, N_NEURONS)))


@pytest.mark.parametrize("first", [1, 3, 15, 16, 17, 30, 40])
def test_a_prefix_is_the_shortest_from_wherever_it_begins(effect, first):
    rows = torch.arange(N_ROWS)
    order = np.random.default_rng(0).permutation(N_NEURONS).tolist()
    options = {"first": first, "n_steps": 1}
    found = shortest_prefix(effect, order, ALPHA, effect.start, rows, **options, or_shorter=True)
    assert found.columns == tuple(order[:16])
    longer = shortest_prefix(effect, order, ALPHA, effect.start, rows, **options)
    assert len(longer.columns) == max(first, 16)


def test_a_prefix_of_all_is_returned_where_it_is_not_enough(effect):
    found = shortest_prefix(effect, range(N_NEURONS), 31.0, effect.start, torch.arange(N_ROWS), 3)
    assert len(found.columns) == N_NEURONS and found.effect == pytest.approx(30)


@pytest.mark.parametrize("zero", [-2.0, 0.0, 0.3, 2.0])
def test_locations_are_moved_until_the_gates_above_one_half_are_enough(effect, zero):
    """All by as much, wherever the search left zero among them."""
    phi = torch.randn(N_NEURONS, generator=torch.Generator().manual_seed(0)) - zero
    moved, _ = cut_at_half(effect, ALPHA, phi, effect.start, torch.arange(N_ROWS))
    assert int((moved > 0).sum()) == 16
    assert (moved - phi).max() - (moved - phi).min() < 2e-3


def test_equal_locations_are_cut_apart(effect):
    phi = torch.full((N_NEURONS,), 3.0)
    moved, _ = cut_at_half(effect, ALPHA, phi, effect.start, torch.arange(N_ROWS))
    assert int((moved > 0).sum()) == 16 and int((moved < 0).sum()) == N_NEURONS - 16


def test_locations_stay_where_all_gates_are_not_enough(effect):
    phi = torch.linspace(-1, 1, N_NEURONS)
    moved, values = cut_at_half(effect, 31.0, phi, effect.start, torch.arange(N_ROWS))
    assert moved is phi and values is effect.start


def test_gates_are_opened_as_far_as_all_rows_need_them():
    """The first 128 rows need ten neurons, the others more."""
    intact = np.concatenate([np.full(128, -10.0), np.full(128, -14.0)])
    effect = AdditiveEffect(intact, np.ones((256, N_NEURONS)))
    phi = torch.linspace(1, -1, N_NEURONS)
    moved, _ = cut_at_half(effect, 0.0, phi, effect.start, torch.arange(256))
    assert int((moved > 0).sum()) == 12
