"""The best replacements for given masks, many masks side by side.

For every mask, by Adam with the gates as they are:

1. Measure the mean effect over all examples; if it is the best so far, keep these replacements.
2. Stop with this mask if the effect is enough.
3. Step along the gradient, in standard deviations of each neuron, and stay within its bounds.
4. Repeat from 1; the rate falls linearly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from neurox_lite.masking.effects import Effect, to_z_scores
from neurox_lite.progress import trange

FIRST_RATE, LAST_RATE = 2.0, 0.2
"""Of Adam, in standard deviations: the best replacement often lies ten and more away, where the
effect of a neuron saturates; the rate falls linearly, for those that lie between."""


def fit_replacements(
    effect: Effect,
    gates: torch.Tensor,
    start: torch.Tensor,
    rows: torch.Tensor,
    n_steps: int,
    enough: float = float("inf"),
) -> tuple[torch.Tensor, torch.Tensor]:
    """Replacements with the largest mean effect; see the module for the steps.

    Gates are (n_masks, n_neurons), replacements to begin with the same or (n_neurons,). With 0
    steps effects are measured only; a mask with ``enough`` is not improved any further. Gives the
    best effects of all steps, (n_masks,) float64, and the values that had them, (n_masks,
    n_neurons).
    """
    std = effect.std
    start = start.expand_as(gates)
    steps = torch.zeros_like(gates).requires_grad_()
    origin = to_z_scores(effect, start)
    lowest = to_z_scores(effect, effect.low) - origin
    highest = to_z_scores(effect, effect.high) - origin
    optimizer = torch.optim.Adam([steps], lr=FIRST_RATE, betas=(0.8, 0.95))
    best = torch.full((len(gates),), -torch.inf, dtype=torch.float64, device=gates.device)
    values = start.clone()
    at_once = max(1, effect.rows_at_once // len(rows))
    for step in trange(n_steps + 1, desc="replacements", disable=None, delay=2, leave=False):
        going = torch.nonzero(best < enough)[:, 0]
        if not len(going):
            break
        for some in going.split(at_once):
            tried = start[some] + std * steps[some].detach()
            means = _means(effect, gates, start, steps, some, rows, step < n_steps)
            better = means > best[some]
            best[some[better]] = means[better]
            values[some[better]] = tried[better]
        if step < n_steps:
            share = step / n_steps
            optimizer.param_groups[0]["lr"] = (1 - share) * FIRST_RATE + share * LAST_RATE
            optimizer.step()
            optimizer.zero_grad()
            with torch.no_grad():
                steps.clamp_(lowest, highest)
    return best, values


def _means(
    effect: Effect,
    gates: torch.Tensor,
    start: torch.Tensor,
    steps: torch.Tensor,
    some: torch.Tensor,
    rows: torch.Tensor,
    with_gradient: bool,
) -> torch.Tensor:
    """Mean effect of some masks over all rows; their gradients are added to those of the steps."""
    total = torch.zeros(len(some), dtype=torch.float64, device=gates.device)
    with torch.set_grad_enabled(with_gradient):
        for part in rows.split(effect.rows_at_once):
            tried = start[some] + effect.std * steps[some]
            found = effect(
                gates[some].repeat_interleave(len(part), 0),
                tried.repeat_interleave(len(part), 0),
                part.repeat(len(some)),
            )
            sums = found.view(len(some), len(part)).double().sum(1)
            if with_gradient:
                (-sums.sum() / len(rows)).backward(inputs=[steps])
            total += sums.detach()
    return total / len(rows)


def gates_of(effect: Effect, sets: Sequence[Sequence[int]]) -> torch.Tensor:
    """Gates that are 1 for the units of each set and 0 for others, (n_sets, n_neurons)."""
    gates = effect.start.new_zeros((len(sets), len(effect.start)))
    for row, units in enumerate(sets):
        columns = effect.space.members(np.array(units, dtype=np.int64))
        gates[row, torch.from_numpy(columns).to(gates.device)] = 1
    return gates


def sum_of_units(effect: Effect, of_neurons: torch.Tensor) -> torch.Tensor:
    """Of a number for the gate of each neuron, the sums over those that share one, (n_units,)."""
    groups = effect.space.groups
    if groups is None:
        return of_neurons
    numbers = torch.from_numpy(groups.of_columns).to(of_neurons.device)
    return of_neurons.new_zeros(effect.space.n_neurons).index_add_(0, numbers, of_neurons)
