"""What public functions are given: numbers and objects of the right kind, or one line that says so.

Numbers may be of Python, numpy or torch; a bool is none. They come back as Python has them, so that
results can be compared, hashed and saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from errno import ENAMETOOLONG
from itertools import pairwise
from operator import index
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from neurox_lite.errors import InputError

Kind = TypeVar("Kind")


def whole_number(value: Any, name: str, *, least: int | None = None) -> int:
    """A whole number as an int; InputError for all else, as 2.0, or what is below ``least``."""
    try:
        if _is_bool(value):
            raise TypeError
        number = index(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} is {shown(value)}; give a whole number") from None
    if least is not None and number < least:
        raise InputError(f"{name} is {number}; give at least {least}")
    return number


def real_number(value: Any, name: str) -> float:
    """A number as a float; NaN and infinity are left for the caller's range to refuse."""
    try:
        if _is_bool(value) or isinstance(value, str | bytes):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} is {shown(value)}; give a number") from None


def positive_number(value: Any, name: str) -> float:
    """A finite number above 0 as a float; InputError for all else."""
    number = real_number(value, name)
    if not 0 < number < float("inf"):
        raise InputError(f"{name} is {number}; give a number above 0")
    return number


def numbers(values: Any, name: str) -> tuple[float, ...]:
    """One number, or several in any sequence or array, as floats."""
    several = values if _is_collection(values) else [values]
    return tuple(real_number(value, f"one of the {name}") for value in several)


def shares(values: Any, name: str = "shares", *, ascending: bool = False) -> tuple[float, ...]:
    """Shares, at least one, all above 0 and up to 1; they ascend, if that is asked."""
    found = numbers(values, name)
    in_order = not ascending or all(a < b for a, b in pairwise(found))
    if not found or not all(0 < share <= 1 for share in found) or not in_order:
        wanted = "ascending numbers" if ascending else "numbers"
        raise InputError(f"{name} {found}: give {wanted} above 0 and up to 1")
    return found


def expect(value: Any, kinds: type[Kind] | tuple[type[Kind], ...], name: str, wanted: str) -> Kind:
    """``value``, if it is of one of these classes; else InputError that says what is ``wanted``."""
    if not isinstance(value, kinds):
        raise InputError(f"{name} is {shown(value)}; give {wanted}")
    return value


def one_or_more(
    values: Any, kind: type[Kind] | tuple[Any, ...], name: str, wanted: str
) -> list[Kind]:
    """Objects of a class as a list; a single one is a list of one.

    Raises InputError, that says what is ``wanted``, when there is none, or one of another class.
    """
    if isinstance(values, kind):
        return [values]
    if not _is_collection(values):
        raise InputError(f"{name}: {shown(values)}; give {wanted}")
    found = list(values)
    for value in found:
        expect(value, kind, f"one of the {name}", wanted)
    if not found:
        raise InputError(f"no {name}; give at least one")
    return found


def as_path(value: Any, name: str = "path") -> Path:
    """A path as a Path; InputError for all else, and for what cannot be the name of a file."""
    if not isinstance(value, str | PathLike):
        raise InputError(f"{name} is {shown(value)}; give the path of a file, as a string or Path")
    path = Path(value)
    try:
        path.lstat()
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno == ENAMETOOLONG:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise InputError(
                f"{str(path)[:80]!r}: not a file name ({reason}); check the path"
            ) from None
    return path


def expect_function(value: Any, name: str, wanted: str) -> Callable[..., Any]:
    """Raise InputError unless a value can be called."""
    if not callable(value):
        raise InputError(f"{name} is {shown(value)}; give {wanted}")
    return value


def strings(values: Any, name: str) -> list[str]:
    """Several strings as a list; InputError for one string, and for all else."""
    if isinstance(values, str | bytes):
        raise InputError(f"{name} are one string, {shown(values)}; give a list of strings")
    if not _is_collection(values):
        raise InputError(f"{name}: {shown(values)}; give a list of strings")
    found = list(values)
    for number, value in enumerate(found):
        if not isinstance(value, str):
            raise InputError(f"{name}: number {number} is {shown(value)}; give strings")
    return found


def as_python(values: Iterable[Any]) -> list[Any]:
    """Values as Python has them, such as numbers of numpy."""
    return [value.item() if _is_scalar(value) else value for value in values]


def shown(value: Any) -> str:
    """A value in a message: short ones as they are, others by what they are; always one line."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    if _is_scalar(value):
        return f"{value.item()!r}"
    name = type(value).__name__
    kind = f"an {name}" if name[0] in "aeioAEIO" or name == "ndarray" else f"a {name}"
    shape = getattr(value, "shape", None)
    return f"{kind} of shape {tuple(shape)}" if isinstance(shape, tuple) else kind


def _is_collection(value: Any) -> bool:
    """Whether it is several values: no text, no dict, no array of one number."""
    is_text = isinstance(value, str | bytes | Mapping)
    return isinstance(value, Iterable) and not is_text and getattr(value, "ndim", 1) != 0


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or (_is_scalar(value) and isinstance(value.item(), bool))


def _is_scalar(value: Any) -> bool:
    """Whether it is one number of numpy or torch."""
    return getattr(value, "ndim", None) == 0 and hasattr(value, "item")
