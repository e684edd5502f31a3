"""Shares as colours: a row per label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from neurox_lite import fonts
from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, Given, finish, panels, put_ticks, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL = 0.36
"""Side of a cell in inches, where there is room for all."""

MOST_INCHES = 12
"""Of a side of the map."""


def plot_label_heat_map(
    shares: np.ndarray,
    rows: tuple[str, Sequence[str]],
    columns: tuple[str, Sequence[str]],
    share_of: str,
    name: str,
    ax: Given,
    title: str | None,
    *,
    counts: np.ndarray | None = None,
) -> Figure:
    """A heat map from 0 to 1, light to dark.

    Parameters
    ----------
    shares : (n_rows, n_columns) array
    rows, columns : (str, sequence of str)
        What they are, and their names.
    share_of : str
        What the colours say.
    name : str
        Above the map.
    ax, title
        As for all figures.
    counts : (n_rows, n_columns) int array, optional
        Written into the cells that are not 0.
    """
    n_rows, n_columns = shares.shape
    side = min(CELL, MOST_INCHES / max(n_rows, n_columns))
    width, height = max(side * n_columns, 2.0), max(side * n_rows, 1.2)
    tall, wide = ([figure_text(each, MOST) for each in names] for _, names in (rows, columns))
    beside, below = (0.085 * max(map(fonts.width, names)) for names in (tall, wide))
    axes = panels(ax, size=(width + beside + 1.8, height + below + 1.3))
    axis = axes[0]
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axis.figure.colorbar(image, ax=axis, label=wrapped(share_of, max(height, 1.8), 9))
    put_ticks(axis, range(n_columns), wide, width)
    every = max(1, round(0.17 / side))  # inches that a name needs
    axis.set_yticks(range(0, n_rows, every), tall[::every])
    axis.tick_params(labelsize=8)
    axis.set_xlabel(columns[0])
    axis.set_ylabel(rows[0])
    axis.set_title(wrapped(name, width, 10, most=80), fontsize=10)
    if counts is not None:
        for row, column in np.argwhere(counts):
            colour = "white" if shares[row, column] > 0.6 else "black"
            axis.text(
                column, row, f"{counts[row, column]}", ha="center", va="center", fontsize=6,
                color=colour,
            )  # fmt: skip
    return finish(axes, ax, title)
