"""Figures: the axes they are drawn on, their titles and names, and their files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from neurox_lite import fonts
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.files import write_bytes
from neurox_lite.output_formats import FIGURE_FORMATS, TABLE_FORMATS
from neurox_lite.public_names import public_name, without_split

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Given: TypeAlias = "Axes | Sequence[Axes] | np.ndarray | None"
"""What ``plot(ax=)`` takes: axes, as many as there are panels, or None for a new figure."""

Matrix: TypeAlias = "Sequence[Sequence[float]]"

MOST = 40
"""Characters of a name, whose end is left out if it is longer."""

MOST_OF_ROWS = 100
"""Characters of a name beside a heat map, where it is wrapped."""

CELL = 0.5
"""Side of a cell in inches, at least; three lines of a name, or one number, fit into it."""

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Colours of Okabe & Ito (2008) that the colour-blind can tell apart, in the order of use."""

MARKERS = "osv^D<>"
"""Beside the colours, so that lines differ in print without them, too."""

POINTS_PER_CHARACTER = 0.62
"""Width of a character of the font by its height; wider than most are."""


def panels(
    ax: Given,
    count: int = 1,
    *,
    size: tuple[float, float],
    n_columns: int = 1,
    layout: Any = "constrained",
    **sharing: Any,
) -> list[Axes]:
    """The axes that were given, or those of a new figure, row by row.

    Parameters
    ----------
    ax : Axes, several Axes or None
    count : int
        How many panels there are.
    size : (width, height)
        Of a new figure, in inches.
    n_columns : int
        Of its panels; what is left over in its last row stays empty.
    layout, **sharing
        Of a new figure, and as for ``Figure.subplots``.

    Raises
    ------
    InputError
        When there are not as many axes as panels.
    """
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    if ax is not None:
        given = list(np.ravel(np.asarray(ax, dtype=object)))
        if len(given) != count or not all(isinstance(each, Axes) for each in given):
            raise InputError(f"ax is not {count} matplotlib axes, one for each panel of the plot")
        return given
    figure = Figure(figsize=size, layout=layout)
    n_rows = -(-count // n_columns)
    axes = figure.subplots(n_rows, n_columns, squeeze=False, **sharing)
    for axis in axes.flat[count:]:
        axis.remove()
    return list(axes.flat[:count])


def finish(axes: Sequence[Axes], ax: Given, title: str | None, *, legend: int = 0) -> Figure:
    """The figure of the axes, with its title and the legend of the first panel.

    Each text is in fonts that have its characters, where some that are installed do.

    Parameters
    ----------
    axes : sequence of Axes
        That are drawn on.
    ax : Axes, several Axes or None
        As they were given: the legend of axes of one's own stands inside the first.
    title : str, optional
        Above all panels.
    legend : int
        Entries side by side; 0 for no legend.
    """
    from matplotlib.text import Text

    first = axes[0]
    figure = cast("Figure", first.get_figure(root=True))
    if legend and ax is not None:
        first.legend(fontsize=8)
    elif legend:
        handles = first.get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=legend, fontsize=8)
    drawn: list[Artist] = [figure] if ax is None else [*axes]
    if title:
        width = figure.get_figwidth()
        drawn.append(figure.suptitle(wrapped(title, width - 0.2, 11), fontsize=11))
    for text in (text for each in drawn for text in each.findobj(Text)):
        if not text.get_text().isascii():
            text.set_fontfamily(fonts.families(text.get_text()))
    return figure


def known_title(
    ax: Given, title: str | None, model: str | None = None, source: str | None = None
) -> str | None:
    """The title that was given; without one, and without axes of one's own, what a result knows.

    Parameters
    ----------
    ax, title
        As they were given.
    model, source : str, optional
        Of the result; the files of a corpus are joined as its ``source`` has them.
    """
    if title is not None or ax is not None:
        return title
    model = None if model == "array" else model  # which has no name
    return title_of(None, model, source.split(" + ") if source else ())


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
    names = (public_name(without_split(file)) for file in files)
    parts = (subject, model and public_name(model), ", ".join(dict.fromkeys(names)))
    return " · ".join(part for part in parts if part)


def wrapped(text: str, inches: float, fontsize: float, most: int | None = None) -> str:
    """Names in lines that are no wider than so many inches."""
    characters = max(int(inches * 72 / (POINTS_PER_CHARACTER * fontsize)), 8)
    shown = figure_text(text, most)
    wide = fonts.width(shown) / max(len(shown), 1)
    return fill(shown, int(characters / wide), break_on_hyphens=False)


def plot_matrices(
    ax: Given,
    title: str | None,
    names: Sequence[str],
    matrices: Sequence[tuple[str, Matrix, float, float]],
) -> Figure:
    """Heat maps side by side, of which each compares everything with everything.

    Rows are numbered. Their names, wrapped where they are long, stand at the first only.

    Parameters
    ----------
    ax, title
        As for :func:`panels` and :func:`finish`.
    names : n texts
    matrices : sequence of (name, values, lowest, by chance)
        Values (n, n) from ``lowest``, which is 0 or -1, to 1; and what they are by chance.
    """
    count = len(names)
    numbers = [str(number) for number in range(1, count + 1)]
    shown = [
        fill(f"{figure_text(name, MOST_OF_ROWS)}  {number}", 26)
        for name, number in zip(names, numbers, strict=True)
    ]
    n_lines = max(name.count("\n") + 1 for name in shown)
    side = max(max(CELL, 0.17 * n_lines) * count, 2.0)
    n_panels = len(matrices)
    beside = 0.075 * max(len(line) for name in shown for line in name.split("\n"))
    size = (n_panels * (side + 0.4) + beside, side + 1.3)
    axes = panels(ax, n_panels, size=size, n_columns=n_panels)
    for axis, (name, values, lowest, by_chance) in zip(axes, matrices, strict=True):
        _heat_map(axis, values, lowest)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel(f"by chance {by_chance:.2f}" if by_chance else "by chance 0")
        axis.set_xticks(range(count), numbers, fontsize=8)
        axis.set_yticks(range(count), numbers, fontsize=8)
    axes[0].set_yticks(range(count), shown, fontsize=8)
    return finish(axes, ax, title)


def _heat_map(axis: Axes, matrix: Matrix, lowest: float) -> None:
    """Values from ``lowest`` to 1, each written into its cell."""
    values = np.array(matrix)
    # Both colour scales are dark at their ends, and that of -1 to 1 is light in the middle, at 0.
    # Cells are about square; were they to be so, the layout would cut off what stands below.
    cmap = "Blues" if lowest == 0 else "RdBu"
    axis.imshow(values, cmap=cmap, vmin=lowest, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        color = "white" if abs(value) > 0.6 else "black"
        text = f"{round(value, 2) + 0:.2f}"  # not -0.00
        axis.text(column, row, text, ha="center", va="center", fontsize=7, color=color)


def model_name(model: str) -> str:
    """What to call a model in a figure."""
    return figure_text(public_name(model), MOST)


def layers_width(n_layers: int) -> float:
    """Width in inches of a figure with a place for every layer; large models have room, too."""
    return min(max(5.2, 1.2 + 0.25 * n_layers), 20)


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
    widest = max(map(fonts.width, labels)) * size * POINTS_PER_CHARACTER
    turned = bool(len(gaps)) and bool(gaps.min() < widest + 3)
    kept, last = [], -np.inf
    for place, x in enumerate(np.concatenate(([0], np.cumsum(gaps)))):
        if not turned or x - last >= size * 1.2:
            kept.append(place)
            last = x
    axis.set_xticks(
        at[kept], [figure_text(labels[place], MOST) for place in kept], rotation=90 * turned
    )


def log_scale(axis: Axes, low: float, high: float) -> None:
    """A logarithmic x axis from low to high, with whole numbers in the place of powers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    axis.set_xscale("log")
    figure = cast("Figure", axis.get_figure(root=True))
    points = 72 * axis.get_window_extent().width / figure.dpi
    widest = fonts.width(f"{high:,.0f}") * 10 * POINTS_PER_CHARACTER + 4
    # The share of two decades between the nearest of such ticks: of 1 and 2, and of 3 and 10.
    few = high < 100 * low
    fine = points * np.log10(2) / 2 > widest or high < 10 * low
    axis.xaxis.set_major_locator(LogLocator(subs=((1, 2, 5) if fine else (1, 3)) if few else (1,)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
    axis.xaxis.set_minor_locator(NullLocator() if few else LogLocator(subs=range(2, 10)))
    axis.xaxis.set_minor_formatter(NullFormatter())


def save_figure(figure: Figure, path: str | Path, *, dpi: int = 150) -> None:
    """Write a figure as PNG, PDF or SVG by the file's name; equal figures give equal bytes.

    Raises
    ------
    InputError
        When the name ends in something else, or the file cannot be written.
    """
    from matplotlib import rc_context

    suffix = Path(path).suffix.lstrip(".").lower()
    if suffix not in FIGURE_FORMATS:
        raise unknown_choice("figure format", suffix, FIGURE_FORMATS)
    # Whose the figure is. Without these, SVG and PDF carry the date, and SVG random names.
    metadata = {
        "png": {"Software": "neurox_lite"},
        "svg": {"Creator": "neurox_lite", "Date": None},
        "pdf": {"Creator": "neurox_lite", "CreationDate": None},
    }.get(suffix)
    content = BytesIO()
    # Text stays text, which can be searched, copied and edited.
    with rc_context({"svg.hashsalt": "neurox_lite", "svg.fonttype": "none", "pdf.fonttype": 42}):
        figure.savefig(content, format=suffix, dpi=dpi, metadata=metadata)
    write_bytes(path, content.getvalue())


def save_result(
    result: Any,
    path: str | Path,
    *,
    figure_format: str = "png",
    table_format: str | None = None,
    title: str | None = None,
) -> None:
    """Write a result as JSON, and its figure and table, if it has them, beside it.

    Parameters
    ----------
    result : AblationCurves, AgreementMatrix, ...
    path : path
        Of the JSON file.
    figure_format : {"png", "pdf", "svg"}
    table_format : {"csv", "latex"}, optional
        None for no table.
    title : str, optional
        Of the figure.
    """
    path = Path(path)
    result.save(path)
    if table_format is not None:
        result.save(path.with_suffix(TABLE_FORMATS[table_format]))
    if hasattr(result, "plot"):
        save_figure(result.plot(title=title), path.with_suffix(f".{figure_format}"))
