"""From a search to the smallest set of neurons: orders by gate and by gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from neurox_lite.masking.attribution import gate_gradients
from neurox_lite.masking.effects import ReadoutEffect
from neurox_lite.masking.gate_search import initial_state
from neurox_lite.masking.rounding import N_POINTS, order_by_gradient, round_gates

N_NEURONS = 20
STRONG, WEAK = (13,), (2, 3, 4, 5)


def readout():
    """Strong units turn the decision by 6 nats, weak ones by 2; they are 1 and may become -1."""
    X = np.random.default_rng(0).normal(size=(100, N_NEURONS)).astype(np.float32)
    X[:, [*STRONG, *WEAK]] = 1
    weights = np.zeros((N_NEURONS, 2))
    weights[list(STRONG), 0] = 3
    weights[list(WEAK), 0] = 1
    bounds = np.full(N_NEURONS, -1.0), np.full(N_NEURONS, 1.0)
    effect = ReadoutEffect(weights, np.zeros(2), X, bounds_from=bounds)
    effect.std = torch.ones(N_NEURONS)  # constant units never get away from where they are
    return effect


def found(effect, *open_columns):
    """A search that ended with some gates open, and all replacements at -1."""
    phi = torch.full((N_NEURONS,), -3.0)
    phi[list(open_columns)] = torch.linspace(3, 2, len(open_columns))
    return replace(initial_state(effect), phi=phi, values=torch.full((N_NEURONS,), -1.0))


def test_gradients_order_neurons_by_what_they_do():
    """Of weak and strong units, whose effects add up, the strong one is first."""
    order = order_by_gradient(readout(), torch.full((N_NEURONS,), -1.0), torch.arange(40))
    assert order[0] == STRONG[0] and set(order[1:5]) == set(WEAK)


def test_gradients_are_those_of_captum():
    effect, rows = readout(), torch.arange(40)
    values = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, N_NEURONS)).float()
    oracle = gate_gradients(effect, values, rows=rows, n_steps=N_POINTS)
    order = order_by_gradient(effect, values, rows)
    np.testing.assert_allclose(oracle[order], oracle.sort(descending=True).values, atol=1e-5)


@pytest.mark.parametrize(
    ("alpha", "gates", "size"),
    [
        (-1.5, WEAK, 1),  # open are weak ones, of which three are needed; one strong one will do
        (-1.5, (*WEAK, *STRONG), 1),
        (0.5, WEAK, 2),
        (0.5, (*WEAK, 0, 1), 2),
        (6.5, WEAK, 5),
    ],
)
def test_the_smaller_of_both_orders_is_taken(alpha, gates, size):
    effect = readout()
    mask = round_gates(effect, found(effect, *gates), alpha, torch.arange(40))
    assert mask.effect >= alpha and len(mask.columns) == size
    assert STRONG[0] in mask.columns


def test_more_than_can_be_had():
    """All neurons are returned, and their effect is below what was asked for."""
    effect = readout()
    mask = round_gates(effect, found(effect, *WEAK), 20.0, torch.arange(40))
    assert len(mask.columns) == N_NEURONS and mask.effect < 20


@pytest.mark.parametrize("at_once", [1, 7, 40])
def test_blocks_of_rows_change_no_gradient(at_once):
    effect, values = readout(), torch.full((N_NEURONS,), -1.0)
    whole = order_by_gradient(effect, values, torch.arange(40))
    effect.rows_at_once = at_once
    assert order_by_gradient(effect, values, torch.arange(40))[:5] == whole[:5]
