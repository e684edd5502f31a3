"""Where a neuron lives: (site, layer, unit) and its column in a matrix of activations.

Long by the many ways in which users may name neurons and layers, which are read here only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from neurox_lite.arguments import shown, whole_number
from neurox_lite.errors import InputError

ALL = "all"
IN_MEMORY = "weights:"
"""How the revision of a model begins that was not loaded by its name: a hash of its weights."""

NEURON = re.compile(r"(-?\d+):(\d+)", re.ASCII)

Layers = int | str | Iterable[int] | None
"""What functions take as layers; see :func:`layer_numbers`."""


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
        for name in ("layers", "widths"):
            given = getattr(self, name)
            if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
                raise InputError(f"{name}: {shown(given)}; give a list of whole numbers")
            found = tuple(whole_number(number, f"one of the {name}") for number in given)
            object.__setattr__(self, name, found)
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

    def column(self, layer: Any, unit: int | None = None) -> int:
        """Column of a neuron: ``column(1, 3)``, ``column("1:3")`` or ``column(Neuron(1, 3))``.

        Raises
        ------
        InputError
            When the space has no such layer or unit.
        """
        if unit is None:
            return self._column(layer)
        position, unit = self._position(layer), whole_number(unit, "unit")
        if not 0 <= unit < self.widths[position]:
            raise InputError(
                f"no unit {unit} in layer {self.layers[position]}; its units are 0 to "
                f"{self.widths[position] - 1}"
            )
        return int(self.layer_offsets[position]) + unit

    def columns_of(self, neurons: Any) -> np.ndarray:
        """Columns of neurons, in their order; shape (n_given,).

        Parameters
        ----------
        neurons : neuron, or several
            Each as it is shown, ``"1:3"`` for layer 1 and unit 3, as a :class:`Neuron` or another
            pair of layer and unit, or as a column. An array may be of columns, (n_given,), of
            pairs, (n_given, 2), or of bools, True for each neuron meant, (n_neurons,). A plain
            tuple of two numbers is two columns.

        Raises
        ------
        InputError
            When one is no neuron, or one that the space does not have; it is named.
        """
        is_one = isinstance(neurons, str | Neuron) or not isinstance(neurons, Iterable)
        if is_one or getattr(neurons, "ndim", 1) == 0:
            return np.array([self._column(neurons)])
        if isinstance(neurons, bytes | Mapping) or _is_table(neurons):
            raise InputError(f"neurons: {shown(neurons)}; {HOW}")
        if hasattr(neurons, "detach"):  # a tensor
            neurons = neurons.detach().cpu().numpy()
        if isinstance(neurons, np.ndarray) and neurons.dtype == bool:
            if neurons.shape != (self.n_neurons,):
                raise InputError(
                    f"bools of shape {neurons.shape} for {self.n_neurons} neurons; one for each"
                )
            return np.flatnonzero(neurons)
        if isinstance(neurons, np.ndarray) and neurons.dtype.kind in "iu" and neurons.ndim == 1:
            for column in neurons[(neurons < 0) | (neurons >= self.n_neurons)]:
                self.neuron(column)  # refuses it
            return neurons.astype(np.int64)
        several = neurons.tolist() if isinstance(neurons, np.ndarray) else neurons
        return np.array([self._column(neuron) for neuron in several], dtype=np.int64)

    def _column(self, neuron: Any) -> int:
        """Column of a neuron given in any of the ways of :meth:`columns_of`."""
        if isinstance(neuron, str):
            found = NEURON.fullmatch(neuron.strip())
            if not found:
                raise InputError(f"{shown(neuron)} is not a neuron; {HOW}")
            return self.column(int(found[1]), int(found[2]))
        if isinstance(neuron, Sequence | np.ndarray) and len(neuron) == 2:
            return self.column(*neuron)
        try:
            column = whole_number(neuron, "column")
        except InputError:
            raise InputError(f"{shown(neuron)} is not a neuron; {HOW}") from None
        self.neuron(column)
        return column

    def columns(self, layer: int) -> slice:
        """The columns of a whole layer."""
        position = self._position(layer)
        return slice(int(self.layer_offsets[position]), int(self.layer_offsets[position + 1]))

    def neuron(self, column: int) -> Neuron:
        """The neuron of a column; the inverse of :meth:`column`."""
        column = whole_number(column, "column")
        if not 0 <= column < self.n_neurons:
            raise InputError(f"no column {column}; the columns are 0 to {self.n_neurons - 1}")
        position = int(np.searchsorted(self.layer_offsets, column, side="right")) - 1
        return Neuron(self.layers[position], int(column - self.layer_offsets[position]))

    def neurons(self, columns: Iterable[int]) -> list[Neuron]:
        """The neurons of several columns, in their order."""
        return [self.neuron(column) for column in columns]

    def count_per_layer(self, neurons: Any) -> dict[int, int]:
        """How many of these neurons, see :meth:`columns_of`, each layer holds."""
        columns = self.columns_of(neurons)
        positions = np.searchsorted(self.layer_offsets, columns, side="right") - 1
        counts = np.bincount(positions, minlength=len(self.layers))
        return {layer: int(count) for layer, count in zip(self.layers, counts, strict=True)}

    def select(self, layers: Layers) -> NeuronSpace:
        """The space of some of the layers, in the order given; see :func:`resolve_layers`."""
        chosen = resolve_layers(layers, self.layers)
        widths = tuple(self.widths[self._position(layer)] for layer in chosen)
        return NeuronSpace(self.model, self.site, chosen, widths, self.revision)

    def _position(self, layer: int) -> int:
        return self.layers.index(resolve_layers([layer], self.layers)[0])

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


HOW = "give '1:3' for layer 1 and unit 3, a Neuron or a column"


def is_other_revision(one: str, other: str) -> bool:
    """Whether two revisions are known to be of different models; empty ones are not known.

    A hash of weights in memory is not compared with one of files, which says nothing about them.
    """
    comparable = one.startswith(IN_MEMORY) == other.startswith(IN_MEMORY)
    return bool(one and other) and comparable and one != other


def check_revision(space: NeuronSpace, revision: str, what: str) -> None:
    """Raise InputError when neurons are known to be those of another model.

    Parameters
    ----------
    space : NeuronSpace
    revision : str
        Of the model; empty when it is not known.
    what : str
        What was made from the neurons.
    """
    if is_other_revision(space.revision, revision):
        raise InputError(
            f"{what} was made from {space.model} ({space.revision}), not from this model "
            f"({revision}); give the same one"
        )


def layer_numbers(layers: Layers) -> list[int] | None:
    """Layers as a list, whatever they are given as; None for all.

    Parameters
    ----------
    layers : None, "all", int, or several ints
        A list, a range, an array or any other collection. Negative numbers count from the last.

    Raises
    ------
    InputError
        When it is something else, a number is not whole, or there is none.
    """
    if layers is None or (isinstance(layers, str) and layers == ALL):
        return None
    if isinstance(layers, str | bytes | Mapping) or _is_table(layers):
        raise InputError(
            f"layers are {shown(layers)}; give one whole number, a list as [0, 1], a range or 'all'"
        )
    if not isinstance(layers, Iterable) or getattr(layers, "ndim", 1) == 0:
        return [whole_number(layers, "layer")]
    chosen = [whole_number(layer, "layer") for layer in layers]
    if not chosen:
        raise InputError("no layers chosen; give at least one layer")
    return chosen


def resolve_layers(layers: Layers, known: Sequence[int], site: str = "") -> tuple[int, ...]:
    """Layers among those that there are, in the order given; -1 is the last of them.

    Parameters
    ----------
    layers
        As for :func:`layer_numbers`.
    known : sequence of int
        The layers there are, in their order.
    site : str
        Where they are, for the message.

    Raises
    ------
    InputError
        As :func:`layer_numbers`, and when there is no such layer.
    """
    numbers = layer_numbers(layers)
    if numbers is None:
        return tuple(known)
    chosen: list[int] = []
    for number in numbers:
        layer = known[number] if -len(known) <= number < 0 else number
        if layer not in known:
            have = f" at '{site}'; the model has layers" if site else "; the layers are"
            raise InputError(f"no layer {number}{have} {', '.join(map(str, known))}")
        chosen.append(layer)
    return tuple(chosen)


def _is_table(value: Any) -> bool:
    """Whether it is a DataFrame, which iterates over the names of its columns."""
    return hasattr(value, "columns") and hasattr(value, "iloc")
