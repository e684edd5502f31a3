"""Tables of the pages of docs/results/, and what their cells say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path("docs")
NUMBER = r"-?\d[\d,]*\.?\d*|inf"
MEASURED = re.compile(
    rf"^(\S.*?) \((\S+)\)  +({NUMBER}) +({NUMBER}) (\S.*?)(?:  +{NUMBER})?$", re.MULTILINE
)


class Measured(NamedTuple):
    """A line that a benchmark prints."""

    what: str
    unit: str
    ours: float
    reference: float
    of: str


def text_of(page: str) -> str:
    return (DOCS / "results" / f"{page}.md").read_text()


def rows_of(page: str, *columns: str, place: int = 0) -> list[dict[str, str]]:
    """The rows of the place-th table whose head has these columns, each cell by its column."""
    found, rows = [], []
    for line in [*text_of(page).splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            head, _, *body = rows
            if set(columns) <= set(head):
                found.append([dict(zip(head, row, strict=True)) for row in body])
            rows = []
    return found[place]


def lines_of(page: str) -> list[Measured]:
    """What benchmarks print that has a reference, in the blocks of a page."""
    return [
        Measured(what, unit, number(ours), number(reference), of)
        for what, unit, ours, reference, of in MEASURED.findall(text_of(page))
    ]


def number(text: str) -> float:
    """The first number of a cell."""
    return numbers(text)[0]


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(NUMBER, text)]


def spread(text: str) -> tuple[float, float, float]:
    """Value, lowest and highest of "0.8 (0.7 to 0.9)", of "0.7 to 0.9", whose value is NaN, or of a
    value alone."""
    found = numbers(text)
    if " to " not in text:
        return found[0], found[0], found[0]
    return (found[0], found[1], found[2]) if "(" in text else (float("nan"), found[0], found[1])
