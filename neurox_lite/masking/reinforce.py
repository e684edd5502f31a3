"""REINFORCE: the search for a mask without a gradient through its gates, as a baseline."""

from __future__ import annotations

import math

import torch
from tqdm.auto import tqdm

from neurox_lite.masking.constraint import Multiplier
from neurox_lite.masking.effects import Effect
from neurox_lite.masking.search import HIGHEST, LEARNING_RATE, Search, in_deviations

SMOOTHING = 0.9
"""Of the moving average of effects, the baseline."""


def reinforce_mask(
    effect: Effect,
    alpha: float,
    *,
    rows: torch.Tensor,
    scale: float,
    start: Search,
    n_steps: int,
    batch_size: int,
    generator: torch.Generator,
) -> Search:
    """As :func:`~neurox_lite.masking.search.search_mask`, with the score function (Williams 1992).

    Gates are Bernoulli(sigmoid(phi)). Their gradient is that of the expected size, which is exact,
    less ``lambda (R - baseline) grad log p(gates)``, with a moving average of R as the baseline.
    Replacements and lambda are fitted as there.

    Parameters
    ----------
    effect, alpha, rows, scale, start, n_steps, batch_size, generator
        As there.
    """
    device = effect.start.device
    n_neurons = effect.space.n_neurons
    bound = math.log(n_neurons) + 1
    phi = start.phi.clone().to(device).requires_grad_()
    steps = in_deviations(effect, start.values.to(device)).requires_grad_()
    lowest, highest = in_deviations(effect, effect.low), in_deviations(effect, effect.high)
    optimizer = torch.optim.Adam([phi, steps], lr=LEARNING_RATE, betas=(0.9, 0.99))
    multiplier = Multiplier(alpha, scale, value=start.multiplier)
    baseline: float | None = None
    sizes, effects = [], []
    for step in tqdm(range(n_steps), desc="mask", unit="step", disable=None, delay=2, leave=False):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * min(1, max(0.05, 2 - 2 * step / n_steps))
        drawn = torch.randint(len(rows), (batch_size,), generator=generator)
        noise = torch.rand((batch_size, n_neurons), generator=generator).to(device)
        open_share = torch.sigmoid(phi)
        gates = (noise < open_share.detach()).float()
        found = effect(gates, effect.start + effect.deviation * steps, rows[drawn.to(rows.device)])
        measured = found.mean().item()
        baseline = measured if baseline is None else baseline
        log_probability = torch.where(gates > 0, phi, -phi).sigmoid().log().sum(1)
        advantage = (found.detach() - baseline) * log_probability
        worth = multiplier.step(measured)
        optimizer.zero_grad()
        (open_share.sum() - worth * (advantage + found).mean()).backward()
        optimizer.step()
        with torch.no_grad():
            phi.clamp_(-bound, HIGHEST)
            steps.clamp_(lowest, highest)
        baseline = SMOOTHING * baseline + (1 - SMOOTHING) * measured
        sizes.append(open_share.sum().item())
        effects.append(measured)
    values = (effect.start + effect.deviation * steps).detach()
    return Search(phi.detach(), values, multiplier.value, tuple(sizes), tuple(effects))
