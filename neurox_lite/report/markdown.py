"""Pieces of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; cells may be of any type."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def percent(share: float) -> str:
    """``0.123`` -> ``12.30 %``."""
    return f"{100 * share:.2f} %"


def pair(first: float, second: float) -> str:
    """Two shares in percent."""
    return f"{percent(first)} / {percent(second)}"
