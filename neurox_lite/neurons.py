"""Where a neuron lives: (site, layer, unit) and its column in a matrix of activations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from neurox_lite.errors import InputError


class Neuron(NamedTuple):
    """One neuron, shown as ``layer:unit``."""

    layer: int
    unit: int

    def __repr__(self) -> str:
        return f"{self.layer}:{self.unit}"


@dataclass(frozen=True, eq=False)
class NeuronSpace:
    """The neurons of a model at one site, laid side by side layer after layer.

    Two are equal when site, layers, widths and revision are, wherever the model was loaded from;
    without a revision the model's name has to be the same, too.

    Parameters
    ----------
    model : str
        Name or path of the model.
    site : str
        ``hidden_states``, ``mlp``, ``attention_heads`` or ``lstm_cell``; ``array`` for columns
        that come from no model.
    layers : tuple of int
        Layer numbers, in the order of the columns.
    widths : tuple of int
        Number of neurons per layer.
    revision : str
        Revision of the model, where its source has one.
    """

    model: str
    site: str
    layers: tuple[int, ...]
    widths: tuple[int, ...]
    revision: str = ""

    def __post_init__(self) -> None:
        if len(self.layers) != len(self.widths) or len(set(self.layers)) != len(self.layers):
            raise InputError(
                f"layers {self.layers}, widths {self.widths}: give each layer once, with a width"
            )
        if not self.layers or min(self.widths) < 1:
            raise InputError("a neuron space needs at least one layer of at least one neuron")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NeuronSpace) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[Any, ...]:
        name = "" if self.revision else self.model
        return name, self.revision, self.site, self.layers, self.widths

    @classmethod
    def of_array(cls, n_neurons: int) -> NeuronSpace:
        """The space of a plain array: one layer 0 whose units are its columns."""
        return cls(model="array", site="array", layers=(0,), widths=(n_neurons,))

    @property
    def n_neurons(self) -> int:
        return sum(self.widths)

    @property
    def layer_offsets(self) -> np.ndarray:
        """First column of each layer, and the number of neurons; shape (n_layers + 1,)."""
        return np.concatenate(([0], np.cumsum(self.widths)))

    def column(self, layer: int, unit: int) -> int:
        """Column of a neuron.

        Raises
        ------
        InputError
            When the space has no such layer or unit.
        """
        position = self._position(layer)
        if not 0 <= unit < self.widths[position]:
            raise InputError(
                f"no unit {unit} in layer {layer}; its units are 0 to {self.widths[position] - 1}"
            )
        return int(self.layer_offsets[position]) + unit

    def columns(self, layer: int) -> slice:
        """The columns of a whole layer."""
        position = self._position(layer)
        return slice(int(self.layer_offsets[position]), int(self.layer_offsets[position + 1]))

    def neuron(self, column: int) -> Neuron:
        """The neuron of a column; the inverse of :meth:`column`."""
        if not 0 <= column < self.n_neurons:
            raise InputError(f"no column {column}; the columns are 0 to {self.n_neurons - 1}")
        position = int(np.searchsorted(self.layer_offsets, column, side="right")) - 1
        return Neuron(self.layers[position], int(column - self.layer_offsets[position]))

    def neurons(self, columns: Iterable[int]) -> list[Neuron]:
        """The neurons of several columns, in their order."""
        return [self.neuron(int(column)) for column in columns]

    def count_per_layer(self, columns: Sequence[int] | np.ndarray) -> dict[int, int]:
        """How many of these columns each layer holds."""
        positions = np.searchsorted(self.layer_offsets, np.asarray(columns), side="right") - 1
        counts = np.bincount(positions, minlength=len(self.layers))
        return {layer: int(count) for layer, count in zip(self.layers, counts, strict=True)}

    def select(self, layers: Sequence[int]) -> NeuronSpace:
        """The space of some of the layers, in the order given."""
        widths = tuple(self.widths[self._position(layer)] for layer in layers)
        return NeuronSpace(self.model, self.site, tuple(layers), widths, self.revision)

    def _position(self, layer: int) -> int:
        if layer not in self.layers:
            known = ", ".join(map(str, self.layers))
            raise InputError(f"no layer {layer}; the layers are {known}")
        return self.layers.index(layer)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form that :meth:`from_dict` reads."""
        return {
            "model": self.model,
            "revision": self.revision,
            "site": self.site,
            "layers": list(self.layers),
            "widths": list(self.widths),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> NeuronSpace:
        return cls(
            model=data["model"],
            site=data["site"],
            layers=tuple(data["layers"]),
            widths=tuple(data["widths"]),
            revision=data.get("revision", ""),
        )
