"""From an order of neurons to the smallest set of them that has an effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from neurox_lite.masking.effects import Effect
from neurox_lite.masking.replacements import fit_replacements, gates_of

GROWING_STEPS, DROPPING_STEPS, LAST_STEPS = 30, 12, 40
AT_MOST_DROPPED_ONE_BY_ONE = 64


@dataclass(frozen=True)
class HardMask:
    """A set of neurons and their replacements.

    Attributes
    ----------
    columns : tuple of int
    values : (n_neurons,) tensor
    effect : float
        On the rows it was made with.
    """

    columns: tuple[int, ...]
    values: torch.Tensor
    effect: float


def smallest_leading(
    effect: Effect,
    order: Sequence[int],
    alpha: float,
    values: torch.Tensor,
    rows: torch.Tensor,
    first: int = 1,
) -> HardMask:
    """The shortest head of an order that reaches ``alpha`` when its replacements are fitted.

    Grows by doubling from ``first`` neurons and then halves the interval, so that an effect which
    does not grow with the set may make it longer than need be. If all neurons together do not
    reach ``alpha``, all are returned.
    """

    def head(k: int) -> HardMask:
        columns = tuple(int(column) for column in order[:k])
        found, fitted = fit_replacements(
            effect, gates_of([columns], values), values, rows, GROWING_STEPS
        )
        return HardMask(columns, fitted[0], float(found[0]))

    short, k = 0, max(1, first)
    found = head(k)
    while found.effect < alpha and k < len(order):
        short, k = k, min(2 * k, len(order))
        found = head(k)
    if found.effect < alpha:
        return found
    while len(found.columns) - short > 1:
        tried = head((short + len(found.columns)) // 2)
        if tried.effect >= alpha:
            found = tried
        else:
            short = len(tried.columns)
    return found


def without_needless(
    effect: Effect, mask: HardMask, alpha: float, rows: torch.Tensor
) -> HardMask:
    """Drop neurons one at a time, the most dispensable first, while the effect stays at ``alpha``.

    In the end every neuron is needed: without it the others, fitted again, do not reach ``alpha``.
    Masks of more than 64 neurons are returned as they are.
    """
    while 1 < len(mask.columns) <= AT_MOST_DROPPED_ONE_BY_ONE:
        sets = [
            tuple(column for column in mask.columns if column != left_out)
            for left_out in mask.columns
        ]
        found, values = fit_replacements(
            effect, gates_of(sets, mask.values), mask.values, rows, DROPPING_STEPS
        )
        best = int(found.argmax())
        reached, fitted = float(found[best]), values[best]
        if reached < alpha:
            again, more = fit_replacements(
                effect, gates_of([sets[best]], fitted), fitted, rows, LAST_STEPS
            )
            reached, fitted = float(again[0]), more[0]
        if reached < alpha:
            break
        mask = HardMask(sets[best], fitted, reached)
    return mask
