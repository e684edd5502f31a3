"""Figures to files."""

from __future__ import annotations

from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from neurox_lite.files import replacing


def save_figure(figure: Figure, path: str | Path, *, dpi: int = 150) -> None:
    """Write a figure as PNG, PDF or SVG by the file's name; equal figures give equal bytes."""
    suffix = Path(path).suffix.lstrip(".")
    # Without these, SVG and PDF carry the date, and SVG random names.
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(suffix)
    with replacing(path) as partial, rc_context({"svg.hashsalt": "neurox_lite"}):
        figure.savefig(partial, format=suffix, dpi=dpi, metadata=metadata)
