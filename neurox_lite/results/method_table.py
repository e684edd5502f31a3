"""A table of methods: how each does by several measures or under several conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.choices import unknown_choice
from neurox_lite.results.saving import read_result, write_result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KIND = "method table"


@dataclass(frozen=True)
class MethodTable:
    """A number, with a range, for every method and column.

    Attributes
    ----------
    methods, columns : tuples of str
    mean, low, high : (n_methods, n_columns) tuples of tuples of float
        Mean, least and largest of the repetitions; None where a method has no value.
    n_repetitions : int
        How many values are behind a cell at most.
    """

    methods: tuple[str, ...]
    columns: tuple[str, ...]
    mean: tuple[tuple[float | None, ...], ...]
    low: tuple[tuple[float | None, ...], ...]
    high: tuple[tuple[float | None, ...], ...]
    n_repetitions: int

    @classmethod
    def from_values(cls, values: Mapping[str, Mapping[str, Sequence[float]]]) -> MethodTable:
        """From the repetitions: ``values[method][column]``, which may be missing or empty."""
        columns = tuple(dict.fromkeys(column for row in values.values() for column in row))
        cells = [[row.get(column, ()) for column in columns] for row in values.values()]

        def table(of: Callable[[Sequence[float]], Any]) -> tuple[tuple[float | None, ...], ...]:
            return tuple(tuple(float(of(cell)) if cell else None for cell in row) for row in cells)

        return cls(
            methods=tuple(values),
            columns=columns,
            mean=table(np.mean),
            low=table(min),
            high=table(max),
            n_repetitions=max(len(cell) for row in cells for cell in row),
        )

    def column(self, name: str) -> dict[str, float | None]:
        """The means of a column, by method.

        Raises
        ------
        InputError
            When there is no such column.
        """
        if name not in self.columns:
            raise unknown_choice("column", name, self.columns)
        place = self.columns.index(name)
        return {method: row[place] for method, row in zip(self.methods, self.mean, strict=True)}

    def plot(self) -> Figure:
        """One panel per column: a point and its range for every method."""
        from neurox_lite.plotting.method_table import plot_method_table

        return plot_method_table(self)

    def save(self, path: str | Path) -> None:
        """Write the table as JSON."""
        write_result(path, KIND, self)

    @classmethod
    def load(cls, path: str | Path) -> MethodTable:
        """Read a table written by :meth:`save`.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """
        return read_result(path, KIND, cls)
