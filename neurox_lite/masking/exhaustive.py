"""Every mask of one neuron, or of two: the truth on small layers.

1. List all sets of one neuron, or of two.
2. Fit replacements for each, a thousand sets at a time
   (:func:`~neurox_lite.masking.replacement_fit.fit_replacements`).
3. The best set is that with the largest mean effect.
"""

from __future__ import annotations

from itertools import combinations

import torch

from neurox_lite.masking.effects import Effect
from neurox_lite.masking.prefix_fit import HardMask
from neurox_lite.masking.replacement_fit import fit_replacements, gates_of
from neurox_lite.progress import tqdm

MASKS_AT_ONCE = 1024


def best_masks(
    effect: Effect, rows: torch.Tensor, *, n_steps: int = 15, size: int = 1
) -> tuple[HardMask, torch.Tensor]:
    """The mask of one neuron, or of two, with the most effect, each with its best replacements.

    Runs the model, forward and backward, ``n_steps`` times per mask and example: of 256 neurons
    there are 256 masks of one and 32,640 of two.

    Beside the best, gives the effects of all, (n_masks,), in the order of ``combinations``.
    """
    sets = list(combinations(range(effect.space.n_neurons), size))
    best, effects = HardMask((), effect.start, -float("inf")), []
    starts = range(0, len(sets), MASKS_AT_ONCE)
    for first in tqdm(starts, desc="exhaustive", unit="block", disable=None, delay=2):
        some = sets[first : first + MASKS_AT_ONCE]
        found, values = fit_replacements(
            effect, gates_of(effect, some), effect.start, rows, n_steps
        )
        effects.append(found)
        top = int(found.argmax())
        if float(found[top]) > best.effect:
            best = HardMask(some[top], values[top], float(found[top]))
    return best, torch.cat(effects)
