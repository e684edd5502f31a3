"""Opening text files, gzipped or not, with errors that say what is wrong with the file."""

from __future__ import annotations

import codecs
import gzip
import zlib
from io import StringIO
from pathlib import Path

from neurox_lite.errors import InputError


def open_text(path: str | Path) -> StringIO:
    r"""Open a UTF-8 text file, decompressed when its name ends in ``.gz``.

    The whole file is decoded at once, so that a damaged file fails here and not halfway through
    a reader. A byte order mark is dropped and every line end reads as ``\n``.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    io.StringIO
        The text, to iterate by line.

    Raises
    ------
    InputError
        When the file is missing, is not readable, is damaged or is not UTF-8.
    """
    content = _read_bytes(Path(path)).removeprefix(codecs.BOM_UTF8)
    try:
        return StringIO(content.decode(), newline=None)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}: line {line}: not UTF-8 (byte 0x{content[error.start]:02x}); "
            "convert the file to UTF-8"
        ) from error


def read_lines(path: str | Path) -> list[str]:
    """The lines of a text file that are not blank, such as a sentence each.

    Raises
    ------
    InputError
        When the file cannot be read, see :func:`open_text`, or has no such line.
    """
    lines = [line.strip() for line in open_text(path) if line.strip()]
    if not lines:
        raise InputError(f"{path}: no lines but blank ones; give a sentence per line")
    return lines


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; check the path") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: not a whole gzip file ({error}); copy or download it again, "
            "or drop .gz from the name of a plain file"
        ) from error
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); give a readable file"
        ) from error
