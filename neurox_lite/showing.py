"""What ``print`` says of results, corpora and stores: a few lines, and never a dump of arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from neurox_lite.escaping import terminal

MOST_SHOWN = 4
MOST_CHARACTERS = 200


def short_repr(result: Any) -> str:
    """``__repr__`` of a dataclass: every field on one line, of arrays and long lists the shape."""
    shown = (f"{field.name}={brief(getattr(result, field.name))}" for field in fields(result))
    return f"{type(result).__name__}({', '.join(shown)})"


def brief(value: Any) -> str:
    """A value in a few characters."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and value.shape != ():
        kind = f"{type(value).__module__}.{type(value).__name__}".split(".")[0]
        return f"<{kind} {tuple(value.shape)} {str(value.dtype).split('.')[-1]}>"
    if isinstance(value, dict):
        return _some(value.items(), len(value), "{}", lambda kv: f"{kv[0]!r}: {brief(kv[1])}")
    if isinstance(value, tuple | list) and type(value).__repr__ in (tuple.__repr__, list.__repr__):
        return _some(value, len(value), "[]" if isinstance(value, list) else "()", brief)
    if isinstance(value, float):
        return f"{value:.6g}"
    return _cut(terminal(repr(value)))


def summary(title: str, facts: dict[str, Any] | None = None, lines: Iterable[str] = ()) -> str:
    """A title, a line of facts, and a few more; facts that are None are left out."""
    said = [f"{name} {_fact(value)}" for name, value in (facts or {}).items() if value is not None]
    body = [", ".join(said)] if said else []
    shown = list(lines)
    if len(shown) > MOST_SHOWN:
        shown = [*shown[:MOST_SHOWN], f"... ({len(shown)} in all)"]
    return "\n".join([_cut(terminal(title)), *(f"  {_cut(terminal(x))}" for x in (*body, *shown))])


def some(values: Iterable[object], most: int = 8) -> str:
    """``a, b, c``; of many the first, and how many there are."""
    every = [str(value) for value in values]
    shown = ", ".join(every[:most])
    return f"{shown}, ... ({len(every)})" if len(every) > most else shown or "none"


def _fact(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _some(values: Iterable[Any], count: int, brackets: str, one: Any) -> str:
    first = [one(value) for value, _ in zip(values, range(MOST_SHOWN), strict=False)]
    if count > MOST_SHOWN:
        first.append(f"... ({count})")
    return brackets[0] + ", ".join(first) + brackets[1]


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
