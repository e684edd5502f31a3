"""How similar the layers of two models are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurox_lite.results.saving import read_result, write_result
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

KIND = "layer similarity"


@dataclass(frozen=True)
class LayerSimilarity:
    """A similarity between 0 and 1 for every layer of one model and every layer of another.

    ``measure`` is ``"cka"`` or ``"svcca"``; ``model`` and ``other`` are names. ``matrix`` has one
    row for each of ``layers`` and one column for each of ``other_layers``.
    """

    measure: str
    model: str
    other: str
    layers: tuple[int, ...]
    other_layers: tuple[int, ...]
    matrix: tuple[tuple[float, ...], ...]

    __repr__ = short_repr

    def __str__(self) -> str:
        title = f"LayerSimilarity ({self.measure}) of {self.model} and {self.other}"
        best = [
            (max(row), layer, self.other_layers[row.index(max(row))])
            for layer, row in zip(self.layers, self.matrix, strict=True)
        ]
        lines = (f"layer {one} is most like {other}: {value:.3f}" for value, one, other in best)
        return summary(title, {"layers": f"{len(self.layers)} and {len(self.other_layers)}"}, lines)

    def table(self) -> Table:
        """A header, and a row per pair of layers."""
        rows: Table = [["layer", "other_layer", "similarity"]]
        for layer, row in zip(self.layers, self.matrix, strict=True):
            rows += [[layer, o, value] for o, value in zip(self.other_layers, row, strict=True)]
        return rows

    def to_pandas(self) -> pandas.DataFrame:
        """One row per pair of layers."""
        return as_pandas(self.table())

    def plot(self, title: str | None = None) -> Figure:
        """Heat map, the first layers at the bottom left."""
        from neurox_lite.plotting.layer_similarity import plot_layer_similarity

        return plot_layer_similarity(self, title)

    def save(self, path: str | Path) -> None:
        """Write the similarities as JSON, or under a name in ``.csv`` or ``.tex`` as a table."""
        write_result(path, KIND, self)

    @classmethod
    def load(cls, path: str | Path) -> LayerSimilarity:
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """
        return read_result(path, KIND, cls)
