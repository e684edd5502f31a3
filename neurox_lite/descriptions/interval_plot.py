"""Descriptions and their references side by side: a row each, and a panel per measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, Given, finish, panels
from neurox_lite.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_intervals(
    names: Sequence[str],
    is_reference: Sequence[bool],
    columns: Mapping[str, Sequence[Interval]],
    ax: Given,
    title: str | None,
) -> Figure:
    """Values with their intervals, where these are known; references are grey.

    Parameters
    ----------
    names, is_reference
        Of each row.
    columns : mapping of str to sequence of Interval
        By the label of a panel; one of each row.
    ax, title
        As for all figures.
    """
    shown = [figure_text(name, MOST) for name in names]
    width = 1.2 + 0.08 * max(map(len, shown)) + len(columns) * 1.8
    size = (width, 1.3 + 0.26 * len(shown))
    axes = panels(ax, len(columns), size=size, n_columns=len(columns), sharey=True)
    for axis, (label, intervals) in zip(axes, columns.items(), strict=True):
        for place, (interval, is_grey) in enumerate(zip(intervals, is_reference, strict=True)):
            colour = "0.5" if is_grey else "#0072b2"
            if interval.is_known:
                ends = [interval.low, interval.high]
                axis.plot(ends, [place] * 2, "-", color=colour, linewidth=2, alpha=0.6)
            axis.plot(interval.value, place, "o", color=colour, markersize=4)
        axis.set_xlabel(label, fontsize=8)
        axis.tick_params(labelsize=8)
        axis.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(shown)), shown)
    axes[0].set_ylim(len(shown) - 0.5, -0.5)
    return finish(axes, ax, title)
