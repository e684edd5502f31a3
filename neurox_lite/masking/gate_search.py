"""The search for a mask: gates and replacements by gradient, under a constraint on the effect.

The fewest expected open gates with ``E[R] >= alpha`` (De Cao et al. 2022, eq. 4-5):

1. Begin with every gate as likely open as closed, and every replacement the mean of its neuron.
2. Draw a batch of examples, and for each of them gates of its own
   (:mod:`~neurox_lite.masking.hard_concrete`).
3. Run the model with a neuron h replaced, ``(1 - m) h + m b`` (eq. 1), and measure the effect R.
4. Descend by Adam on ``sum_i P(m_i != 0) + lambda (alpha - E[R])``, in the locations of gates and
   in replacements.
5. Ascend in lambda, which grows while the effect is too small (:class:`Multiplier`).
6. Repeat from 2; the learning rate falls over the second half of the steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from tqdm.auto import tqdm

from neurox_lite.masking import hard_concrete
from neurox_lite.masking.effects import Effect
from neurox_lite.showing import short_repr

LEARNING_RATE = 0.1
"""Of Adam, for the locations of gates and for replacements in standard deviations of their neuron;
falls to a twentieth over the second half of the steps."""

HIGHEST = 3.0
"""Of a location: a gate is open there in 97 % of draws, and higher ones are long in coming down."""

LEAST, MOST = 1e-3, 1e4
"""Of lambda."""

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
    multiplier : float
    sizes, effects : tuples of float
        Expected number of open gates and measured effect, step by step.
    """

    phi: torch.Tensor
    probabilities: torch.Tensor
    values: torch.Tensor
    multiplier: float
    sizes: tuple[float, ...] = ()
    effects: tuple[float, ...] = ()

    __repr__ = short_repr

    @property
    def n_open(self) -> int:
        """How many gates are rather open than closed."""
        return int((self.phi > 0).sum())


class Multiplier:
    """Lambda, the Lagrange multiplier of ``E[R] >= alpha`` (De Cao et al. 2022, section 3).

    It grows while the constraint is violated and shrinks while it is met, by factors, since nobody
    knows its size beforehand. Of the gap ``g = (alpha - R) / scale``, cut off at 10, in every step:

    1. ``lambda <- lambda exp(rate g)``.
    2. The step is taken with ``lambda exp(damping g)``, without which lambda and the mask swing
       around the solution (the PI control of Stooke et al. 2020, in the exponent).

    ``scale`` is the size of a large gap, in the units of the effect; ``value`` is lambda to start
    with.
    """

    def __init__(
        self,
        alpha: float,
        scale: float,
        *,
        rate: float = 0.05,
        damping: float = 0.5,
        value: float = 1.0,
    ):
        self.alpha, self.scale = alpha, scale
        self.rate, self.damping = rate, damping
        self.value = value

    def step(self, effect: float) -> float:
        """Lambda for this step, given the effect measured in it."""
        gap = (self.alpha - effect) / self.scale
        gap = min(max(gap, -10.0), 10.0)
        self.value = min(max(self.value * math.exp(self.rate * gap), LEAST), MOST)
        return self.value * math.exp(self.damping * gap)


def initial_state(effect: Effect) -> SearchState:
    """Every gate as likely open as closed, every replacement the mean."""
    phi = torch.zeros(effect.space.n_neurons)
    return SearchState(phi, hard_concrete.probability(phi), effect.start.clone(), 1.0)


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
    """
    device = effect.start.device
    n_neurons = effect.space.n_neurons
    # At this bound all closed gates together are open about once in two draws: closed enough, and
    # near enough to be opened again.
    bound = math.log(n_neurons) + 1
    std = effect.std
    phi = start.phi.clone().to(device).requires_grad_()
    steps = to_z_scores(effect, start.values.to(device)).requires_grad_()
    lowest, highest = to_z_scores(effect, effect.low), to_z_scores(effect, effect.high)
    optimizer = torch.optim.Adam([phi, steps], lr=learning_rate, betas=(0.9, 0.99))
    multiplier = Multiplier(alpha, scale, value=start.multiplier)
    sizes, effects = [], []
    for step in tqdm(range(n_steps), desc="mask", unit="step", disable=None, delay=2, leave=False):
        optimizer.param_groups[0]["lr"] = learning_rate * min(1, max(0.05, 2 - 2 * step / n_steps))
        drawn = torch.randint(len(rows), (batch_size,), generator=generator)
        noise = torch.rand((batch_size, n_neurons), generator=generator).clamp(1e-6, 1 - 1e-6)
        values = effect.start + std * steps
        run = partial(effect, values=values, rows=rows[drawn.to(rows.device)])
        size, gain, measured = estimate(phi, noise.to(device), run)
        optimizer.zero_grad()
        (size - multiplier.step(measured) * gain).backward(inputs=[phi, steps])
        optimizer.step()
        with torch.no_grad():
            phi.clamp_(-bound, HIGHEST)
            steps.clamp_(lowest, highest)
        sizes.append(size.item())
        effects.append(measured)
    values = (effect.start + std * steps).detach()
    phi = phi.detach()
    open_shares = hard_concrete.probability(phi)
    return SearchState(phi, open_shares, values, multiplier.value, tuple(sizes), tuple(effects))


def to_z_scores(effect: Effect, values: torch.Tensor) -> torch.Tensor:
    """How far values lie from where replacements start, in standard deviations; 0 for constants."""
    varies = effect.std > 0
    scale = torch.where(varies, effect.std, 1)
    return torch.where(varies, (values - effect.start) / scale, 0)
