"""Where activations lie: mean, standard deviation, minimum and maximum of every neuron."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from neurox_lite.activations.moments import RunningMoments
from neurox_lite.errors import InputError
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

        Sums are in float64. Memory: the activations of a batch, of one layer in float64.

        Raises
        ------
        InputError
            When an activation is NaN or infinite.
        """
        moments = [RunningMoments() for _ in space.layers]
        low = torch.full((space.n_neurons,), torch.inf, device=device)
        high = -low
        n_before = 0
        for layers in batches:
            for layer, running, states in zip(space.layers, moments, layers, strict=True):
                lowest, highest = states.amin(0), states.amax(0)
                if not (lowest.isfinite() & highest.isfinite()).all():
                    raise InputError(
                        f"{space.model}: an activation of layer {layer} is NaN or infinite; load "
                        "the model in float32"
                    )
                at = space.columns(layer)
                low[at] = torch.minimum(low[at], lowest)
                high[at] = torch.maximum(high[at], highest)
                running.add(n_before, states.double())
            n_before += len(layers[0])
        found = [running.moments() for running in moments]
        mean, std = (
            torch.from_numpy(np.concatenate([getattr(each, name) for each in found]))
            for name in ("mean", "std")
        )
        return cls(mean.float().to(device), std.float().to(device), low, high)
