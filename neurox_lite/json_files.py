"""JSON files, with a checksum, that are the same for the same content."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neurox_lite.errors import InputError
from neurox_lite.files import write_text
from neurox_lite.input_files import parse_json, read_input


def json_text(data: Any) -> str:
    """As JSON; numbers and arrays of numpy as those of Python.

    Raises InputError when something in it has no form in JSON: a date, NaN or infinity.
    """
    try:
        text = _dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        text.encode()
    except (TypeError, ValueError) as error:
        message = f"cannot be saved as JSON ({error}); give strings or finite numbers"
        raise InputError(message) from None
    return text


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
    """Write an object :func:`json_with_checksum`, other data as :func:`json_text`, atomically."""
    write_text(path, json_with_checksum(data) if isinstance(data, Mapping) else json_text(data))


def json_with_checksum(data: Mapping[str, Any]) -> str:
    """JSON text of an object with a checksum of its content, which :func:`read_json` checks."""
    # As it is read: the keys of an object are strings, and tuples are lists.
    content = json.loads(json_text(data))
    kind = {"kind": content["kind"]} if "kind" in content else {}
    return json_text({**kind, "checksum": hash_json(content), **content})


def read_json(path: str | Path) -> Any:
    """Read a JSON file; one with a checksum is checked, and given without it.

    Raises
    ------
    InputError
        When the file is missing, not a plain file, too large or not JSON, a key occurs twice, or
        its content is not what its checksum says.
    """
    with open_json(path) as data:
        return data


@contextmanager
def open_json(path: str | Path) -> Iterator[Any]:
    """Give what is in a JSON file; after the block, which may say better what is wrong, check it.

    Raises InputError as :func:`read_json`.
    """
    text = read_input(path)
    try:
        data = parse_json(text)
    except ValueError as error:
        raise InputError(f"{path}: is not valid JSON ({error}); make it again") from None
    is_as_written = not isinstance(data, dict) or _is_as_written(data)
    yield data
    if not is_as_written:
        raise InputError(
            f"{path}: was changed after it was written (its checksum differs); make it again, or, "
            'if you changed it yourself, remove the line "checksum"'
        )


def _is_as_written(data: dict[str, Any]) -> bool:
    """Whether an object is what its checksum, which is taken out of it, was made of."""
    # One under a damaged name; it stands first, or after the kind.
    lost = any(re.fullmatch("[0-9a-f]{64}", str(data[key])) for key in list(data)[:2])
    checksum = data.pop("checksum", None)
    if checksum is None:
        return not lost
    try:
        return bool(checksum == hash_json(data))
    except ValueError:  # NaN, which is never written
        return False


def hash_json(data: Any) -> str:
    """SHA-256 of the content of JSON-ready data, independent of the order of keys."""
    text = _dumps(data, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
