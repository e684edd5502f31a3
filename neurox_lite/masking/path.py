"""Masks along a path of ever smaller effects: an order of all neurons.

1. Targets lie between the effect of the model as it is and the mirror image of that beyond 0
   (between no neuron kept and nothing lost, for *sufficiency*).
2. Search a mask for the largest target (:func:`~neurox_lite.masking.gate_search.search_mask`).
3. Search one for the next smaller, beginning where the last search ended, and so on: replacements
   are known when neurons have to go. The other way round, neurons whose replacement lies far away
   are found too late.
4. The score of a neuron is the mean over targets of the probability that its gate is open: near 1
   for one that every target needs, near 0 for one that none does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from neurox_lite.errors import InputError
from neurox_lite.masking.effects import Effect
from neurox_lite.masking.fit_task import without_gates
from neurox_lite.masking.gate_search import initial_state, search_mask
from neurox_lite.progress import tqdm
from neurox_lite.results.objective import Objective
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed

EFFECT_SHARES = (0.1, 0.25, 0.5, 0.75, 0.95)
"""Targets, as shares of the way from the effect without a mask to the mirror image."""
FIRST_STEPS, NEXT_STEPS = 200, 100
BATCH_SIZE = 64


def mask_path(
    effect: Effect,
    *,
    shares: Sequence[float] = EFFECT_SHARES,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
) -> NeuronRanking:
    """Rank neurons by how early they enter the mask as more effect is asked for.

    See the module for the steps.

    Shares are of the way from the effect without a mask to its mirror image, ascending. Of constant
    neurons the score is NaN; they come last.
    """
    if not shares or list(shares) != sorted(set(shares)) or shares[0] <= 0:
        raise InputError(f"shares {tuple(shares)}; give numbers above 0 that ascend")
    seed = validate_seed(seed)
    device = effect.start.device
    rows = torch.arange(len(effect), device=device)
    first = without_gates(effect, rows)
    last = 0.0 if effect.objective is Objective.SUFFICIENCY else -first
    generator = torch.Generator().manual_seed(seed)
    found = initial_state(effect)
    probability = torch.zeros(effect.space.n_neurons, dtype=torch.float64, device=device)
    targets = tqdm(shares[::-1], desc="path", unit="mask", disable=None, delay=2)
    for number, share in enumerate(targets):
        found = search_mask(
            effect,
            first + share * (last - first),
            rows=rows,
            scale=max(abs(last - first) / 2, 1e-3),
            start=found,
            n_steps=NEXT_STEPS if number else FIRST_STEPS,
            batch_size=batch_size,
            generator=generator,
            cut=False,
        )
        probability += found.probabilities.double() / len(shares)
    scores = probability.cpu().numpy()
    scores[~effect.space.any_member(effect.std.cpu().numpy() > 0)] = np.nan
    return NeuronRanking.from_scores(
        effect.space,
        scores,
        "differentiable-mask",
        parameters={"objective": effect.objective.value, "shares": list(shares), "seed": seed},
    )
