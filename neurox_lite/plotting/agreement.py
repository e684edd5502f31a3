"""Heat maps of how far rankings agree."""

from __future__ import annotations

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurox_lite.escaping import figure_text
from neurox_lite.plotting.texts import put_title
from neurox_lite.results import AgreementMatrix

MOST_OF_NAME = 100
CELL = 0.5
"""Side of a cell in inches, at least; three lines of a name, or one number, fit into it."""


def plot_agreement(agreement: AgreementMatrix, title: str | None = None) -> Figure:
    """A panel per measure, values written into the cells.

    Rankings are numbered. Their names, wrapped where they are long, stand at the first panel only.
    """
    count = len(agreement.methods)
    numbers = [str(number) for number in range(1, count + 1)]
    names = [
        fill(f"{figure_text(method, MOST_OF_NAME)}  {number}", 26)
        for method, number in zip(agreement.methods, numbers, strict=True)
    ]
    n_lines = max(name.count("\n") + 1 for name in names)
    side = max(max(CELL, 0.17 * n_lines) * count, 2.0)
    figure = Figure(figsize=(3 * (side + 0.5) + 2.0, side + 1.3), layout="constrained")
    axes = figure.subplots(1, 3)
    overlap, kendall, rank_biased = axes
    _panel(overlap, agreement.overlap, f"top {agreement.k} shared", lowest=0)
    overlap.set_xlabel(f"by chance {agreement.expected_overlap:.2f}")
    _panel(kendall, agreement.kendall, "Kendall's tau", lowest=-1)
    kendall.set_xlabel("by chance 0")
    _panel(rank_biased, agreement.rank_biased, "rank-biased overlap", lowest=0)
    rank_biased.set_xlabel(f"by chance {agreement.expected_rank_biased:.2f}")
    for axis in axes:
        axis.set_xticks(range(count), numbers)
        axis.set_yticks(range(count), numbers)
    overlap.set_yticks(range(count), names, fontsize=8)
    put_title(figure, title)
    return figure


def _panel(axis: Axes, matrix: tuple[tuple[float, ...], ...], title: str, lowest: float) -> None:
    values = np.array(matrix)
    # Both colour scales are dark at their ends, and tau's is light in the middle, at 0.
    axis.imshow(values, cmap="Blues" if lowest == 0 else "RdBu", vmin=lowest, vmax=1)
    for (row, column), value in np.ndenumerate(values):
        color = "white" if abs(value) > 0.6 else "black"
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color=color)
    axis.set_title(title, fontsize=10)
