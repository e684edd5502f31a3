"""How the figures of docs/results/ look: colours, dots with their ranges, legends and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from neurox_lite.figures import MARKERS, PALETTE
from tests.benchmarks.result_figures.page_tables import DOCS, spread

BLUE, ORANGE, GREEN, PINK, YELLOW, SKY, BLACK = PALETTE
GREY = "0.55"
WIDTH, DPI = 7.6, 130
"""Of every figure, in inches and dots per inch: as wide as a page of the documentation."""

STYLE = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.markersize": 5,
    "lines.linewidth": 1.4,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
}


def panels(n_columns: int, height: float, n_rows: int = 1, **sharing: Any) -> tuple[Figure, Any]:
    """A figure as wide as a page, and its axes."""
    size = (WIDTH, height)
    return plt.subplots(n_rows, n_columns, figsize=size, layout="constrained", **sharing)


def dots(
    ax: Axes,
    places: Sequence[float] | np.ndarray,
    cells: Sequence[str],
    look: int,
    label: str | None = None,
    factor: float = 1,
) -> None:
    """A dot for each cell, with a line of its range, in the colour and marker of a number."""
    value, low, high = factor * np.array([spread(cell) for cell in cells]).T
    ax.hlines(places, low, high, color=PALETTE[look], lw=2.5, alpha=0.45)
    ax.plot(value, places, MARKERS[look], color=PALETTE[look], label=label)


def rows(ax: Axes, names: Sequence[str]) -> None:
    """Names of rows, the first on top."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="x")


def legend_below(figure: Figure, ax: Axes, n_columns: int) -> None:
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=n_columns)


def finish(figure: Figure, name: str, title: str) -> None:
    """Write the figure under its title, in as few colours as it needs."""
    figure.suptitle(title, fontsize=10.5)
    path = DOCS / f"figures/{name}.png"
    figure.savefig(path, dpi=DPI)
    plt.close(figure)
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
