"""Where activations lie: mean, standard deviation, minimum and maximum of every neuron."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from neurox_lite.neurons import NeuronSpace
from neurox_lite.showing import short_repr


@dataclass(frozen=True)
class ActivationRange:
    """Of every neuron, over some tokens; (n_neurons,) float32 tensors."""

    mean: torch.Tensor
    std: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor

    __repr__ = short_repr

    @classmethod
    def of(
        cls,
        space: NeuronSpace,
        batches: Iterable[Sequence[torch.Tensor]],
        device: torch.device | None = None,
    ) -> ActivationRange:
        """Of batches of tokens, whose states of each layer are (n_tokens, width).

        Means and squared differences of batches are merged in float64 (Chan et al. 1979). Memory:
        the activations of a batch, of one layer in float64.
        """
        mean = torch.zeros(space.n_neurons, dtype=torch.float64, device=device)
        squares = torch.zeros_like(mean)
        low = torch.full_like(mean, torch.inf)
        high = torch.full_like(mean, -torch.inf)
        n_before = 0
        for layers in batches:
            n_new = len(layers[0])
            n_all = n_before + n_new
            for layer, states in zip(space.layers, layers, strict=True):
                at = space.columns(layer)
                variance, own = torch.var_mean(states.double(), dim=0, correction=0)
                difference = own - mean[at]
                squares[at] += variance * n_new + difference**2 * (n_before * n_new / n_all)
                mean[at] += difference * (n_new / n_all)
                low[at] = torch.minimum(low[at], states.amin(0))
                high[at] = torch.maximum(high[at], states.amax(0))
            n_before = n_all
        parts = (mean, (squares / n_before).sqrt(), low, high)
        return cls(*(part.float() for part in parts))
