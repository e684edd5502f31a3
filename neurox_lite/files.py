"""Writing files whole or not at all, and JSON that is the same for the same content."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neurox_lite.errors import InputError
from neurox_lite.input_files import open_input, parse_json, read_input


@contextmanager
def replacing(path: str | Path, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it to ``path`` if the block succeeds.

    A block that raises leaves neither the temporary file nor a changed ``path``.

    Raises
    ------
    InputError
        When ``path`` is a folder, exists and ``overwrite`` is False, or cannot be written.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file")
    # Unique also among machines that share a file system.
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
    except OSError as error:
        raise InputError(
            f"{path}: cannot write there ({error.strerror}); choose another output"
        ) from None
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def refuse_file(folder: str | Path) -> None:
    """Raise InputError when a folder to write into is a file, or cannot be written to."""
    folder = Path(folder)
    if folder.is_file():
        raise InputError(f"{folder}: is a file; give a folder for the output")
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{folder}: cannot write there; choose another output")


def refuse_existing(path: str | Path, overwrite: bool) -> None:
    """Raise InputError when ``path`` exists and may not be overwritten."""
    if not overwrite and Path(path).exists():
        raise InputError(f"{path}: exists already; give another output or --overwrite")


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically, as UTF-8."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def json_text(data: Any) -> str:
    """As JSON; numbers and arrays of numpy as those of Python.

    NaN and infinity are refused since JSON has no such numbers.

    Raises
    ------
    InputError
        When something in it has no form in JSON, such as a date, NaN or infinity.
    """
    try:
        return _dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        message = f"cannot be saved as JSON ({error}); give strings or finite numbers"
        raise InputError(message) from None


def _dumps(data: Any, **options: Any) -> str:
    try:
        return json.dumps(data, **options)
    except TypeError:  # most data is plain, and there is much of it
        return json.dumps(_plain(data), **options)


def _plain(data: Any) -> Any:
    """The same with numbers and lists of Python where there are scalars and arrays of others."""
    if isinstance(data, Mapping):
        return {_plain(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(item) for item in data]
    return data.tolist() if hasattr(data, "tolist") else data


def write_json(path: str | Path, data: Any) -> None:
    """Write :func:`json_text` atomically."""
    write_text(path, json_text(data))


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    InputError
        When the file is missing, no plain file, too large, or not JSON, or a key occurs twice.
    """
    text = read_input(path)
    try:
        return parse_json(text)
    except ValueError as error:
        raise InputError(f"{path}: is not valid JSON ({error}); make it again") from None


def hash_json(data: Any) -> str:
    """SHA-256 of the content of JSON-ready data, independent of the order of keys."""
    text = _dumps(data, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes."""
    with open_input(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
