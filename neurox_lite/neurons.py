"""Where a neuron lives: (site, layer, unit) and its column in a matrix of activations.

Neurons may be grouped: the units of a grouped space are attention heads, layers or clusters, and
all that is said of neurons elsewhere, such as the order of a ranking, is then said of these.

Long by the many ways in which users may name neurons and layers, which are read here only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from neurox_lite.arguments import shown, whole_number
from neurox_lite.column_groups import HEADS, ColumnGroups
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
    groups : ColumnGroups, optional
        Of a grouped space, whose units are groups of neurons: which neurons. See :meth:`heads`,
        :meth:`by_layer` and :meth:`grouped`, which make one.
    """

    model: str
    site: str
    layers: tuple[int, ...]
    widths: tuple[int, ...]
    revision: str = ""
    groups: ColumnGroups | None = None

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
        if self.groups is not None and len(self.groups.sizes) != sum(self.widths):
            raise InputError(
                f"{len(self.groups.sizes)} groups of neurons for {sum(self.widths)} units; make "
                "them with heads(), by_layer() or grouped()"
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NeuronSpace) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[Any, ...]:
        name = "" if self.revision else self.model
        return name, self.revision, self.site, self.layers, self.widths, self.groups

    @classmethod
    def of_array(cls, n_neurons: int) -> NeuronSpace:
        """The space of a plain array: one layer 0 whose units are its columns."""
        return cls(model="array", site="array", layers=(0,), widths=(n_neurons,))

    def heads(self, n_heads: int | Sequence[int]) -> NeuronSpace:
        """The attention heads of these neurons: head h is unit h of its layer.

        Parameters
        ----------
        n_heads : int or sequence of int
            Heads of every layer, or of each. With grouped queries those of the queries.

        Raises
        ------
        InputError
            At another site than ``attention_heads``, or when a width is no multiple of the heads.
        """
        if self.site not in ("attention_heads", "array"):
            raise InputError(
                f"heads are of the site 'attention_heads', and these neurons of '{self.site}'; use "
                "that site (extract --site attention_heads)"
            )
        self._require_ungrouped()
        several = [n_heads] * len(self.layers) if not isinstance(n_heads, Iterable) else n_heads
        counts = [whole_number(count, "number of heads", least=1) for count in several]
        if len(counts) != len(self.layers):
            raise InputError(f"{len(counts)} numbers of heads for {len(self.layers)} layers")
        for layer, width, count in zip(self.layers, self.widths, counts, strict=True):
            if width % count:
                raise InputError(
                    f"layer {layer} has {width} neurons, which are not {count} heads of one size; "
                    "give the number of heads of the model"
                )
        sizes = [
            size
            for width, count in zip(self.widths, counts, strict=True)
            for size in [width // count] * count
        ]
        return self.grouped(np.repeat(np.arange(len(sizes)), sizes), HEADS)

    def by_layer(self) -> NeuronSpace:
        """The layers of these neurons, each the only unit of its layer."""
        return self.grouped(np.repeat(np.arange(len(self.layers)), self.widths), "layers")

    def grouped(self, labels: Any, kind: str = "groups") -> NeuronSpace:
        """Groups of these neurons: those of the same label, such as the number of a cluster.

        Groups are numbered by their first neuron. They are units of their layer if none reaches
        into another, and else all of layer 0.

        Parameters
        ----------
        labels : (n_neurons,) array of numbers or strings
        kind : str
            What groups are called.

        Raises
        ------
        InputError
            When there is not a label for every neuron, or these are groups already.
        """
        self._require_ungrouped()
        labels = np.asarray(labels)
        if labels.shape != (self.n_neurons,) or labels.dtype.kind not in "iubU":
            raise InputError(
                f"labels of shape {labels.shape} and type {labels.dtype}; give a whole number or a "
                f"string for each of {self.n_neurons} neurons"
            )
        _, first, found = np.unique(labels, return_index=True, return_inverse=True)
        numbers = np.argsort(np.argsort(first))[found]
        of_layers = [
            np.unique(numbers[start:stop])
            for start, stop in zip(self.layer_offsets, self.layer_offsets[1:], strict=False)
        ]
        widths = tuple(len(inside) for inside in of_layers)
        layers = self.layers
        if sum(widths) > len(first):
            layers, widths = (0,), (len(first),)
        names = () if kind in (HEADS, "layers") else tuple(map(str, labels[np.sort(first)]))
        groups = ColumnGroups(kind, self.layers, self.widths, tuple(numbers.tolist()), names)
        return replace(self, layers=layers, widths=widths, groups=groups)

    def _require_ungrouped(self) -> None:
        if self.groups is not None:
            raise InputError(f"these are {self.unit_name} already; group the neurons")

    def with_groups_of(self, units: NeuronSpace) -> NeuronSpace:
        """These neurons in the groups of another space of them, such as that of a ranking.

        Columns of a plain array are the neurons of the other space, if they are as many.

        Raises
        ------
        InputError
            When that has no groups, or of other neurons.
        """
        if not isinstance(units, NeuronSpace) or units.groups is None:
            raise InputError(
                f"units are {shown(units)}; give groups of these neurons, as space.heads(12) or "
                "space.grouped(labels)"
            )
        self._require_ungrouped()
        given = units.ungrouped
        if self.site == "array" and self.n_neurons == given.n_neurons:
            return units
        check_revision(given, self.revision, f"the space of {units.unit_name}")
        if (given.site, given.layers, given.widths) != (self.site, self.layers, self.widths):
            raise InputError(
                f"{units.unit_name} of {given.site}, layers {list(given.layers)} of {given.model}, "
                f"not of {self.site}, layers {list(self.layers)} of {self.model}: group these"
            )
        return replace(self, layers=units.layers, widths=units.widths, groups=units.groups)

    @property
    def ungrouped(self) -> NeuronSpace:
        """The space of the neurons themselves; this one, unless it is grouped."""
        if self.groups is None:
            return self
        layers, widths = self.groups.layers, self.groups.widths
        return replace(self, layers=layers, widths=widths, groups=None)

    @property
    def unit_name(self) -> str:
        """What its units are called: ``neurons``, of a grouped space such as ``heads``."""
        return "neurons" if self.groups is None else self.groups.kind

    def members(self, neurons: Any) -> np.ndarray:
        """Columns of activations, of a grouped space those of all neurons in the groups.

        Group after group, in the order given; see :meth:`columns_of`.
        """
        columns = self.columns_of(neurons)
        return columns if self.groups is None else self.groups.members(columns)

    def expand(self, values: Any) -> Any:
        """Of numbers of each unit, (..., n_units), those of each column of activations."""
        return values if self.groups is None else values[..., self.groups.of_columns]

    def any_member(self, columns: np.ndarray) -> np.ndarray:
        """Which units have one of some columns of activations, of bools (n_columns,)."""
        return columns if self.groups is None else np.bincount(self.groups.of_columns, columns) > 0

    @property
    def n_neurons(self) -> int:
        """Units: of a grouped space its groups."""
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
        if self.groups is not None:
            if self.layers != self.groups.layers:
                return self  # whose groups reach over layers, and the only layer is 0
            names = self.groups.labels or np.arange(self.n_neurons)
            numbers = self.expand(np.asarray(names))
            neurons = self.ungrouped
            labels = np.concatenate([numbers[neurons.columns(layer)] for layer in chosen])
            return neurons.select(chosen).grouped(labels, self.unit_name)
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
            **({} if self.groups is None else {"groups": self.groups.to_dict()}),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> NeuronSpace:
        return cls(
            model=data["model"],
            site=data["site"],
            layers=tuple(data["layers"]),
            widths=tuple(data["widths"]),
            revision=data.get("revision", ""),
            groups=ColumnGroups.from_dict(data["groups"]) if data.get("groups") else None,
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
