"""Reading column files in the style of CoNLL-2000 and CoNLL-2003: one word per line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.text_files import open_text
from neurox_lite.errors import InputError

WORD = "word"
CONLL_2000 = (WORD, "xpos", "chunk")
DOCUMENT_START = "-DOCSTART-"

# Only spaces and tabs separate: a no-break space belongs to its word.
CELL = re.compile(r"[^ \t\n]+")


def read_columns(
    path: str | Path, columns: Sequence[str] | None = None, *, words_only: bool = False
) -> TaggedCorpus:
    """Read one word per line with its labels, and a blank line between sentences.

    Spaces and tabs separate the columns. ``-DOCSTART-`` lines end a sentence and are skipped.

    Parameters
    ----------
    path : str or Path
        Read as gzip when its name ends in ``.gz``.
    columns : sequence of str, optional
        The name of every column, one of them ``"word"``. Without it the first column is the
        word and the others are ``xpos`` and ``chunk`` in a file of three columns (CoNLL-2000),
        else ``column2``, ``column3``, ...
    words_only : bool
        Leave out the labels.

    Returns
    -------
    TaggedCorpus
        With one layer per column other than the word.

    Raises
    ------
    InputError
        When the file cannot be read, has no words, or a line has another number of columns.
    """
    names = _checked_names(columns) if columns is not None else ()
    sentences: list[list[list[str]]] = [[]]
    for number, line in enumerate(open_text(path), start=1):
        cells = CELL.findall(line)
        if not cells or cells[0] == DOCUMENT_START:
            sentences.append([])
            continue
        names = names or _default_names(len(cells))
        if len(cells) != len(names):
            raise InputError(
                f"{path}: line {number}: {len(cells)} columns where {len(names)} were expected "
                f"({', '.join(names)}); give every word all columns"
            )
        sentences[-1].append([cells[names.index(WORD)]] if words_only else cells)

    if words_only:
        names = (WORD,)
    layers = {
        name: tuple(tuple(cells[column] for cells in rows) for rows in sentences if rows)
        for column, name in enumerate(names)
    }
    words = layers.pop(WORD, ())
    return TaggedCorpus(words, layers, source=str(path))


def _checked_names(columns: Sequence[str]) -> tuple[str, ...]:
    names = tuple(columns)
    if names.count(WORD) != 1 or len(set(names)) != len(names):
        raise InputError(
            f"columns {', '.join(names)}: give every column its own name and call one '{WORD}'"
        )
    return names


def _default_names(n_columns: int) -> tuple[str, ...]:
    if n_columns == len(CONLL_2000):
        return CONLL_2000
    return (WORD, *(f"column{number}" for number in range(2, n_columns + 1)))
