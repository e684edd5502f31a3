"""Pieces of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from neurox_lite.escaping import markdown


class Markup(str):
    """Text that is Markdown already, and no name from outside."""


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; cells may be of any type, and only :class:`Markup` is not escaped."""
    lines = [header, [Markup("---")] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value) if isinstance(value, Markup) else markdown(value)


def percent(share: float) -> str:
    """``0.123`` -> ``12.30 %``."""
    return f"{100 * share:.2f} %"


def counted(count: int, units: str) -> str:
    """``3 neurons``, ``1 neuron``."""
    return f"{count:,} {units.removesuffix('s') if count == 1 else units}"


def points(share: float) -> str:
    """A difference of two shares: ``1 point``, ``0.5 points``."""
    return f"{100 * share:g} point{'' if share == 0.01 else 's'}"


def pair(first: float, second: float) -> str:
    """Two shares in percent."""
    return f"{percent(first)} / {percent(second)}"
