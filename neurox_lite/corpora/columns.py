"""Reading column files in the style of CoNLL-2000 and CoNLL-2003: one word per line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from sys import intern

from neurox_lite.arguments import expect
from neurox_lite.corpora.bad_lines import BadLines, sentence_lines
from neurox_lite.corpora.column_formats import (
    WORD,
    ColumnFormat,
    column_format,
    default_names,
    without_brackets,
)
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.text_files import open_text
from neurox_lite.labels import UNLABELLED

DOCUMENT_START = "-DOCSTART-"

# Only spaces and tabs separate: a no-break space belongs to its word.
CELL = re.compile(r"[^ \t\n]+")

USUAL_COMMENTS = ("#", "%", "//", ";;", "<doc", "</doc")
"""How lines begin that may be comments, where nothing says how they do."""


def read_columns(
    path: str | Path,
    columns: str | Sequence[str] | None = None,
    *,
    comment: str | None = None,
    words_only: bool = False,
    skip_bad_lines: bool = False,
) -> TaggedCorpus:
    """Read one word per line with its labels, and a blank line between sentences.

    Spaces and tabs separate the columns. ``-DOCSTART-`` lines end a sentence and are skipped.

    Parameters
    ----------
    path : str or Path
        Read as gzip when its name ends in ``.gz``.
    columns : str or sequence of str, optional
        The name of every column, one of them ``"word"``; ``"_"`` is a column to ignore, ``"..."``
        any number of them. As a list, or separated by commas. Or the name of a format:
        ``"conll2000"``, ``"conll2003"``, ``"conll2012"``, ``"germeval"``, ``"multiconer"``. Without
        it the first column is the word and the others are ``xpos`` and ``chunk`` in a file of three
        columns (CoNLL-2000), else ``column2``, ``column3``, ...
    comment : str, optional
        How comment lines begin, such as ``"# "``. What begins so and has all columns is still a
        word when it is a hashtag, inside a sentence, or has a label that other words have. By
        default a line that looks like a comment (that begins with ``#``, ``%``, ``//``, ``;;`` or
        ``<doc``) is an error, but for the formats that have comments (CoNLL-2012, GermEval,
        MultiCoNER). With ``""`` every line is a word.
    words_only : bool
        Leave out the labels.
    skip_bad_lines : bool
        Leave out sentences with a bad line, and list them in ``skipped``.

    Returns
    -------
    TaggedCorpus
        With one tag per column other than the word.

    Raises
    ------
    InputError
        When the file cannot be read, has no words, a line has another number of columns, or a line
        may be a comment.
    """
    form = column_format(columns)
    if comment is not None:
        expect(comment, str, "comment", "how comment lines begin, as a string")
        form = replace(form, comment=comment)
    comments = _survey(path, form)
    form = comments.form
    bad = BadLines(path, skip_bad_lines)
    words: list[tuple[str, ...]] = []
    tags: dict[str, list[tuple[str, ...]]] = {}
    with open_text(path) as file:
        for lines in _without_document_starts(sentence_lines(file, path)):
            rows: list[list[str]] = []
            try:
                for number, line in lines:
                    cells = CELL.findall(line)
                    if comments.is_comment(line, cells, inside=bool(rows)):
                        if form.comment is None:
                            raise _BadLine(number, _may_be_a_comment(line, cells, form))
                    elif not form.fits(cells) or (rows and len(rows[0]) != len(cells)):
                        raise _BadLine(number, _wrong_columns(cells, form))
                    else:
                        rows.append(cells)
                sentence = _sentence(rows, form, lines)
            except _BadLine as error:
                bad.add(error.line, error.problem)
                continue
            if not rows:
                continue
            words.append(tuple(map(intern, sentence.pop(WORD))))
            if not words_only:
                for name, labels in sentence.items():
                    tags.setdefault(name, []).append(tuple(map(intern, labels)))
    bad.check_rest(len(words))
    by_tag = {name: tuple(rows) for name, rows in tags.items()}
    return TaggedCorpus(tuple(words), by_tag, source=str(path), skipped=tuple(bad.found))


class _BadLine(Exception):
    def __init__(self, line: int, problem: str):
        self.line = line
        self.problem = problem


@dataclass(frozen=True)
class _Comments:
    """How to tell comments from words.

    Attributes
    ----------
    form : ColumnFormat
        With the names of all columns.
    prefixes : tuple of str
        How lines begin that may be comments; empty when none is.
    labels : set of (int, str)
        Of the lines that do not begin so: columns, and what is in them.
    """

    form: ColumnFormat
    prefixes: tuple[str, ...]
    labels: frozenset[tuple[int, str]] = frozenset()

    def is_comment(self, line: str, cells: Sequence[str], inside: bool) -> bool:
        """Whether a line is a comment; ``inside``: a word of the sentence stands before it."""
        prefix = _prefix(line, self.prefixes)
        if not prefix:
            return False
        if not self.form.fits(cells):
            return True
        if self.form.numbered is not None:
            return False
        mark = prefix.strip()
        if " " in mark or "\t" in mark:
            return True
        if mark == "#" and re.fullmatch(r"\w[\w-]*", cells[0][len(mark) :]):
            return False  # a hashtag
        word = self.form.columns(len(cells))[WORD]
        known = any(
            (column, cell) in self.labels for column, cell in enumerate(cells) if column != word
        )
        return not (inside or known)


def _prefix(line: str, prefixes: tuple[str, ...]) -> str:
    """How a line that may be a comment begins, else ""; what is indented is no other column."""
    start = line.lstrip(" \t")
    if not start.startswith(prefixes):
        return ""
    return next(prefix for prefix in prefixes if start.startswith(prefix))


def _survey(path: str | Path, form: ColumnFormat) -> _Comments:
    """What the lines that are surely words tell about the others."""
    prefixes: tuple[str, ...] = USUAL_COMMENTS
    if form.comment is not None:
        prefixes = (form.comment,) if form.comment else ()
    first: list[str] = []
    labels: set[tuple[int, str]] = set()
    with open_text(path) as file:
        needed = any(_prefix(line, prefixes) for line in file)
    with open_text(path) as file:
        for line in file:
            if needed and _prefix(line, prefixes):
                continue
            cells = CELL.findall(line)
            if not cells or cells[0] == DOCUMENT_START:
                continue
            first = first or cells
            if not needed:
                break
            labels.update(enumerate(cells))
        if not first:
            file.seek(0)
            first = next((cells for line in file if (cells := CELL.findall(line))), [])
    if not form.names:
        form = replace(form, names=default_names(len(first)))
    return _Comments(form, prefixes, frozenset(labels))


def _without_document_starts(
    sentences: Iterator[list[tuple[int, str]]],
) -> Iterator[list[tuple[int, str]]]:
    for lines in sentences:
        part: list[tuple[int, str]] = []
        for number, line in lines:
            if CELL.findall(line)[:1] != [DOCUMENT_START]:
                part.append((number, line))
            elif part:
                yield part
                part = []
        if part:
            yield part


def _sentence(
    rows: Sequence[Sequence[str]], form: ColumnFormat, lines: Sequence[tuple[int, str]]
) -> dict[str, list[str]]:
    """The words and labels of a sentence, by column."""
    if not rows:
        return {}
    columns = form.columns(len(rows[0]))
    sentence = {name: [cells[place] for cells in rows] for name, place in columns.items()}
    for name in form.brackets:
        try:
            sentence[name] = without_brackets(sentence[name])
        except ValueError as error:
            first = lines[-len(rows)][0]
            raise _BadLine(
                first + error.args[0], f"the brackets of '{name}' do not match; correct them"
            ) from None
    for name in form.dashes:
        sentence[name] = [UNLABELLED if label == "-" else label for label in sentence[name]]
    return sentence


def _wrong_columns(cells: Sequence[str], form: ColumnFormat) -> str:
    if form.numbered is not None and len(cells) >= len(form.names) - 1:
        return (
            f"column {form.numbered + 1} is '{cells[form.numbered]}' and not the number of a word; "
            "give the columns the file has (--columns)"
        )
    return (
        f"{len(cells)} columns where {len(form.names)} were expected "
        f"({', '.join(form.names)}); give every word all columns"
    )


def _may_be_a_comment(line: str, cells: Sequence[str], form: ColumnFormat) -> str:
    prefix = _prefix(line, USUAL_COMMENTS)
    prefix += " " * (cells[0] == prefix or prefix == "#")  # not of hashtags
    if not form.fits(cells):
        return (
            f"{_wrong_columns(cells, form)}, or if this is a comment give how such lines begin by "
            f"comment= (--comment '{prefix}')"
        )
    return (
        f"'{line.strip()[:40]}' looks like a comment; give how comments begin by comment= "
        f"(--comment '{prefix}'), or '' if this is a word with labels"
    )
