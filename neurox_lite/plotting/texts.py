"""Titles and names in figures: what a figure is of, and nothing over anything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurox_lite.escaping import figure_text
from neurox_lite.files import public_name

MOST = 40
"""Characters of a name, whose end is left out if it is longer."""

POINTS_PER_CHARACTER = 0.62
"""Width of a character of the font by its height; wider than most are."""


def title_of(
    subject: str | None = None, model: str | None = None, files: Sequence[str] = ()
) -> str:
    """Property, model and corpus, as far as they are known, by their names.

    Parameters
    ----------
    subject, model : str, optional
    files : sequence of str
        Paths, also as ``train=FILE``.
    """
    names = (public_name(file.removeprefix(f"{file.partition('=')[0]}=")) for file in files)
    parts = (subject, model and public_name(model), ", ".join(dict.fromkeys(names)))
    return " · ".join(part for part in parts if part)


def put_title(figure: Figure, title: str | None) -> None:
    """Above all panels, in several lines if the figure is narrow."""
    if title:
        width = figure.get_figwidth()
        figure.suptitle(wrapped(title, width - 0.2, 11), fontsize=11)


def wrapped(text: str, inches: float, fontsize: float, most: int | None = None) -> str:
    """Names in lines that are no wider than so many inches."""
    characters = max(int(inches * 72 / (POINTS_PER_CHARACTER * fontsize)), 8)
    return fill(figure_text(text, most), characters, break_on_hyphens=False)


def model_name(model: str) -> str:
    """What to call a model in a figure."""
    return figure_text(public_name(model), MOST)


def put_ticks(axis: Axes, places: Iterable[float], labels: Sequence[str], inches: float) -> None:
    """Ticks of the x axis; labels that would run into each other are turned or left out.

    Parameters
    ----------
    axis : Axes
        With its scale set.
    places, labels : n numbers and texts
        Ascending.
    inches : float
        Width of the axis, at least.
    """
    at = np.asarray(list(places), dtype=float)
    scaled = np.log10(at) if axis.get_xscale() == "log" else at
    size = 10.0
    gaps = inches * 72 * np.diff(scaled) / max(float(np.ptp(scaled)), 1e-9)
    widest = max(map(len, labels)) * size * POINTS_PER_CHARACTER
    turned = bool(len(gaps)) and bool(gaps.min() < widest + 3)
    kept, last = [], -np.inf
    for place, x in enumerate(np.concatenate(([0], np.cumsum(gaps)))):
        if not turned or x - last >= size * 1.2:
            kept.append(place)
            last = x
    axis.set_xticks(
        at[kept], [figure_text(labels[place], MOST) for place in kept], rotation=90 * turned
    )
