"""What the columns of a column file are: those of known formats, or those a user names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from neurox_lite.arguments import shown
from neurox_lite.errors import InputError

WORD = "word"
IGNORED = "_"
REST = "..."


@dataclass(frozen=True)
class ColumnFormat:
    """The columns of a file.

    Attributes
    ----------
    names : tuple of str
        ``"_"`` for a column to ignore, ``"..."`` for any number of them; none when they are told
        from the first word.
    comment : str, optional
        How comment lines begin; "" when there are none, None when it is not known.
    numbered : int, optional
        A column of numbers, which tells a word from a comment.
    brackets : tuple of str
        Columns with ``(PER*``, ``*``, ``*)``, which are read as ``B-PER``, ``I-PER``, ``I-PER``.
    dashes : tuple of str
        Columns where ``-`` is no label.
    """

    names: tuple[str, ...] = ()
    comment: str | None = None
    numbered: int | None = None
    brackets: tuple[str, ...] = ()
    dashes: tuple[str, ...] = ()

    def fits(self, cells: Sequence[str]) -> bool:
        """Whether a line has all columns."""
        n_named = len(self.names) - (REST in self.names)
        enough = len(cells) >= n_named if REST in self.names else len(cells) == n_named
        return enough and (self.numbered is None or cells[self.numbered].isdecimal())

    def columns(self, n_cells: int) -> dict[str, int]:
        """Where the columns that are read are in a line of so many cells."""
        names = list(self.names)
        if REST in names:
            place = names.index(REST)
            names[place : place + 1] = [IGNORED] * (n_cells - len(names) + 1)
        return {name: place for place, name in enumerate(names) if name != IGNORED}


FORMATS = {
    "conll2000": ColumnFormat((WORD, "xpos", "chunk")),
    "conll2003": ColumnFormat((WORD, "xpos", "chunk", "ner")),
    "conll2012": ColumnFormat(
        (
            *(IGNORED, IGNORED, IGNORED, WORD, "xpos", "parse"),
            *("lemma", "frameset", "sense", "speaker", "ner", REST, "coref"),
        ),
        comment="#",
        numbered=2,
        brackets=("ner",),
        dashes=("lemma", "frameset", "sense", "speaker"),
    ),
    "germeval": ColumnFormat((IGNORED, WORD, "ner", "nested_ner"), comment="#", numbered=0),
    "multiconer": ColumnFormat((WORD, IGNORED, IGNORED, "ner"), comment="# id"),
}


def column_format(columns: str | Sequence[str] | None) -> ColumnFormat:
    """A format by its name, or of columns that are named, in a list or separated by commas.

    Raises InputError when the names are not those of columns, one of them ``"word"``.
    """
    if columns is None:
        return ColumnFormat()
    if isinstance(columns, str):
        if columns in FORMATS:
            return FORMATS[columns]
        columns = columns.split(",")
    if not isinstance(columns, Iterable) or isinstance(columns, Mapping):
        raise InputError(
            f"columns is {shown(columns)}; give the name of a format, or of each column"
        )
    names = tuple(name.strip() if isinstance(name, str) else name for name in columns)
    if not all(isinstance(name, str) and name for name in names):
        raise InputError(
            f"columns {names!r}: a name is empty or not a string; use _ to ignore a column"
        )
    read = [name for name in names if name != IGNORED]
    if names.count(WORD) != 1 or len(set(read)) != len(read):
        raise InputError(
            f"columns {', '.join(names)}: give every column its own name and call one '{WORD}', "
            f"or give one of {', '.join(FORMATS)}"
        )
    return ColumnFormat(names)


def default_names(n_columns: int) -> tuple[str, ...]:
    """Names of the columns of a file that says nothing about them."""
    known = FORMATS["conll2000"].names
    if n_columns == len(known):
        return known
    return (WORD, *(f"column{number}" for number in range(2, n_columns + 1)))


def without_brackets(cells: Sequence[str]) -> list[str]:
    """``(PER*``, ``*)``, ``*``, ``(LOC)`` as ``B-PER``, ``I-PER``, ``O``, ``B-LOC``.

    Raises ValueError with the number of the cell when brackets do not match.
    """
    labels, inside = [], ""
    for number, cell in enumerate(cells):
        found = re.fullmatch(r"(?:\(([^()*]+))?\*?(\))?", cell)
        opened, closed = found.groups() if found else (None, None)
        if not cell or not found or (opened and inside) or (closed and not (opened or inside)):
            raise ValueError(number)
        if opened:
            labels.append(f"B-{opened}")
            inside = opened
        else:
            labels.append(f"I-{inside}" if inside else "O")
        if closed:
            inside = ""
    if inside:
        raise ValueError(len(cells) - 1)
    return labels
