"""A table of methods as a figure."""

from __future__ import annotations

import math

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from neurox_lite.escaping import figure_text
from neurox_lite.plotting.texts import MOST, put_title, wrapped
from neurox_lite.results import MethodTable

PANELS_PER_ROW = 6


def plot_method_table(table: MethodTable, title: str | None = None) -> Figure:
    """One panel per column: a point for the mean of every method, a line for its range."""
    n_rows = math.ceil(len(table.columns) / PANELS_PER_ROW)
    n_panels = min(len(table.columns), PANELS_PER_ROW)
    names = [figure_text(name, MOST) for name in table.methods]
    size = (1.2 + 0.08 * max(map(len, names)) + 1.7 * n_panels, n_rows * (1.3 + 0.24 * len(names)))
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(wspace=0.1))
    axes = figure.subplots(n_rows, n_panels, squeeze=False, sharey=True).ravel()
    places = range(len(table.methods))
    for number, axis in enumerate(axes):
        if number >= len(table.columns):
            axis.set_visible(False)
            continue
        for place in places:
            mean, low, high = (part[place][number] for part in (table.mean, table.low, table.high))
            if mean is not None:
                color = "0.5" if table.methods[place] == "random" else "#0072b2"
                axis.plot([low, high], [place, place], "-", color=color, linewidth=2, alpha=0.6)
                axis.plot(mean, place, "o", color=color, markersize=4)
        axis.set_title(wrapped(table.columns[number], 1.5, 8, most=MOST), fontsize=8)
        axis.tick_params(labelsize=7)
        axis.xaxis.set_major_locator(MaxNLocator(3))
        axis.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(places, names)
    axes[0].invert_yaxis()
    put_title(figure, title)
    return figure
