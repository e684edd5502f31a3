"""Figures to files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from neurox_lite.files import write_bytes


def save_figure(figure: Figure, path: str | Path, *, dpi: int = 150) -> None:
    """Write a figure as PNG, PDF or SVG by the file's name; equal figures give equal bytes."""
    suffix = Path(path).suffix.lstrip(".").lower()
    # Whose the figure is. Without these, SVG and PDF carry the date, and SVG random names.
    metadata = {
        "png": {"Software": "neurox_lite"},
        "svg": {"Creator": "neurox_lite", "Date": None},
        "pdf": {"Creator": "neurox_lite", "CreationDate": None},
    }.get(suffix)
    content = BytesIO()
    with rc_context({"svg.hashsalt": "neurox_lite"}):
        figure.savefig(content, format=suffix, dpi=dpi, metadata=metadata)
    write_bytes(path, content.getvalue())
