"""Numbers added to the neurons of a running model, at any site and position."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from neurox_lite.arguments import expect
from neurox_lite.interventions.edits import edit_neurons, unwrap
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.location import Positions
from neurox_lite.models.neuron_spaces import as_values, check_fits, check_space
from neurox_lite.models.sites import Sites, find_sites
from neurox_lite.neurons import NeuronSpace, check_revision


@contextmanager
def add_to_neurons(
    model: LoadedModel | nn.Module,
    space: NeuronSpace,
    shift: np.ndarray | torch.Tensor,
    *,
    positions: Positions = "all",
    sites: Sites | None = None,
    side: str = "encoder",
) -> Iterator[None]:
    """While the block runs, every forward pass has numbers added to its neurons.

    A neuron h becomes ``h + s``, out of place (Antverg & Belinkov 2022, who call it translation).
    Where s is 0 nothing changes, bit by bit.

    Parameters
    ----------
    model : LoadedModel or Module
        With or without a head.
    space : NeuronSpace
        Of the columns of the shift.
    shift : (n_neurons,) or (n_sentences, n_neurons) array
        In the units of the activations; the same for all sentences, or of each of the batch.
    positions, sites, side
        As for :func:`neurox_lite.interventions.intervene.intervene`. In an LSTM a changed cell
        is what the next time step starts from.

    Raises
    ------
    InputError
        When the model does not have the space's site or layers, the space is another model's, the
        shift is not finite, or a shape does not fit.
    """
    expect(space, NeuronSpace, "space", "a NeuronSpace, such as nx.neuron_space(model)")
    module = unwrap(model)
    sites = find_sites(module, space.site, side=side) if sites is None else sites
    check_space(sites, space)
    if isinstance(model, LoadedModel):
        check_revision(space, model.revision, "the space of a shift")
    weights = next(module.parameters())
    shifts = as_values(shift, weights.device, "shift")
    check_fits(shifts, weights.dtype, "a shift")
    with adding_to_neurons(module, sites, space, shifts, positions=positions):
        yield


@contextmanager
def adding_to_neurons(
    model: nn.Module,
    sites: Sites,
    space: NeuronSpace,
    shifts: torch.Tensor,
    *,
    positions: Positions = "all",
) -> Iterator[None]:
    """:func:`add_to_neurons` with tensors, through which gradients flow."""

    def added(states: torch.Tensor, tokens: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        return states + shift * tokens

    parts = {"shifts": shifts}
    with edit_neurons(model, sites, space, added, parts, positions=positions):
        yield
