"""Figures to files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from neurox_lite.choices import unknown_choice
from neurox_lite.files import write_bytes
from neurox_lite.output_formats import FIGURE_FORMATS, TABLE_FORMATS


def save_figure(figure: Figure, path: str | Path, *, dpi: int = 150) -> None:
    """Write a figure as PNG, PDF or SVG by the file's name; equal figures give equal bytes.

    Raises
    ------
    InputError
        When the name ends in something else, or the file cannot be written.
    """
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
