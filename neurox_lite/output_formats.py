"""In which formats figures and tables are written."""

from __future__ import annotations

from neurox_lite.choices import unknown_choice

FIGURE_FORMATS = ("png", "pdf", "svg")
TABLE_FORMATS = {"csv": ".csv", "latex": ".tex"}
"""With the end of the name of a file."""


def check_formats(figure_format: str, table_format: str | None) -> None:
    """Raise InputError, before any work, for formats that there are not."""
    if figure_format not in FIGURE_FORMATS:
        raise unknown_choice("figure format", figure_format, FIGURE_FORMATS)
    if table_format is not None and table_format not in TABLE_FORMATS:
        raise unknown_choice("table format", table_format, TABLE_FORMATS)
