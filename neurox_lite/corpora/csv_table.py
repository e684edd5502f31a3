"""Reading sentences and their labels from a table: CSV or TSV with a header."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from neurox_lite.arguments import expect
from neurox_lite.choices import did_you_mean
from neurox_lite.corpora.bad_lines import BadLines
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.text_files import open_text, split_words
from neurox_lite.errors import InputError

DELIMITERS = ",;\t"


def read_csv(
    path: str | Path,
    *,
    text_column: str,
    label_column: str | None = None,
    skip_bad_lines: bool = False,
) -> TaggedCorpus:
    """Read a sentence per row of a table with a header, and its label.

    Commas, semicolons or tabs separate the columns, whichever the header has. A cell in quotes may
    hold these, line breaks, and quotes written twice. Whitespace separates the words of a sentence.

    Parameters
    ----------
    path : str or Path
        Read as gzip when its name ends in ``.gz``.
    text_column, label_column : str
        Names of columns. The labels are a tag of this name, the same for every word of the
        sentence; an empty cell is no label. Without ``label_column`` there are no labels.
    skip_bad_lines : bool
        Leave out bad rows, and list them in ``skipped``.

    Returns
    -------
    TaggedCorpus

    Raises
    ------
    InputError
        When the file cannot be read, the header has no such column or has it twice, a row has
        another number of cells or no text, or quotes do not match.
    """
    expect(text_column, str, "text_column", "the name of a column")
    if label_column is not None:
        expect(label_column, str, "label_column", "the name of a column")
    names = [text_column] if label_column is None else [text_column, label_column]
    bad = BadLines(path, skip_bad_lines)
    sentences: list[tuple[str, ...]] = []
    labels: list[tuple[str, ...]] = []
    rows = _rows(path, _delimiter(path, names), bad)
    _, header = next(rows, (1, []))
    places = [_place(path, header, name) for name in names]
    for line, row in rows:
        problem = None
        if len(row) != len(header):
            problem = (
                f"{len(row)} cells where the header has {len(header)}; quote a text with commas, "
                "tabs or line breaks"
            )
        elif not row[places[0]].strip():
            problem = f"no text in column '{text_column}'; remove the row"
        if problem:
            bad.add(line, problem)
            continue
        sentences.append(split_words(row[places[0]], f"{path}: line {line}"))
        label = " ".join(row[places[-1]].split())
        labels.append((label,) * len(sentences[-1]))
    bad.check_rest(len(sentences))
    tags = {} if label_column is None else {label_column: tuple(labels)}
    return TaggedCorpus(
        tuple(sentences),
        tags,
        source=str(path),
        sentence_tags=tuple(tags),
        skipped=tuple(bad.found),
    )


def _delimiter(path: str | Path, names: Sequence[str]) -> str:
    """What separates the columns: that by which the header has the columns that are asked for."""
    headers = {}
    for delimiter in DELIMITERS:
        _, headers[delimiter] = next(_rows(path, delimiter, BadLines(path)), (1, []))
        if set(names) <= set(headers[delimiter]):
            return delimiter
    header = max(headers.values(), key=len)
    if not header:
        raise InputError(f"{path}: is empty; give a table with a header")
    missing = next(name for name in names if name not in header)
    raise InputError(
        f"{path}: line 1: no column '{missing}'; the header has: {', '.join(header)}; give one of "
        "these by text_column= and label_column= (--text-column, --label-column)"
        f"{did_you_mean(missing, header)}"
    )


def _place(path: str | Path, header: Sequence[str], name: str) -> int:
    if header.count(name) > 1:
        raise InputError(f"{path}: line 1: two columns are called '{name}'; rename one")
    return header.index(name)


def _rows(path: str | Path, delimiter: str, bad: BadLines) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with the numbers of their first lines."""
    with open_text(path) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end" in str(error):
                    raise InputError(
                        f"{path}: line {line}: a quote that is opened and not closed; close it"
                    ) from None
                last = f" up to line {reader.line_num}" if reader.line_num > line else ""
                bad.add(
                    line,
                    f"no row of a table{last} ({error}); quote the cell, and write quotes twice",
                )
                continue
            if row and (len(row) > 1 or row[0].strip()):
                yield line, [cell.strip() for cell in row] if line == 1 else row
