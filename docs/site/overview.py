"""The picture of README, light and dark: python docs/site/overview.py.

Writes docs/figures/overview.png and overview-dark.png.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

FIGURES = Path(__file__).parents[1] / "figures"


@dataclass(frozen=True)
class Colours:
    """Of the picture, on a ground that is light or dark."""

    ground: str
    ink: str
    blue: str
    orange: str
    green: str


LIGHT = Colours("#ffffff", "#1f2328", "#0072B2", "#D55E00", "#007a5e")
DARK = Colours("none", "#f0f6fc", "#56b4e9", "#ff8a3d", "#2fc79a")


def box(ax: Axes, x: float, y: float, title: str, text: str, colour: str, use: Colours) -> None:
    """A box of 2.5 x 1.1 around a point."""
    shape = FancyBboxPatch(
        (x - 1.25, y - 0.55), 2.5, 1.1, boxstyle="round,pad=0,rounding_size=0.12"
    )
    shape.set(facecolor=use.ground, edgecolor=colour, linewidth=1.6)
    ax.add_patch(shape)
    ax.text(x, y + 0.2, title, ha="center", va="center", weight="bold", color=colour, size=11)
    ax.text(x, y - 0.2, text, ha="center", va="center", color=use.ink, size=8.5, linespacing=1.3)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], ink: str) -> None:
    """An arrow between two points."""
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=ink, lw=1.2)
    )


def draw(use: Colours, path: Path) -> None:
    """Draw the two halves of the question, and where they meet."""
    figure = Figure(figsize=(10.4, 3.9))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 13.6), ylim=(0, 5.1))
    ax.axis("off")
    ax.text(0.2, 4.8, "Which neurons carry a property ...", size=12, weight="bold", color=use.blue)
    ax.text(0.2, 0.25, "... and does the model use them?", size=12, weight="bold", color=use.orange)
    top, low, middle = 3.85, 1.25, 2.55
    box(
        ax, 1.5, middle, "model + corpus", "from transformers;\na label for each word", use.ink, use
    )
    box(ax, 4.7, top, "activations", "a row for each word,\non disk", use.blue, use)
    box(ax, 7.9, top, "ranking", "22 rankers; probes that\nprove their optimum", use.blue, use)
    box(ax, 4.7, low, "minimal pairs", "the boy laughs / laugh", use.orange, use)
    box(ax, 7.9, low, "running model", "remove, steer, the\nfewest that decide", use.orange, use)
    box(ax, 11.6, middle, "report", "curves beside chance,\na page for each neuron", use.green, use)
    arrow(ax, (2.4, 3.12), (3.42, 3.7), use.ink)
    arrow(ax, (2.4, 1.98), (3.42, 1.4), use.ink)
    arrow(ax, (5.97, top), (6.63, top), use.ink)
    arrow(ax, (5.97, low), (6.63, low), use.ink)
    arrow(ax, (7.9, 3.28), (7.9, 1.82), use.ink)
    arrow(ax, (9.17, 3.7), (10.5, 3.12), use.ink)
    arrow(ax, (9.17, 1.4), (10.5, 1.98), use.ink)
    figure.savefig(path, dpi=110, facecolor=use.ground)


if __name__ == "__main__":
    draw(LIGHT, FIGURES / "overview.png")
    draw(DARK, FIGURES / "overview-dark.png")
