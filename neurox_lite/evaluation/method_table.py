"""A table of methods: how each does by several measures or under several conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.choices import unknown_choice
from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, Given, finish, log_scale, panels, wrapped
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


PANELS_PER_ROW = 6


@dataclass(frozen=True)
class MethodTable(SavedResult):
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

    KIND = "method table"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        def cell(name: str, value: float | None) -> str:
            return f"{name} {'-' if value is None else f'{value:.3g}'}"

        lines = (
            f"{method}: " + ", ".join(map(cell, self.columns, row))
            for method, row in zip(self.methods, self.mean, strict=True)
        )
        facts = {"repetitions at most": self.n_repetitions}
        return summary(f"MethodTable of {len(self.methods)} methods", facts, lines)

    def table(self) -> Table:
        """A header, and a row per method: of every column its mean, least and largest value."""
        ends = ("", " low", " high")
        rows: Table = [["method", *(f"{name}{end}" for name in self.columns for end in ends)]]
        for method, *parts in zip(self.methods, self.mean, self.low, self.high, strict=True):
            rows.append([method, *(value for cell in zip(*parts, strict=True) for value in cell)])
        return rows

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

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """One panel per column: a point for the mean of every method, a line for its range."""
        from matplotlib.layout_engine import ConstrainedLayoutEngine
        from matplotlib.ticker import MaxNLocator

        count = len(self.columns)
        n_rows, n_columns = -(-count // PANELS_PER_ROW), min(count, PANELS_PER_ROW)
        names = [figure_text(name, MOST) for name in self.methods]
        height = n_rows * (1.3 + 0.24 * len(names))
        axes = panels(
            ax,
            count,
            size=(1.2 + 0.08 * max(map(len, names)) + 1.7 * n_columns, height),
            n_columns=n_columns,
            layout=ConstrainedLayoutEngine(wspace=0.1),
            sharey=True,
        )
        places = range(len(names))
        for number, axis in enumerate(axes):
            parts = [[row[number] for row in part] for part in (self.mean, self.low, self.high)]
            for place, mean, low, high in zip(places, *parts, strict=True):
                if mean is not None:
                    color = "0.5" if self.methods[place] == "random" else "#0072b2"
                    axis.plot([low, high], [place, place], "-", color=color, linewidth=2, alpha=0.6)
                    axis.plot(mean, place, "o", color=color, markersize=4)
            axis.set_title(wrapped(self.columns[number], 1.5, 8, most=MOST), fontsize=8)
            axis.tick_params(labelsize=7)
            known = [value for value in (*parts[1], *parts[2]) if value is not None]
            if self.columns[number] == "seconds" and min(known, default=0) > 0:
                log_scale(axis, min(known), max(known))
            else:
                axis.xaxis.set_major_locator(MaxNLocator(3))
            axis.grid(axis="x", alpha=0.3)
        axes[0].set_yticks(places, names)
        axes[0].set_ylim(len(names) - 0.5, -0.5)
        return finish(axes, ax, title)
