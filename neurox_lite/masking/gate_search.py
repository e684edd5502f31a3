"""The search for a mask: gates and replacements by gradient, under a constraint on the effect.

The fewest expected open gates with ``E[R] >= alpha`` (De Cao et al. 2022, eq. 4-5):

1. Begin with every gate as likely open as closed, and every replacement the mean of its neuron.
2. Draw a batch of examples, and for each of them gates of its own
   (:mod:`~neurox_lite.masking.hard_concrete`).
3. Run the model with a neuron h replaced, ``(1 - m) h + m b`` (eq. 1), and measure the effect R.
4. Descend by Adam on ``sum_i P(m_i != 0) + lambda (alpha - E[R])``, in the locations of gates and
   in replacements. It is divided by ``1 + lambda``: Adam remembers the size of gradients for a
   hundred steps, in which lambda changes a hundredfold.
5. Set lambda by a controller that leads the effect to alpha
   (:class:`~neurox_lite.masking.multiplier.Multiplier`).
6. Repeat from 2; the learning rate falls over the second half of the steps.
7. At the end, move all locations by as much, so that the gates above one half are just enough
   (:func:`cut_at_half`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from neurox_lite.masking import hard_concrete
from neurox_lite.masking.effects import Effect, to_z_scores
from neurox_lite.masking.multiplier import Multiplier, at_least
from neurox_lite.masking.prefix_fit import fit_prefix, shortest_prefix
from neurox_lite.progress import tqdm
from neurox_lite.showing import short_repr

LEARNING_RATE = 0.05
"""Of Adam, for the locations of gates; falls to a twentieth over the second half of the steps."""

VALUE_RATE = 1.0
"""The same for replacements, in standard deviations of their neuron: they have far to go, and gates
are closed for good where replacements are late."""

HIGHEST = 3.0
"""Of a location: a gate is open there in 97 % of draws, and higher ones are long in coming down."""

CUT_ROWS, CUT_STEPS = 128, 3
"""Numbers of open gates are tried on so many examples, with so many steps of replacements."""

APART = 1e-3
"""How far from zero locations lie at least that were moved."""

Run = Callable[[torch.Tensor], torch.Tensor]
Estimate = Callable[[torch.Tensor, torch.Tensor, Run], tuple[torch.Tensor, torch.Tensor, float]]
"""Of locations, uniform noise (n_rows, n_neurons) and a function from gates to effects: the
expected size, a number whose gradient is that of the mean effect, and the mean effect itself."""


@dataclass(frozen=True)
class SearchState:
    """Where a search for a mask stands; another can continue from here.

    Attributes
    ----------
    phi : (n_neurons,) tensor
        Location of each gate, its log-odds of being above one half.
    probabilities : (n_neurons,) tensor
        That the gate is not 0.
    values : (n_neurons,) tensor
        Replacements.
    multiplier : float, optional
        Lambda; by default what a nat would cost if all gates together were just enough.
    sizes, effects : tuples of float
        Expected number of open gates and measured effect, step by step.
    """

    phi: torch.Tensor
    probabilities: torch.Tensor
    values: torch.Tensor
    multiplier: float | None = None
    sizes: tuple[float, ...] = ()
    effects: tuple[float, ...] = ()

    __repr__ = short_repr

    @property
    def n_open(self) -> int:
        """How many gates are rather open than closed."""
        return int((self.phi > 0).sum())


def initial_state(effect: Effect) -> SearchState:
    """Every gate as likely open as closed, every replacement the mean."""
    phi = torch.zeros(effect.space.n_neurons)
    return SearchState(phi, hard_concrete.probability(phi), effect.start.clone())


def through_gates(
    phi: torch.Tensor, noise: torch.Tensor, run: Run
) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Hard concrete gates, through which gradients flow."""
    mean = run(hard_concrete.sample(phi, noise)).mean()
    return hard_concrete.probability(phi).sum(), mean, mean.item()


def search_mask(
    effect: Effect,
    alpha: float,
    *,
    rows: torch.Tensor,
    scale: float,
    start: SearchState,
    n_steps: int,
    batch_size: int,
    generator: torch.Generator,
    estimate: Estimate = through_gates,
    learning_rate: float = LEARNING_RATE,
    draws: int = 1,
    cut: bool = True,
) -> SearchState:
    """Fewest expected open gates with ``E[R] >= alpha``; see the module for the steps.

    Parameters
    ----------
    effect, alpha, n_steps, batch_size
        As for :func:`~neurox_lite.masking.fitting.fit_mask`.
    rows : (n_rows,) int tensor
        Examples to train on.
    scale : float
        Size of a large gap to ``alpha``.
    start : SearchState
        Where the search begins.
    generator : torch.Generator
        On the CPU, whatever the device of the model.
    estimate : function
        How gates are drawn, and what their gradient is.
    learning_rate : float
        Of the locations of gates.
    draws : int
        Gates drawn for each example of a batch, which has as many times fewer examples.
    cut : bool
        Whether to move locations at the end, see :func:`cut_at_half`.
    """
    device = effect.start.device
    n_neurons = effect.space.n_neurons
    # At this bound all closed gates together are open about once in two draws: closed enough, and
    # near enough to be opened again.
    lowest_phi = -math.log(n_neurons) - 1
    std = effect.std
    phi = start.phi.clone().to(device).requires_grad_()
    steps = to_z_scores(effect, start.values.to(device)).requires_grad_()
    lowest, highest = to_z_scores(effect, effect.low), to_z_scores(effect, effect.high)
    rates = (learning_rate, VALUE_RATE)
    optimizer = torch.optim.Adam([{"params": [phi]}, {"params": [steps]}], betas=(0.9, 0.99))
    value = start.multiplier or float(start.probabilities.sum()) / scale
    multiplier = Multiplier(at_least(alpha, scale), value=value)
    sizes, effects = [], []
    for step in tqdm(range(n_steps), desc="mask", unit="step", disable=None, delay=2, leave=False):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * min(1, max(0.05, 2 - 2 * step / n_steps))
        examples = torch.randint(len(rows), (math.ceil(batch_size / draws),), generator=generator)
        drawn = examples.repeat_interleave(draws)
        noise = torch.rand((len(drawn), n_neurons), generator=generator).clamp(1e-6, 1 - 1e-6)
        values = effect.start + std * steps
        run = partial(_run, effect, values=values, rows=rows[drawn.to(rows.device)])
        size, gain, measured = estimate(phi, noise.to(device), run)
        factor = multiplier.step(measured, step / n_steps).item()
        optimizer.zero_grad()
        ((size - factor * gain) / (1 + factor)).backward(inputs=[phi, steps])
        optimizer.step()
        with torch.no_grad():
            phi.clamp_(lowest_phi, _highest(int((phi > 0).sum()), step / n_steps))
            steps.clamp_(lowest, highest)
        sizes.append(size.item())
        effects.append(measured)
    phi, values = phi.detach(), (effect.start + std * steps).detach()
    if cut:
        phi, values = cut_at_half(effect, alpha, phi, values, rows)
    open_shares = hard_concrete.probability(phi)
    return SearchState(
        phi, open_shares, values, multiplier.value.item(), tuple(sizes), tuple(effects)
    )


def _run(
    effect: Effect, gates: torch.Tensor, values: torch.Tensor, rows: torch.Tensor
) -> torch.Tensor:
    """The effect of gates that neurons may share, (n_rows, n_units)."""
    return effect(effect.space.expand(gates), values, rows)


def _highest(n_open: int, progress: float) -> float:
    """Highest location: lower if few gates are open, so that each can be spared, until the end."""
    of_few = min(HIGHEST, math.log(1 + n_open) + 1)
    return float(np.interp(progress, (0.5, 1), (of_few, HIGHEST)))


def cut_at_half(
    effect: Effect, alpha: float, phi: torch.Tensor, values: torch.Tensor, rows: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Locations moved, all by as much, so that just enough gates lie above one half.

    Where zero lies among locations is up to lambda, which is still on its way when a search ends;
    their order says which gates are to be open. How many are enough, with replacements fitted again
    for few steps, is found by some of the rows, and mended by all. Of equal locations some may be
    cut off. If all gates together are not enough, locations and replacements stay as they are.
    """
    by_location = torch.argsort(phi, descending=True, stable=True)
    order, n_open = by_location.tolist(), int((phi > 0).sum())
    fit = partial(fit_prefix, effect, order, alpha=alpha, n_steps=CUT_STEPS)
    found = shortest_prefix(
        effect, order, alpha, values, rows[:CUT_ROWS], n_open, CUT_STEPS, or_shorter=True
    )
    found = fit(len(found.columns), values=found.values, rows=rows)
    while found.effect < alpha and len(found.columns) < len(phi):
        more = len(found.columns) + max(1, len(found.columns) // 16)
        found = fit(min(more, len(phi)), values=found.values, rows=rows)
    if found.effect < alpha:
        return phi, values
    inside, outside = by_location.tensor_split([len(found.columns)])
    last = phi[inside[-1]]
    following = phi[outside[0]] if len(outside) else last - 1
    moved = phi - (last + following) / 2
    moved[inside] = moved[inside].clamp(min=APART)
    moved[outside] = moved[outside].clamp(max=-APART)
    return moved, found.values
