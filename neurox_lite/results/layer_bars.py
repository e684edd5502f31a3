"""How many neurons of every layer, as bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from neurox_lite.figures import MOST, Given, finish, layers_width, panels, put_ticks, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_layer_bars(
    counts: Mapping[int, int], counted: str, method: str, ax: Given, title: str | None
) -> Figure:
    """A bar per layer.

    Parameters
    ----------
    counts : mapping of int to int
        By layer.
    counted : str
        What is counted, beside the bars.
    method : str
        Above them.
    ax, title
        As for all figures.
    """
    from matplotlib.ticker import MaxNLocator

    width = layers_width(len(counts))
    axes = panels(ax, size=(width, 3.2))
    axis = axes[0]
    axis.bar(range(len(counts)), list(counts.values()), color="#0072b2")
    put_ticks(axis, range(len(counts)), [str(layer) for layer in counts], width - 1)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_ylim(0, 1.05 * max(1, *counts.values()))
    axis.set_xlabel("layer")
    axis.set_ylabel(counted)
    axis.set_title(wrapped(method, width - 1, 10, most=2 * MOST), fontsize=10)
    return finish(axes, ax, title)
