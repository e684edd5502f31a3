"""Opening text files, gzipped or not, with errors that say what is wrong with the file."""

from __future__ import annotations

import codecs
import gzip
import zlib
from io import TextIOWrapper
from pathlib import Path
from sys import intern
from typing import IO, cast

from neurox_lite.arguments import as_path
from neurox_lite.corpora.corpus_checks import MAX_WORDS, too_many_words
from neurox_lite.errors import InputError
from neurox_lite.input_files import open_input, size

MAX_TEXT = 8 << 30
"""Bytes of a text file, unpacked: some 1.5 billion words."""

MAX_LINE = 64 << 20
"""Bytes of a line."""

MAX_RATIO = 200
"""How many times larger a gzip file of more than ``FREELY`` bytes may become; text seldom becomes
30 times larger."""

FREELY = 64 << 20
CHUNK = 1 << 20

FORMAT_OF_SUFFIX = {
    ".conllu": "conllu",
    ".conll": "columns",
    ".columns": "columns",
    ".csv": "csv",
    ".tsv": "tsv",
}
"""Other names, ``.txt`` above all, are used for columns as well as for text."""


def open_text(path: str | Path) -> TextIOWrapper:
    r"""Open a UTF-8 text file, decompressed when its name ends in ``.gz``, to iterate by line.

    The file is read through once before, so that a damaged file fails here and not halfway
    through a reader. A byte order mark is dropped and every line end reads as ``\n``.

    Raises
    ------
    InputError
        When the file is missing, not a plain file, not readable, damaged or not UTF-8, has a
        line of more than 64 MiB, is larger than 8 GiB, or is a gzip file that grows like no text.
    """
    path = as_path(path)
    try:
        if not path.exists():
            raise InputError(f"{path}: no such file; check the path")
        with _unpacked(path) as file:
            _check(file, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: not a whole gzip file ({error}); copy or download it again, "
            "or drop .gz from the name of a plain file"
        ) from error
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); give a readable file"
        ) from error
    return TextIOWrapper(_unpacked(path), encoding="utf-8-sig", newline=None)


def read_lines(path: str | Path, *, blank_lines: bool = True) -> list[str]:
    """The lines of a text file that are not blank, such as a sentence each.

    Blank lines between others are refused if the lines belong to those of another file.

    Raises InputError when it cannot be read, see :func:`open_text`, its name is that of a corpus,
    or it has no such line.
    """
    if (format := format_of_name(as_path(path))) is not None:
        raise InputError(f"{path}: by its name {format}, not a text per line; give a text file")
    with open_text(path) as file:
        every = [line.strip() for line in file]
    lines = [line for line in every if line]
    if not blank_lines and "" in every[: len(lines)]:
        raise InputError(f"{path}: line {every.index('') + 1} is blank; give a text on every line")
    for number, line in enumerate(lines, start=1):
        split_words(line, f"{path}: sentence {number}")
    if not lines:
        raise InputError(f"{path}: no lines but blank ones; give a sentence per line")
    return lines


def format_of_name(path: Path) -> str | None:
    """The format of corpora that the name of a file tells."""
    name = path.with_suffix("") if path.suffix == ".gz" else path
    return FORMAT_OF_SUFFIX.get(name.suffix)


def split_words(line: str, where: str) -> tuple[str, ...]:
    """The words of a line, which whitespace separates; equal ones are one string in memory.

    Raises InputError when there are too many for a sentence.
    """
    words = line.split(None, MAX_WORDS)
    if len(words) > MAX_WORDS:
        raise InputError(f"{where} has {too_many_words()}; split it")
    return tuple(map(intern, words))


def _unpacked(path: Path) -> IO[bytes]:
    file = open_input(path)
    return cast(IO[bytes], gzip.open(file) if path.suffix == ".gz" else file)


def _check(file: IO[bytes], path: Path) -> None:
    """Raise InputError when a file is too large, a line too long, or a byte not UTF-8."""
    packed = path.stat().st_size
    decoder = codecs.getincrementaldecoder("utf-8")()
    n_bytes = n_lines = in_line = 0
    while chunk := file.read(CHUNK):
        n_bytes += len(chunk)
        if n_bytes > MAX_TEXT:
            raise InputError(
                f"{path}: more than {size(MAX_TEXT)} of text, the most that is read; split it"
            )
        if path.suffix == ".gz" and n_bytes > max(FREELY, MAX_RATIO * packed):
            raise InputError(
                f"{path}: a gzip file of {packed} bytes that unpacks to more than {MAX_RATIO} "
                "times as many is not text; unpack it yourself if it is"
            )
        lines = chunk.replace(b"\r", b"\n")
        first = lines.find(b"\n")
        if in_line + (first if first >= 0 else len(lines)) > MAX_LINE:
            raise InputError(
                f"{path}: line {n_lines + 1} is longer than {size(MAX_LINE)}, the most that is "
                "read; write a sentence per line"
            )
        in_line = len(lines) - 1 - lines.rfind(b"\n") if first >= 0 else in_line + len(lines)
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise _not_utf8(error, n_lines, path) from None
        n_lines += chunk.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(error, n_lines, path) from None


def _not_utf8(error: UnicodeDecodeError, n_lines: int, path: Path) -> InputError:
    line = n_lines + error.object[: error.start].count(b"\n") + 1
    return InputError(
        f"{path}: line {line}: not UTF-8 (byte 0x{error.object[error.start]:02x}); "
        "convert the file to UTF-8"
    )
