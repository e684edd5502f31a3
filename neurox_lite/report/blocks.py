"""Pieces of the report's page: plain data, which the page draws; every text is plain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from neurox_lite.escaping import terminal
from neurox_lite.intervals import Interval
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.report.markdown import percent

Block = dict[str, Any]
Section = dict[str, Any]
Item = TypeVar("Item")

OVERVIEW, COMPARE = "overview", "compare"
MOST_SERIES = 6
"""Lines of one drawing, each in a colour of its own."""


def section(
    name: str, title: str, text: Sequence[str], blocks: Iterable[Block], group: str = OVERVIEW
) -> Section | None:
    """A section; None where there is nothing to show."""
    found = list(blocks)
    if not found:
        return None
    return {"id": name, "title": title, "text": list(text), "blocks": found, "group": group}


def figure(label: str, value: str, interval: str = "", note: str = "") -> dict[str, str]:
    """A number to be shown large."""
    more = {"interval": interval, "note": note}
    return {"label": label, "value": value, **{k: v for k, v in more.items() if v}}


def figures(items: Sequence[Mapping[str, str]]) -> Block:
    """Several numbers, side by side."""
    return {"kind": "figures", "items": list(items)}


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Block:
    """A table; numbers stand to the right. Cells are of any type, lists of neurons are links."""
    cells = [[_cell(value) for value in row] for row in rows]
    columns = list(zip(*cells, strict=True)) or [()] * len(head)
    align = ["right" if _is_numeric(column) else "left" for column in columns]
    return {"kind": "table", "caption": caption, "head": list(head), "rows": cells, "align": align}


def folded(block: Block, summary: str) -> Block:
    """The same block, shown when its summary is opened."""
    return {**block, "fold": summary}


def note(text: str) -> Block:
    """A remark."""
    return {"kind": "note", "text": text}


def series(
    name: str,
    y: Iterable[float | None],
    low: Iterable[float | None] = (),
    high: Iterable[float | None] = (),
    style: str = "solid",
) -> dict[str, Any]:
    """A line of a drawing, with its band where there is one."""
    found: dict[str, Any] = {"name": name, "y": plain(y), "style": style}
    ends = {"low": plain(low), "high": plain(high)}
    return found | ends if all(ends.values()) else found


def lines(
    title: str,
    x_label: str,
    y_label: str,
    x: Iterable[float],
    drawn: Sequence[Mapping[str, Any]],
    *,
    log: bool = False,
    ticks: Sequence[str] = (),
    is_percent: bool = False,
    references: Mapping[str, float] | None = None,
) -> Block:
    """Lines over one x axis; ``references`` are straight ones."""
    found: Block = {
        "kind": "lines",
        "title": title,
        "x_label": x_label,
        "y_label": y_label,
        "x": plain(x),
        "x_scale": "log" if log else "linear",
        "percent": is_percent,
        "series": list(drawn),
    }
    if ticks:
        found["x_ticks"] = list(ticks)
    if references:
        found["references"] = [{"name": name, "y": y} for name, y in references.items()]
    return found


def in_parts(items: Sequence[Item], most: int = MOST_SERIES) -> Iterator[tuple[list[Item], str]]:
    """What to draw together, and what to add to a title: nothing where one drawing holds all."""
    for first in range(0, len(items), most):
        part = list(items[first : first + most])
        which = f" ({first + 1} to {first + len(part)} of {len(items)})"
        yield part, which if len(items) > most else ""


def bars(
    title: str,
    x_label: str,
    y_label: str,
    labels: Sequence[str],
    values: Iterable[float],
    form: str = "count",
    low: Iterable[float | None] = (),
    high: Iterable[float | None] = (),
) -> Block:
    """A bar for each label, from left to right: ``y_label`` says what the labels are."""
    found: Block = {
        "kind": "bars",
        "title": title,
        "x_label": x_label,
        "y_label": y_label,
        "labels": list(labels),
        "values": plain(values),
        "format": form,
    }
    ends = {"low": plain(low), "high": plain(high)}
    return found | ends if all(ends.values()) else found


def heat(
    title: str,
    labels: tuple[str, str],
    rows: Sequence[str],
    columns: Sequence[str],
    values: Iterable[Iterable[float | None]],
    ends: tuple[float, float] = (0.0, 1.0),
    *,
    diverging: bool = False,
    form: str = "number",
) -> Block:
    """A heat map; ``labels`` are those of the rows and of the columns."""
    return {
        "kind": "heat",
        "title": title,
        "row_label": labels[0],
        "column_label": labels[1],
        "rows": list(rows),
        "columns": list(columns),
        "values": [plain(row) for row in values],
        "low": ends[0],
        "high": ends[1],
        "diverging": diverging,
        "format": form,
    }


def neurons(chosen: Iterable[Neuron], of: NeuronSpace | None) -> dict[str, Any]:
    """A cell that names neurons of a space; see :func:`linked`."""
    return {"neurons": [str(neuron) for neuron in chosen], "of": of}


def linked(made: Section, model_of: Callable[[NeuronSpace, list[str]], str | None]) -> Section:
    """The section where neurons that the report has are links, and others text.

    Parameters
    ----------
    made : Section
    model_of : function of a space and neurons of it, as they are shown
        The model in whose table they all are; None where they are in none.
    """

    def cell(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        named, of = value["neurons"], value["of"]
        model = None if of is None else model_of(of, named)
        return ", ".join(named) if model is None else {"neurons": named, "model": model}

    blocks = [
        {**block, "rows": [[cell(value) for value in row] for row in block["rows"]]}
        if block["kind"] == "table"
        else block
        for block in made["blocks"]
    ]
    return {**made, "blocks": blocks}


def plain(values: Iterable[Any]) -> list[Any]:
    """Numbers of Python; None where there is none or it is not finite."""
    return [None if v is None or not np.isfinite(v) else _short(v) for v in values]


def _short(value: Any) -> float | int:
    """With six digits, which is more than a drawing shows."""
    number = value.item() if isinstance(value, np.generic) else value
    return number if isinstance(number, int) else float(f"{number:.6g}")


def between(low: float, high: float) -> str:
    """An interval of shares in percent; empty where nothing is known."""
    if not (np.isfinite(low) and np.isfinite(high)) or (low, high) == (0, 1):
        return ""
    return f"{percent(low)} to {percent(high)}"


def spoken(value: float, digits: int = 3) -> str:
    """A number with so many digits."""
    return f"{value:.{digits}g}" if np.isfinite(value) else "not known"


def of_interval(interval: Interval) -> str:
    """An estimate with its interval, short."""
    if not interval.is_known:
        return spoken(interval.value)
    return f"{spoken(interval.value)} ({spoken(interval.low)} to {spoken(interval.high)})"


def shown(value: Any) -> Any:
    """Data with every text in it as :func:`neurox_lite.escaping.terminal` shows it."""
    if isinstance(value, str):
        return terminal(value)
    if isinstance(value, Mapping):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    return value


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return spoken(float(value), 4) if np.isfinite(value) else ""
    return str(value)


def _is_numeric(column: Sequence[Any]) -> bool:
    """Whether cells begin like numbers, as 12 and 3.4 % do."""
    texts = [cell for cell in column if isinstance(cell, str) and cell]
    return bool(texts) and all(
        text.lstrip("+-")[:1].isdigit() and ":" not in text for text in texts
    )
