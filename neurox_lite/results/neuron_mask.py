"""A neuron mask: which neurons of a model are replaced, and by what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.arguments import expect, shown
from neurox_lite.errors import InputError
from neurox_lite.escaping import terminal
from neurox_lite.figures import Given, known_title
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.results.arrays import reading_with_arrays, write_with_arrays
from neurox_lite.results.html import as_html
from neurox_lite.results.layer_bars import plot_layer_bars
from neurox_lite.results.objective import Objective
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.results.top_overlap import TopOverlap, compare_sets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KIND = "neuron mask"


@dataclass(frozen=True, eq=False, repr=False)
class NeuronMask:
    """Per neuron a gate m and a replacement b: a neuron h becomes (1 - m) h + m b.

    Parameters
    ----------
    space : NeuronSpace
    gates : (n_neurons,) float array
        From 0, untouched, to 1, replaced.
    replacement : (n_neurons,) float array
        In the units of the activations; without meaning where the gate is 0.
    method : str
        What made it.
    parameters, provenance : dict
        JSON-ready.
    units : NeuronSpace, optional
        Groups of these neurons that share a gate, such as attention heads: what is counted.

    Raises
    ------
    InputError
        When a shape does not fit, a gate is not in [0, 1] or a replacement is not finite.
    """

    space: NeuronSpace
    gates: np.ndarray
    replacement: np.ndarray
    method: str = "given"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    units: NeuronSpace | None = None

    def __post_init__(self) -> None:
        n = expect(self.space, NeuronSpace, "space", "a NeuronSpace").n_neurons
        for name in ("gates", "replacement"):
            values = np.asarray(getattr(self, name))
            if values.dtype.kind not in "fiub":
                raise InputError(f"mask '{self.method}': {name} are {shown(values)}; give numbers")
            object.__setattr__(self, name, values)
        if self.gates.shape != (n,) or self.replacement.shape != (n,):
            raise InputError(
                f"mask '{self.method}': gates of shape {self.gates.shape} and a replacement of "
                f"shape {self.replacement.shape} for {n} neurons"
            )
        if not ((self.gates >= 0) & (self.gates <= 1)).all():
            raise InputError(f"mask '{self.method}': a gate is not between 0 and 1")
        if not np.isfinite(self.replacement).all():
            raise InputError(f"mask '{self.method}': a replacement is NaN or infinite")
        if self.space.groups is not None:
            raise InputError(
                f"mask '{self.method}': gates are of neurons, not of {self.space.unit_name}; use "
                "NeuronMask.of(space, units)"
            )
        if self.units is not None and (
            self.units.ungrouped != self.space
            or not np.array_equal(self.gates, self.units.expand(self._gates_of_units))
        ):
            raise InputError(
                f"mask '{self.method}': its neurons do not share gates as its units say"
            )

    @classmethod
    def of(
        cls,
        space: NeuronSpace,
        neurons: Any,
        replacement: float | np.ndarray = 0.0,
        **details: Any,
    ) -> NeuronMask:
        """Replace these neurons, as the first k of a ranking's ``order``, and no other.

        Parameters
        ----------
        space : NeuronSpace
        neurons : neuron, or several
            Columns, ``"1:3"`` or :class:`Neuron`; see :meth:`NeuronSpace.columns_of`. Of a
            grouped space its units, such as heads, whose neurons are all replaced.
        replacement : float or (n_neurons,) array
        **details
            Method, parameters and provenance.

        Raises
        ------
        InputError
            When one is not a neuron of the space, or the replacement is of another shape.
        """
        expect(space, NeuronSpace, "space", "a NeuronSpace, such as nx.neuron_space(model)")
        neurons_only = space.ungrouped
        gates = np.zeros(neurons_only.n_neurons)
        gates[space.members(neurons)] = 1
        units = None if space.groups is None else space
        values = _for_each(replacement, gates)
        return cls(neurons_only, gates, values, units=units, **details)

    @property
    def counted(self) -> NeuronSpace:
        """What is counted and compared: its neurons, or the units that share gates."""
        return self.space if self.units is None else self.units

    @property
    def _gates_of_units(self) -> np.ndarray:
        groups = self.counted.groups
        return self.gates if groups is None else groups.reduce(self.gates, "max")

    @property
    def columns(self) -> np.ndarray:
        """Columns of the neurons that are touched, ascending."""
        return np.flatnonzero(self.gates)

    @property
    def neurons(self) -> list[Neuron]:
        """The neurons that are touched."""
        return self.space.neurons(self.columns)

    @property
    def selected(self) -> np.ndarray:
        """Columns that a search looked for: those touched, of *sufficiency* all others.

        Of gates that neurons share, the numbers of units.
        """
        return np.flatnonzero((self._gates_of_units > 0) != self._keeps)

    @property
    def _keeps(self) -> bool:
        return self.parameters.get("objective") == Objective.SUFFICIENCY

    def __len__(self) -> int:
        return len(self.columns)

    def table(self) -> Table:
        """A header, and a row per neuron that is touched."""
        values = np.stack([self.gates, self.replacement], axis=1)[self.columns].tolist()
        rows = ([*neuron, *of_it] for neuron, of_it in zip(self.neurons, values, strict=True))
        return [["layer", "unit", "gate", "replacement"], *rows]

    to_pandas = as_pandas
    _repr_html_ = as_html

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Bar chart of the neurons it looks for (:attr:`selected`) in every layer."""
        counts = self.counted.count_per_layer(self.selected)
        done = "kept" if self._keeps else "replaced"
        known = known_title(ax, title, self.space.model)
        counted = f"{self.counted.unit_name} {done}"
        return plot_layer_bars(counts, counted, self.method, ax, known)

    def __repr__(self) -> str:
        counted, name = self.counted, terminal(self.method)
        touched = counted.neurons(np.flatnonzero(self._gates_of_units))
        size = f"{len(touched)} of {counted.n_neurons} {counted.unit_name}"
        return f"NeuronMask({name}: {size}, {_first(touched)})"

    def replaced_by(self, replacement: float | np.ndarray) -> NeuronMask:
        """The same gates with another replacement, a number or an (n_neurons,) array."""
        return replace(self, replacement=_for_each(replacement, self.gates))

    def compare(self, other: NeuronMask) -> TopOverlap:
        """Which neurons both masks look for, and whether chance would explain it.

        Those they touch, of *sufficiency* those they keep. Chance is that of independent sets; two
        masks of the same pairs are not, see :class:`~neurox_lite.results.top_overlap.TopOverlap`.

        Raises
        ------
        InputError
            When they are of different neurons.
        """
        expect(other, NeuronMask, "the other mask", "a NeuronMask")
        if self.counted != other.counted:
            raise InputError(
                f"masks '{self.method}' and '{other.method}' have different "
                f"{self.counted.unit_name}"
            )
        return compare_sets(
            self.counted, self.selected, other.selected, (self.method, other.method)
        )

    def save(self, folder: str | Path) -> None:
        """Write ``mask.safetensors`` (gates and replacement) and ``mask.json`` (the rest)."""
        data = {
            "kind": KIND,
            "method": self.method,
            "space": self.space.to_dict(),
            "neurons": [str(neuron) for neuron in self.neurons],
            **({} if self.units is None else {"units": self.units.to_dict()}),
            "parameters": dict(self.parameters),
            "provenance": dict(self.provenance),
        }
        arrays = {"gates": self.gates, "replacement": self.replacement}
        write_with_arrays(folder, "mask", data, arrays)

    @classmethod
    def load(cls, folder: str | Path) -> NeuronMask:
        """Read a mask written by :meth:`save`.

        Raises
        ------
        InputError
            When a file is missing, damaged or holds something else.
        """
        with reading_with_arrays(folder, "mask") as (data, read_arrays):
            if not isinstance(data, dict) or data.get("kind") != KIND:
                raise InputError(
                    f"{Path(folder) / 'mask.json'}: does not hold a {KIND}; make it again"
                )
            try:
                arrays = read_arrays()
                return cls(
                    NeuronSpace.from_dict(data["space"]),
                    arrays["gates"],
                    arrays["replacement"],
                    data["method"],
                    dict(data["parameters"]),
                    dict(data["provenance"]),
                    NeuronSpace.from_dict(data["units"]) if "units" in data else None,
                )
            except (OSError, KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"{folder}: the mask cannot be read ({error}); make it again"
                ) from None


def _first(neurons: Sequence[Neuron], most: int = 8) -> str:
    """The first neurons of a list."""
    shown = " ".join(map(str, neurons[:most]))
    return f"{shown} ..." if len(neurons) > most else shown or "none"


def _for_each(replacement: float | np.ndarray, gates: np.ndarray) -> np.ndarray:
    """A replacement of every neuron, in an array of its own."""
    values = np.array(replacement, dtype=np.float64)
    return values if values.ndim else np.full(gates.shape, float(values))


def is_mask(path: str | Path) -> bool:
    """Whether it is a folder that :meth:`NeuronMask.save` wrote."""
    return (Path(path) / "mask.json").is_file()
