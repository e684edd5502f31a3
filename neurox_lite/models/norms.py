"""What a normalisation does to what is added to its input, whatever its class calls its weights."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn

from neurox_lite.showing import short_repr


@dataclass(frozen=True, eq=False)
class Norm:
    """``N(x) = gain * (x - mean(x)) / divisor(x) + shift``, where x has its mean taken off or not.

    Attributes
    ----------
    module : Module
    gain, shift : (width,) float32 tensors
    centres : bool
        Whether the mean over units is taken off, as LayerNorm does and RMSNorm does not.
    """

    module: nn.Module
    gain: torch.Tensor
    shift: torch.Tensor
    centres: bool

    __repr__ = short_repr

    def undivided(self, vectors: torch.Tensor) -> torch.Tensor:
        """Vectors (n, width) as they are before the division, without the shift."""
        if self.centres:
            vectors = vectors - vectors.mean(-1, keepdim=True)
        return vectors * self.gain

    def divisors(self, read: torch.Tensor, written: torch.Tensor) -> torch.Tensor:
        """By what states (n, width) were divided, (n,), from what was read and written."""
        above = self.undivided(read.float())
        below = written.float() - self.shift
        return above.square().sum(-1) / (above * below).sum(-1)


@torch.no_grad()
def measure_norm(module: nn.Module, states: torch.Tensor) -> Norm | None:
    """The norm that a module of states (..., width) is; None if it is none.

    It is told from what the module gives for three random vectors: the gain may be stored in other
    ways, Gemma's as ``gain - 1``.
    """
    width, device = states.shape[-1], states.device
    generator = torch.Generator().manual_seed(0)
    sizes = torch.tensor([[10.0], [100.0], [1000.0]])  # a norm does not see them
    vectors = (torch.randn(3, width, generator=generator) * sizes).to(device)
    try:
        own = deepcopy(module).float()
        shift = own(torch.zeros(1, width, device=device))[0]
        written = own(vectors) - shift
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
        return None
    for centres in (True, False):
        unit = vectors - vectors.mean(-1, keepdim=True) if centres else vectors
        unit = unit / unit.square().mean(-1, keepdim=True).sqrt()
        gain = (written * unit).sum(0) / unit.square().sum(0)
        if torch.allclose(written, gain * unit, rtol=1e-3, atol=1e-4 * float(written.abs().max())):
            return Norm(module, gain, shift, centres)
    return None
