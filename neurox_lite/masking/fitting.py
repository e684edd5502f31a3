"""A mask for any effect: searched, rounded, and scored on held-out examples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from neurox_lite.errors import InputError
from neurox_lite.masking import hard_concrete
from neurox_lite.masking.effects import Effect, replaced
from neurox_lite.masking.replacements import fit_replacements, gates_of
from neurox_lite.masking.rounding import HardMask, smallest_leading, without_needless
from neurox_lite.masking.search import Search, beginning, search_mask
from neurox_lite.results.mask_fit import MaskFit
from neurox_lite.results.neuron_mask import NeuronMask

N_STEPS, BATCH_SIZE = 300, 64
SUFFICIENT = 0.1
"""Default of sufficiency: KL divergence in nats."""
ROUNDING_ROWS = 64
"""Training examples that the hard mask is found by."""
REPLACEMENT_STEPS = 60
SETTLED_SIZE, SETTLED_EFFECT = 0.25, 0.1


def fit_mask(
    effect: Effect,
    *,
    alpha: float | None = None,
    held_out: float = 0.25,
    n_steps: int = N_STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    search: Callable[..., Search] = search_mask,
    name: str = "custom",
) -> MaskFit:
    """Find the smallest mask with an effect of at least ``alpha`` (De Cao et al. 2022).

    Gates and replacements are searched by gradient (:func:`search_mask`). Then gates are made
    hard: the likeliest open ones that reach ``alpha`` with replacements fitted again, less those
    that turn out to be needless. All that is said about the mask is measured on the hard one.
    The time is that of about ``n_steps`` forward and backward passes of ``batch_size`` examples.

    Parameters
    ----------
    effect : Effect
    alpha : float, optional
        By default half as far beyond 0 as the model is before it without a mask: half as sure of
        the wrong word as it was of the right one. Of sufficiency -0.1, a KL divergence in nats.
    held_out : float
        Share of the examples that the mask is scored on.
    n_steps, batch_size : int
    seed : int
        Of the held-out examples, batches and gates.
    search : function
        :func:`search_mask`, or :func:`~neurox_lite.masking.reinforce.reinforce_mask`.
    name : str
        Of the objective.

    Raises
    ------
    InputError
        When an option is out of range or there are fewer than two examples.
    """
    if not 0 <= held_out < 1 or n_steps < 1 or batch_size < 1:
        raise InputError(
            f"held_out is {held_out}, n_steps {n_steps}, batch_size {batch_size}; give a share "
            "below 1 and at least one step and example"
        )
    train, test = _split(len(effect), held_out, seed)
    device = effect.start.device
    train, test = train.to(device), test.to(device)
    intact = without_gates(effect, train)
    if alpha is None:
        alpha = -SUFFICIENT if effect.keeps else -intact / 2
    generator = torch.Generator().manual_seed(seed)
    found = search(
        effect,
        alpha,
        rows=train,
        scale=max(abs(alpha - intact), 1e-3),
        start=beginning(effect),
        n_steps=n_steps,
        batch_size=batch_size,
        generator=generator,
    )
    hard = HardMask((), effect.start, intact)
    if intact < alpha:
        hard = _rounded(effect, found, alpha, train[:ROUNDING_ROWS])
    gates = gates_of([hard.columns], effect.start)
    after, success = _on(effect, gates, hard.values, test, alpha)
    mask = NeuronMask(
        effect.space,
        replaced(effect, gates[0]).double().cpu().numpy(),
        hard.values.double().cpu().numpy(),
        "differentiable-mask",
        {"objective": name, "alpha": alpha, "n_steps": n_steps, "seed": seed},
    )
    return MaskFit(
        mask=mask,
        size=len(hard.columns),
        objective=name,
        alpha=alpha,
        feasible=hard.effect >= alpha,
        converged=_settled(found, alpha, max(abs(alpha - intact), 1e-3)),
        intact=intact,
        effect=hard.effect,
        held_out_intact=without_gates(effect, test),
        held_out_effect=after,
        held_out_success=success,
        probabilities=hard_concrete.probability(found.phi).double().cpu().numpy(),
        sizes=found.sizes,
        effects=found.effects,
        n_runs=effect.n_runs,
        counts={"trained on": len(train), "held out": len(test)},
    )


def _split(n: int, held_out: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers of the examples to train on, in random order, and of those to hold out."""
    n_out = round(held_out * n)
    if n - n_out < 1:
        raise InputError(f"{n} examples, {n_out} of them held out; give more")
    order = torch.from_numpy(np.random.default_rng(seed).permutation(n))
    return order[n_out:], order[:n_out].sort().values


def _rounded(effect: Effect, found: Search, alpha: float, rows: torch.Tensor) -> HardMask:
    order = torch.argsort(found.phi, descending=True, stable=True).tolist()
    mask = smallest_leading(effect, order, alpha, found.values, rows, first=found.n_open)
    return without_needless(effect, mask, alpha, rows) if mask.effect >= alpha else mask


def without_gates(effect: Effect, rows: torch.Tensor) -> float:
    """Mean effect when no gate is open; NaN over no rows.

    For *sufficiency* that is of the best replacement of all neurons.
    """
    if not len(rows):
        return float("nan")
    closed = gates_of([()], effect.start)
    n_steps = REPLACEMENT_STEPS if effect.keeps else 0
    return float(fit_replacements(effect, closed, effect.start, rows, n_steps)[0][0])


def _on(
    effect: Effect, gates: torch.Tensor, values: torch.Tensor, rows: torch.Tensor, alpha: float
) -> tuple[float, float]:
    """Mean effect of a mask, and the share of examples on which it succeeds."""
    if not len(rows):
        return float("nan"), float("nan")
    with torch.no_grad():
        found = torch.cat([effect(gates[0], values, some) for some in rows.split(256)]).double()
    succeeds = found >= alpha if effect.keeps else found > 0
    return float(found.mean()), float(succeeds.double().mean())


def _settled(found: Search, alpha: float, scale: float) -> bool:
    """Whether in the last fifth of the steps the effect was there and the size did not change."""
    fifth = max(1, len(found.sizes) // 5)
    before, last = (
        (float(np.mean(found.sizes[part])), float(np.mean(found.effects[part])))
        for part in (slice(-2 * fifth, -fifth), slice(-fifth, None))
    )
    same_size = abs(last[0] - before[0]) <= max(1.0, SETTLED_SIZE * before[0])
    return same_size and last[1] >= alpha - SETTLED_EFFECT * scale
