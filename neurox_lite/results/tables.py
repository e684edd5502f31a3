"""Tables of results: for pandas, as CSV and as LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.escaping import csv_cell, latex
from neurox_lite.files import write_text

if TYPE_CHECKING:
    import pandas

SUFFIXES = (".csv", ".tex")

Table = list[list[Any]]
"""A header and rows; cells without a value are None."""


def one_row(result: Any, **more: Any) -> Table:
    """The single values of a dataclass as a table of one row."""
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    single = {k: v for k, v in values.items() if v is None or np.isscalar(v)} | more
    return [list(single), list(single.values())]


def as_pandas(result: Any) -> pandas.DataFrame:
    """``to_pandas`` of a result: its ``table()`` as a data frame.

    Raises
    ------
    InputError
        When pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise InputError(
            "a data frame needs pandas; pip install 'neurox-lite[pandas]', or save as .csv"
        ) from None
    header, *rows = result.table()
    return pandas.DataFrame(rows, columns=header)


def is_table_name(path: str | Path) -> bool:
    """Whether a file of this name holds a table, not the whole result."""
    return Path(path).suffix in SUFFIXES


def write_table(path: str | Path, table: Table) -> None:
    """Write a table as CSV or LaTeX, by the name of the file."""
    as_text = {".csv": csv_table, ".tex": latex_table}.get(Path(path).suffix)
    if as_text is None:
        raise InputError(f"{path}: a table is saved as .csv or .tex; choose such a name")
    write_text(path, as_text(table))


def csv_table(table: Table) -> str:
    """As CSV; no cell is a formula (see :func:`neurox_lite.escaping.csv_cell`)."""
    text = io.StringIO()
    rows = ([csv_cell(cell) for cell in row] for row in table)
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def latex_table(table: Table) -> str:
    """As a tabular with the lines of the package booktabs; numbers to four digits."""
    header, *rows = table
    columns = "".join("r" if _are_numbers(cells) else "l" for cells in _columns(header, rows))
    return "\n".join(
        [
            r"% by neurox_lite; needs \usepackage{booktabs}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            _latex_row(header),
            r"\midrule",
            *map(_latex_row, rows),
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _columns(header: Sequence[Any], rows: Table) -> list[list[Any]]:
    return [[row[place] for row in rows] for place in range(len(header))]


def _are_numbers(cells: list[Any]) -> bool:
    return all(cell in (None, "") or is_number(cell) for cell in cells)


def is_number(cell: Any) -> bool:
    """Whether a cell is a number; True and False are none."""
    return isinstance(cell, int | float | np.number) and not isinstance(cell, bool)


def _latex_row(cells: Sequence[Any]) -> str:
    return " & ".join(map(_latex_cell, cells)) + r" \\"


def _latex_cell(cell: Any) -> str:
    if cell is None:
        return ""
    if not is_number(cell):
        return latex(cell)
    if cell != cell:
        return "--"
    number = f"{cell:.4g}" if isinstance(cell, float | np.floating) else str(cell)
    return f"$-${number[1:]}" if number.startswith("-") else number
