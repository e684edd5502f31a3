"""Which neurons a model has, and whether neurons are those of a model."""

from __future__ import annotations

from typing import Any

import torch

from neurox_lite.arguments import expect, shown
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.models.loading import LoadedModel, Model, as_loaded
from neurox_lite.models.location import Location
from neurox_lite.models.lstm import LSTMConfig
from neurox_lite.models.sites import Sites, find_sites
from neurox_lite.neurons import Layers, NeuronSpace, resolve_layers

UNITS = ("neurons", "heads")
"""What is ranked, replaced or steered."""


def sites_at(loaded: LoadedModel, where: Location) -> Sites:
    """The site of a location in a model."""
    default = "lstm_cell" if isinstance(loaded.model.config, LSTMConfig) else "hidden_states"
    site = default if where.site is None else where.site
    return find_sites(loaded.model, site, side=where.side)


def neuron_space(
    model: Model,
    site: str | None = None,
    layers: Layers = None,
    *,
    side: str = "encoder",
    units: str | NeuronSpace = "neurons",
) -> NeuronSpace:
    """The neurons of a model, or its attention heads, for masks and rankings made by hand.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
    site, layers, side
        As for :class:`~neurox_lite.models.location.Location`.
    units : {"neurons", "heads"} or NeuronSpace
        Heads are of the site ``attention_heads``: the neurons that each of them makes. Groups that
        are given have to be of these neurons.

    Raises
    ------
    InputError
        When the model has no such site or layer, or does not tell how many heads it has.
    """
    loaded = as_loaded(model, reads_text=False)
    site = site_of_units(site, units)
    sites = sites_at(loaded, Location(site, side=side))
    return units_of(sites, resolve_space(sites, layers, loaded), units)


def site_of_units(site: str | None, units: str | NeuronSpace) -> str | None:
    """The site, by default that of the units."""
    if site is None and isinstance(units, NeuronSpace):
        return units.site
    return "attention_heads" if site is None and units == "heads" else site


def units_of(sites: Sites, space: NeuronSpace, units: str | NeuronSpace) -> NeuronSpace:
    """The space of what is counted: neurons of a model, its heads, or groups that are given."""
    if isinstance(units, NeuronSpace):
        return space.with_groups_of(units)
    if units not in UNITS:
        raise unknown_choice("units", units, UNITS, "or a space of groups")
    if units == "neurons":
        return space
    missing = [layer for layer in space.layers if layer not in sites.n_heads]
    if missing and sites.site == "attention_heads":
        raise InputError(
            f"{space.model}: does not tell how many heads layer {missing[0]} has; group its "
            "neurons by space.heads(number)"
        )
    return space.heads([sites.n_heads.get(layer, 1) for layer in space.layers])


def check_space(sites: Sites, space: NeuronSpace) -> None:
    """Raise InputError unless a model with these sites has these neurons."""
    expect(sites, Sites, "sites", "what find_sites(model, site) gives")
    if space.site != sites.site:
        raise InputError(f"neurons of '{space.site}' in a model's '{sites.site}'; use one site")
    for layer, width in zip(space.layers, space.widths, strict=True):
        if layer not in sites.widths:
            raise InputError(
                f"no layer {layer} at '{sites.site}'; the model has layers "
                f"{', '.join(map(str, sites.widths))}"
            )
        if sites.widths[layer] != width:
            raise InputError(
                f"layer {layer} has {sites.widths[layer]} neurons at '{sites.site}', not {width}; "
                "give what was made from this model"
            )


def as_values(values: Any, device: torch.device, what: str) -> torch.Tensor:
    """An array of numbers as a float32 tensor."""
    try:
        return torch.as_tensor(values, device=device).float()
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"{what} is {shown(values)}; give an array of numbers") from None


def check_fits(values: torch.Tensor, dtype: torch.dtype, what: str) -> None:
    """Raise InputError unless all values are finite numbers of a model's dtype."""
    if not torch.isfinite(values.to(dtype)).all():
        raise InputError(
            f"{what} is NaN, infinite or too large for {str(dtype).removeprefix('torch.')}; give "
            "finite numbers"
        )


def resolve_space(sites: Sites, layers: Layers, loaded: LoadedModel) -> NeuronSpace:
    """The neurons of some layers of a loaded model, all by default."""
    chosen = resolve_layers(layers, list(sites.widths), sites.site)
    widths = tuple(sites.widths[layer] for layer in chosen)
    return NeuronSpace(loaded.name, sites.site, chosen, widths, loaded.revision)
