"""Which neurons a model has, and whether neurons are those of a model."""

from __future__ import annotations

from typing import Any

import torch

from neurox_lite.arguments import expect, shown
from neurox_lite.errors import InputError
from neurox_lite.models.loading import LoadedModel, Model, as_loaded
from neurox_lite.models.location import Location
from neurox_lite.models.lstm import LSTMConfig
from neurox_lite.models.sites import Sites, find_sites
from neurox_lite.neurons import Layers, NeuronSpace, resolve_layers


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
) -> NeuronSpace:
    """The neurons of a model, for masks and rankings made by hand.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
    site, layers, side
        As for :class:`~neurox_lite.models.location.Location`.

    Raises
    ------
    InputError
        When the model has no such site or layer.
    """
    loaded = as_loaded(model, reads_text=False)
    return resolve_space(sites_at(loaded, Location(site, side=side)), layers, loaded)


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
