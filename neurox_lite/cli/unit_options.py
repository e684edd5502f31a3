"""What is ranked, replaced or steered: neurons, or attention heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError

if TYPE_CHECKING:
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.models.loading import Model
    from neurox_lite.neurons import NeuronSpace
    from neurox_lite.results.ranking import NeuronRanking

Units = Annotated[
    str,
    typer.Option(
        "--units",
        metavar="neurons|heads",
        help="What is counted: neurons, or attention heads, at the site attention_heads.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class UnitOptions:
    """Units of a store."""

    units: Units = "neurons"
    n_heads: Annotated[
        int | None,
        typer.Option(
            "--heads", min=1, help="Heads of a layer, where the store does not say it (heads)."
        ),
    ] = None

    def of_store(self, store: ActivationStore, layers: list[int] | None) -> NeuronSpace | None:
        """The heads of a store, if they are asked for."""
        if asks_for_heads(self.units):
            return store.heads(layers, n_heads=self.n_heads)
        if self.n_heads is not None:
            raise InputError("--heads is of --units heads; give both, or neither")
        return None


def asks_for_heads(units: str) -> bool:
    """Whether units are heads; refuses what is unknown."""
    from neurox_lite.models.neuron_spaces import UNITS

    if units not in UNITS:
        raise unknown_choice("units", units, UNITS)
    return units == "heads"


def in_units_of_model(
    rankings: Sequence[NeuronRanking], model: Model, units: str
) -> list[NeuronRanking]:
    """Rankings of neurons as those of a model's heads, if these are asked for."""
    from neurox_lite.models.neuron_spaces import neuron_space
    from neurox_lite.results.ranking import require_space
    from neurox_lite.results.units import in_units

    if not asks_for_heads(units) or rankings[0].space.groups is not None:
        return list(rankings)
    space = require_space(rankings)[0].space
    heads = neuron_space(model, space.site, space.layers, units=units)
    return [in_units(ranking, heads) for ranking in rankings]
