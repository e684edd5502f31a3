"""Results as HTML in a notebook: what ``print`` says, and the head of their table.

Styles stand at the elements themselves and take letters and ground from the notebook, light or
dark, which stays as it is; there is no script and nothing is fetched. What comes from outside is
escaped, and keeps its direction of writing to itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.escaping import html
from neurox_lite.results.tables import Table, is_number

MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 10, 10, 60
"""Of a table, and of a cell."""

MOST_UPRIGHT = 25
"""Values of a table of one row."""

FRAME = "font-size:13px;line-height:1.5;max-width:70em"
LINE = "border-bottom:1px solid rgba(128,128,128,.5)"
QUIET = "opacity:.75"

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="neurox_lite">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
</head>
<body style="background:Canvas;color:CanvasText;font-family:sans-serif;margin:1em">
<main>
<h1 style="font-size:16px;margin:0 0 .5em"><bdi>{title}</bdi></h1>
{body}
</main>
</body>
</html>
"""


def as_html(result: Any, table: Table | None = None, n_rows: int | None = None) -> str:
    """``_repr_html_`` of a result: title and facts as printed, and the first rows of its table.

    Parameters
    ----------
    result
        Its ``table()`` is shown, if it has one.
    table : list of lists, optional
        The head of another.
    n_rows : int, optional
        How many rows that one has in all.
    """
    if table is None and hasattr(result, "table"):
        table = result.table() if callable(result.table) else result.table.table()
    return framed(said(result), shown_table(table, n_rows) if table else "")


def framed(*parts: str) -> str:
    """HTML in one element; empty parts are left out."""
    return "\n".join([f'<div style="{FRAME}">', *filter(None, parts), "</div>"])


def whole_page(title: str, body: str) -> str:
    """HTML as a page of its own with a heading, light or dark as its reader has it."""
    return PAGE.format(title=html(title), body=body)


def said(result: Any) -> str:
    """What ``print`` says of a result."""
    title, *lines = str(result).splitlines()
    parts = [f'<div dir="auto"><b>{html(title)}</b></div>']
    parts += [f'<div dir="auto">{html(line.strip())}</div>' for line in lines]
    return "\n".join(parts)


def shown_table(table: Table, n_rows: int | None = None) -> str:
    """The first rows and columns of a table, and how many there are; one row stands upright."""
    header, *rows = table
    if len(rows) == 1 and n_rows is None:
        names = [[name, value] for name, value in zip(header, rows[0], strict=True)]
        return shown_rows([], names, len(names), MOST_UPRIGHT)
    return shown_rows(header, rows, len(rows) if n_rows is None else n_rows)


def shown_rows(header: list[Any], rows: Table, n_rows: int, most: int = MOST_ROWS) -> str:
    """Some of ``n_rows`` rows, below a header if there is one."""
    shown = [row[:MOST_COLUMNS] for row in rows[:most]]
    n_columns = max(map(len, [header, *rows]), default=0)
    head = "".join(
        f'<th scope="col" style="{_cell(_are_numbers(shown, place))};{LINE}">{_text(name)}</th>'
        for place, name in enumerate(header[:MOST_COLUMNS])
    )
    body = "\n".join(
        f"<tr>{''.join(_td(cell) for cell in row)}</tr>" for row in shown
    )  # fmt: skip
    hidden = [
        f"the first {len(shown)} of {n_rows:,} rows" if len(shown) < n_rows else "",
        f"{MOST_COLUMNS} of {n_columns:,} columns" if n_columns > MOST_COLUMNS else "",
    ]
    note = ", ".join(filter(None, hidden))
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;margin:.4em 0">'
        + (f"<thead><tr>{head}</tr></thead>\n" if head else "\n")
        + f"<tbody>{body}</tbody></table></div>"
        + (f'\n<div style="{QUIET}">{note}</div>' if note else "")
    )


def apart(text: object) -> str:
    """Text whose direction of writing does not change that of what stands beside it."""
    return f"<bdi>{html(cut(text))}</bdi>"


def cut(text: object, most: int = MOST_CHARACTERS) -> str:
    """Text in at most so many characters."""
    whole = str(text)
    return whole if len(whole) <= most else f"{whole[: most - 1]}…"


def number(value: float) -> str:
    """A number to four digits."""
    if isinstance(value, float | np.floating):
        return "–" if value != value else f"{value:.4g}"
    return str(value)


def _td(cell: Any) -> str:
    return f'<td dir="auto" style="{_cell(is_number(cell))}">{_text(cell)}</td>'


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    return html(number(cell) if is_number(cell) else cut(cell))


def _cell(is_right: bool) -> str:
    side = "right" if is_right else "start"
    return f"text-align:{side};padding:.15em .6em"


def _are_numbers(rows: Table, place: int) -> bool:
    cells = [row[place] for row in rows if place < len(row) and row[place] is not None]
    return bool(cells) and all(map(is_number, cells))
