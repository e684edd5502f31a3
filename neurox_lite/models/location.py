"""Where in a model neurons are read or changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from neurox_lite.neurons import Layers, NeuronSpace

Positions = str | torch.Tensor | np.ndarray | Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Tokens, see :func:`neurox_lite.interventions.intervene.intervene`."""


@dataclass(frozen=True)
class Location:
    """Where in a model neurons are read or changed.

    Attributes
    ----------
    site : str, optional
        By default ``lstm_cell`` for the package's LSTM and ``hidden_states`` for others.
    layers : int, several ints or "all", optional
        All by default; -1 is the last.
    positions : "all", "last", int, (n_inputs,) ints or (n_inputs, n_tokens) bools
        Every token, the last one, of minimal pairs the end of one word of the prefix (from 0; -1
        is its last), one token of each input, or these tokens.
    side : {"encoder", "decoder"}
        Of an encoder-decoder.
    """

    site: str | None = None
    layers: Layers = None
    positions: Positions | int = "all"
    side: str = "encoder"

    @classmethod
    def of_space(cls, space: NeuronSpace, positions: Positions | int = "all") -> Location:
        """The neurons of a space, also of one that groups them."""
        space = space.ungrouped
        return cls(space.site, space.layers, positions)
