"""Integrated gradients over gates: what each replaced neuron adds to an effect.

1. Open the gates of all neurons together from 0 to 1, in steps a (Gauss-Legendre).
2. At each step take the gradient of the effect R in every gate.
3. Their weighted sum is the attribution (Sundararajan et al. 2017, eq. 1, with the gates as the
   input): ``IG_j = integral over a from 0 to 1 of dR/dm_j (m = a)``.

For a neuron h that is replaced by b this is ``(b - h)`` times the mean gradient of R on the way
from h to b, summed over all tokens and steps at which it is replaced. By completeness, attributions
sum to the effect of replacing all neurons less that of replacing none.
"""

from __future__ import annotations

import torch

from neurox_lite.errors import InputError
from neurox_lite.masking.effects import Effect
from neurox_lite.masking.replacement_fit import sum_of_units
from neurox_lite.progress import tqdm


def gate_gradients(
    effect: Effect, values: torch.Tensor, *, rows: torch.Tensor, n_steps: int = 20
) -> torch.Tensor:
    """Integrated gradients of an effect R from closed to open gates, by captum.

    Of replacements (n_neurons,) and the numbers of examples; every step is a forward and a backward
    pass. Gives the mean over the examples, (n_units,) float64, summed where neurons share a gate;
    negative when replacing a neuron works against the effect.
    """
    try:
        from captum.attr import IntegratedGradients
    except ImportError:
        raise InputError(
            "integrated gradients need captum; pip install 'neurox-lite[captum]'"
        ) from None

    def run(gates: torch.Tensor, examples: torch.Tensor) -> torch.Tensor:
        return effect(gates, values, examples)

    total = torch.zeros(len(values), dtype=torch.float64, device=values.device)
    blocks = rows.split(max(1, effect.rows_at_once // n_steps))
    for some in tqdm(blocks, desc="integrated gradients", unit="batch", disable=None, delay=2):
        opened = torch.ones((len(some), len(values)), device=values.device)
        found = IntegratedGradients(run).attribute(
            opened, additional_forward_args=some, n_steps=n_steps
        )
        total += found.detach().double().sum(0)
    return sum_of_units(effect, total / len(rows))
