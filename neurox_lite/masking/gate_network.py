"""Gates of tokens, read off their states by a small network for each state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

LEAST_HIDDEN = 32
FIRST_LOCATION = 5.0
LARGEST_CHANGE = 10.0
LEAST_SLOPE = 0.2
FIRST_LENGTH = 0.05
"""Of u, as a share of that of random weights: all gates begin open, none is closed by chance."""


class _Bounded(torch.autograd.Function):
    """Tanh whose slope is at least :data:`LEAST_SLOPE` on the way back from its bounds.

    Gates that were closed far would otherwise hardly open again.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        found = torch.tanh(x)
        ctx.save_for_backward(found)
        return found

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (found,) = ctx.saved_tensors
        slope = 1 - found**2
        # A step goes against the gradient: to 0, where both have one sign.
        goes_back = gradient * found > 0
        return gradient * torch.where(goes_back, slope.clamp(min=LEAST_SLOPE), slope)


def bounded(x: torch.Tensor) -> torch.Tensor:
    """Tanh, from whose bounds there is a way back."""
    found: torch.Tensor = _Bounded.apply(x)
    return found


class GateNetwork(nn.Module):
    """``g(x) = 10 tanh(u' tanh(V x + a)) + c`` (De Cao et al. 2020, section 2.3).

    V and u are weight-normed; c begins at 5, where nearly all gates are open. Without the bias a,
    no gate could close for 0 and open for both x and -x. States are read in standard deviations of
    their units, which may be large in some and small in others.

    Parameters
    ----------
    mean, std : (width,) tensors
        Of x.
    n_hidden : int
        Rows of V.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, mean: torch.Tensor, std: torch.Tensor, n_hidden: int):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.first = weight_norm(nn.Linear(len(mean), n_hidden))
        self.second = weight_norm(nn.Linear(n_hidden, 1, bias=False))
        with torch.no_grad():
            self.second.parametrizations.weight.original0.mul_(FIRST_LENGTH)
        self.start = nn.Parameter(torch.tensor(FIRST_LOCATION))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Locations phi, of the shape of ``x`` without its last axis."""
        z_scores = (x.float() - self.mean) / self.std
        found: torch.Tensor = self.second(torch.tanh(self.first(z_scores)))[..., 0]
        return LARGEST_CHANGE * bounded(found) + self.start


class Placeholder(nn.Module):
    """What stands in the place of a token, ``start + std * steps``, with learned steps.

    Parameters
    ----------
    start, std : (width,) tensors
    """

    start: torch.Tensor
    std: torch.Tensor

    def __init__(self, start: torch.Tensor, std: torch.Tensor):
        super().__init__()
        self.register_buffer("start", start)
        self.register_buffer("std", std)
        self.steps = nn.Parameter(torch.zeros_like(start))

    def forward(self) -> torch.Tensor:
        """Placeholder, (width,)."""
        found: torch.Tensor = self.start + self.std * self.steps
        return found


class TokenGates(nn.Module):
    """A gate network for each of some states, and placeholders for what is masked.

    Parameters
    ----------
    is_input : bool
        Whether gate k reads ``[h^0; h^k]`` and masks h^0, or reads and masks h^k.
    means, stds : sequences of (width,) tensors
        Of h^0, and of the states k.
    starts : sequence of (width,) tensors
        Where placeholders begin: of h^0 for "input", or of each of the states.
    """

    def __init__(
        self,
        is_input: bool,
        means: Sequence[torch.Tensor],
        stds: Sequence[torch.Tensor],
        starts: Sequence[torch.Tensor],
    ):
        super().__init__()
        self.is_input = is_input
        n_hidden = max(*(len(mean) // 4 for mean in means), LEAST_HIDDEN)
        first = [means[0]], [stds[0]]
        read = [
            [torch.cat([*(before if is_input else []), own]) for own in of_each[1:]]
            for before, of_each in zip(first, (means, stds), strict=True)
        ]
        self.networks = nn.ModuleList(
            GateNetwork(mean, std, n_hidden) for mean, std in zip(*read, strict=True)
        )
        masked = stds[:1] if is_input else stds[1:]
        self.placeholders = nn.ModuleList(map(Placeholder, starts, masked))

    def locations(self, number: int, states: Sequence[torch.Tensor]) -> torch.Tensor:
        """Locations of the gates that mask for a state, (n_texts, n_gates, n_tokens).

        ``number`` is its place among the states; given are h^0 and all states up to it, or it
        alone.
        """
        if not self.is_input:
            return self._locations(number, states[0])[:, None]
        first, *others = states
        each = [self._locations(k, torch.cat([first, own], dim=-1)) for k, own in enumerate(others)]
        return torch.stack(each, dim=1)

    def _locations(self, number: int, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.networks[number](x)
        return found

    def placeholder(self, number: int) -> torch.Tensor:
        """Of a state by its place, (width,)."""
        found: torch.Tensor = self._placeholder(number)()
        return found

    def learned(self, number: int, with_placeholder: bool) -> list[nn.Parameter]:
        """Parameters that the gates of a state depend on."""
        networks = (
            self.networks[: number + 1] if self.is_input else self.networks[number : number + 1]
        )
        used = [*networks, self._placeholder(number)] if with_placeholder else networks
        return [parameter for module in used for parameter in module.parameters()]

    def learned_placeholder(self, number: int) -> list[nn.Parameter]:
        """Parameters that the placeholder of a state depends on."""
        return list(self._placeholder(number).parameters())

    def _placeholder(self, number: int) -> nn.Module:
        return self.placeholders[0 if self.is_input else number]
