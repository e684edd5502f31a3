"""Several neuron masks: which neurons each looks for that the others do or do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.figures import Given, plot_matrices
from neurox_lite.json_files import write_json
from neurox_lite.neurons import Neuron
from neurox_lite.public_names import public_names
from neurox_lite.results.html import as_html
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, is_table_name, write_table
from neurox_lite.results.top_overlap import TopOverlap
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SETS = ("both", "only_first", "only_second")


@dataclass(frozen=True)
class MaskOverlaps(SavedResult):
    """Every mask beside every other.

    Attributes
    ----------
    sizes : dict of str to int
        Neurons that each mask looks for (:attr:`NeuronMask.selected`), by its name.
    n_neurons : int
    overlaps : tuple of TopOverlap
        Of the first mask with each other, of the second with those after it, and so on.
    """

    sizes: dict[str, int]
    n_neurons: int
    overlaps: tuple[TopOverlap, ...]

    KIND = "mask overlaps"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        lines = (
            f"{o.first} and {o.second}: {len(o.both)} in both, {o.expected:.3g} by chance"
            for o in self.overlaps
        )
        return summary(
            f"MaskOverlaps of {len(self.sizes)} masks", {"neurons": self.n_neurons}, lines
        )

    def table(self) -> Table:
        """A header, and a row per pair of masks; sets of neurons as their sizes."""
        rows = [
            {k: len(v) if k in SETS else v for k, v in _as_json(overlap).items()}
            for overlap in self.overlaps
        ]
        return [list(rows[0]), *(list(row.values()) for row in rows)]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Heat map: of every two masks the share of the smaller one that both look for.

        What it is by chance is the mean over all pairs.
        """
        shares, chance = np.eye(len(self.sizes)), []
        sizes = list(self.sizes.values())
        pairs = combinations(range(len(sizes)), 2)
        for (row, column), overlap in zip(pairs, self.overlaps, strict=True):
            smaller = max(min(sizes[row], sizes[column]), 1)  # an empty one shares nothing
            shares[row, column] = shares[column, row] = len(overlap.both) / smaller
            chance.append(overlap.expected / smaller)
        names = [f"{name} ({size:,})" for name, size in self.sizes.items()]
        panel = ("share of the smaller mask", shares.tolist(), 0, float(np.mean(chance)))
        return plot_matrices(ax, title, names, [panel])

    @classmethod
    def of(cls, masks: Sequence[NeuronMask]) -> MaskOverlaps:
        """Compare masks, which are named by their method.

        Raises
        ------
        InputError
            When there are fewer than two, two have the same name, or they are of different neurons.
        """
        sizes = {mask.method: len(mask.selected) for mask in masks}
        if len(masks) < 2 or len(sizes) < len(masks):
            raise InputError(f"{len(masks)} masks; give two or more, each with a name of its own")
        overlaps = tuple(one.compare(other) for one, other in combinations(masks, 2))
        return cls(sizes, masks[0].counted.n_neurons, overlaps)

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, neurons as ``layer:unit``, or as a table (.csv, .tex)."""
        if is_table_name(path):
            write_table(path, self.table())
            return
        write_json(
            path,
            {
                "kind": self.KIND,
                "neurons": self.n_neurons,
                "sizes": self.sizes,
                "overlaps": [_as_json(overlap) for overlap in self.overlaps],
            },
        )

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        neurons = fields.pop("neurons")
        overlaps = tuple(_from_json(neurons, overlap) for overlap in fields["overlaps"])
        return fields | {"n_neurons": neurons, "overlaps": overlaps}


def load_masks(folders: Sequence[str]) -> list[NeuronMask]:
    """Read masks; their folders are their names, since all of them may be by one method.

    Raises
    ------
    InputError
        When one is given twice or cannot be read.
    """
    if len({Path(folder).resolve() for folder in folders}) < len(folders):
        raise InputError(f"{' '.join(folders)}: a mask is given twice; give each once")
    named = zip(folders, public_names(folders), strict=True)
    return [replace(NeuronMask.load(folder), method=name) for folder, name in named]


def _as_json(overlap: TopOverlap) -> dict[str, Any]:
    """Its fields, but for the number of all neurons, which is the same for all."""
    fields = asdict(overlap)
    del fields["n_neurons"]
    return fields | {name: [str(neuron) for neuron in getattr(overlap, name)] for name in SETS}


def _from_json(n_neurons: int, fields: dict[str, Any]) -> TopOverlap:
    sets = {
        name: tuple(Neuron(*map(int, neuron.split(":"))) for neuron in fields[name])
        for name in SETS
    }
    return TopOverlap(n_neurons=n_neurons, **{**fields, **sets})
