"""How many neurons at the top of an order it takes to reach an effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch

from neurox_lite.masking.effects import Effect
from neurox_lite.masking.replacement_fit import fit_replacements, gates_of
from neurox_lite.showing import short_repr

N_STEPS = 15
"""Of fitting replacements to a prefix that is tried."""


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

    __repr__ = short_repr


def shortest_prefix(
    effect: Effect,
    order: Sequence[int],
    alpha: float,
    values: torch.Tensor,
    rows: torch.Tensor,
    first: int = 1,
    n_steps: int = N_STEPS,
    or_shorter: bool = False,
) -> HardMask:
    """The shortest prefix of an order that reaches ``alpha`` when its replacements are fitted.

    Of ``first`` neurons at least, unless it may be shorter. From there it grows, or becomes
    shorter, by steps of twice the length each time; then the interval is halved. An effect that
    does not grow with the set may make it longer than need be. If all neurons together do not reach
    ``alpha``, all are returned.
    """
    fit = partial(fit_prefix, effect, order, alpha=alpha, values=values, rows=rows, n_steps=n_steps)
    k = max(1, first)
    step = max(1, k // 8)
    short, found = 0 if or_shorter else k - 1, fit(k)
    if found.effect >= alpha:
        while k > 1 and not short:
            k, step = max(1, k - step), 2 * step
            tried = fit(k)
            if tried.effect >= alpha:
                found = tried
            else:
                short = k
    while found.effect < alpha and k < len(order):
        short, k, step = k, min(k + step, len(order)), 2 * step
        found = fit(k)
    if found.effect < alpha:
        return found
    while len(found.columns) - short > 1:
        tried = fit((short + len(found.columns)) // 2)
        if tried.effect >= alpha:
            found = tried
        else:
            short = len(tried.columns)
    return found


def fit_prefix(
    effect: Effect,
    order: Sequence[int],
    k: int,
    alpha: float,
    values: torch.Tensor,
    rows: torch.Tensor,
    n_steps: int = N_STEPS,
) -> HardMask:
    """The first k neurons of an order, with replacements fitted until ``alpha`` is reached."""
    columns = tuple(int(column) for column in order[:k])
    found, fitted = fit_replacements(
        effect, gates_of(effect, [columns]), values, rows, n_steps, alpha
    )
    return HardMask(columns, fitted[0], float(found[0]))
