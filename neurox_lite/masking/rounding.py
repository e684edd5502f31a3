"""From gates that were searched to the smallest set of neurons that has an effect.

1. Order neurons by their gate. Take the shortest prefix whose effect reaches ``alpha``, with
   replacements fitted again (:func:`~neurox_lite.masking.prefix_fit.shortest_prefix`).
2. Drop neurons while the effect stays at ``alpha`` (:func:`drop_needless`).
3. Gates hardly tell which of the neurons found does most, so that these may still be too many. Take
   as many in order of the integrated gradients over gates (Sundararajan et al. 2017, eq. 1;
   :func:`order_by_gradient`). If they reach ``alpha`` and fewer of them are needed, take those.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from neurox_lite.masking.effects import Effect
from neurox_lite.masking.gate_search import SearchState
from neurox_lite.masking.prefix_fit import N_STEPS, HardMask, fit_prefix, shortest_prefix
from neurox_lite.masking.replacement_fit import fit_replacements, gates_of, sum_of_units

MOST_TRIED = 4
MOST_NEURONS = 256
N_POINTS = 8
"""Of the integral over gates."""


def round_gates(effect: Effect, found: SearchState, alpha: float, rows: torch.Tensor) -> HardMask:
    """The smallest hard mask that a search leads to; see the module for the steps."""
    by_gate = torch.argsort(found.phi, descending=True, stable=True).tolist()
    mask = shortest_prefix(effect, by_gate, alpha, found.values, rows, first=found.n_open)
    if mask.effect < alpha:
        return mask
    mask = drop_needless(effect, mask, alpha, rows)
    if len(mask.columns) < 2:
        return mask
    by_gradient = order_by_gradient(effect, found.values, rows)
    other = fit_prefix(effect, by_gradient, len(mask.columns), alpha, found.values, rows)
    if other.effect >= alpha:
        other = drop_needless(effect, other, alpha, rows)
        if len(other.columns) < len(mask.columns):
            return other
    return mask


def order_by_gradient(effect: Effect, values: torch.Tensor, rows: torch.Tensor) -> list[int]:
    """Neurons by what their gate adds while those of all open together: integrated gradients.

    As :func:`~neurox_lite.masking.attribution.gate_gradients`, which captum computes.
    """
    total = torch.zeros_like(values, dtype=torch.float64)
    points, weights = np.polynomial.legendre.leggauss(N_POINTS)
    for point, weight in zip(points, weights, strict=True):
        for some in rows.split(effect.rows_at_once):
            gates = torch.full_like(values, (1 + point) / 2).requires_grad_()
            (slopes,) = torch.autograd.grad(effect(gates, values, some).sum(), gates)
            total += weight / 2 * slopes.double()
    return torch.argsort(sum_of_units(effect, total), descending=True, stable=True).tolist()


def drop_needless(effect: Effect, mask: HardMask, alpha: float, rows: torch.Tensor) -> HardMask:
    """Drop neurons while the effect stays at ``alpha``.

    Each time the neurons are ordered by what the loss of each costs; tried are the sets without the
    first half of them, a quarter, and so on, and without each of the first four, with replacements
    fitted again. A mask of more than 256 neurons is returned as it is.
    """
    while 1 < len(mask.columns) <= MOST_NEURONS:
        each = [_less(mask.columns, [column]) for column in mask.columns]
        alone, _ = fit_replacements(effect, gates_of(effect, each), mask.values, rows, 0)
        cheap = [mask.columns[index] for index in alone.argsort(descending=True).tolist()]
        sizes = [len(cheap) >> halved for halved in range(1, len(cheap).bit_length())]
        tried = [_less(mask.columns, cheap[:size]) for size in sizes if size > 1]
        tried += [_less(mask.columns, [column]) for column in cheap[:MOST_TRIED]]
        found, values = fit_replacements(
            effect, gates_of(effect, tried), mask.values, rows, N_STEPS, alpha
        )
        enough = [number for number, reached in enumerate(found.tolist()) if reached >= alpha]
        if not enough:
            break
        fewest = min(len(tried[number]) for number in enough)
        best = max(
            (number for number in enough if len(tried[number]) == fewest),
            key=lambda number: float(found[number]),
        )
        mask = HardMask(tried[best], values[best], float(found[best]))
    return mask


def _less(columns: Sequence[int], left_out: Sequence[int]) -> tuple[int, ...]:
    return tuple(column for column in columns if column not in set(left_out))
