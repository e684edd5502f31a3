"""Results as JSON: one object that says what kind of result it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from neurox_lite.errors import InputError
from neurox_lite.json_files import open_json, write_json
from neurox_lite.results.tables import is_table_name, write_table

Result = TypeVar("Result")


class SavedResult:
    """A dataclass that is saved as JSON or as its ``table()``, and read again."""

    KIND: ClassVar[str]
    """What its file says it is."""

    DERIVED: ClassVar[tuple[str, ...]] = ()
    """Properties that its file has, too, for whoever reads it without this package."""

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, or under a name in ``.csv`` or ``.tex`` the table."""
        write_result(path, self.KIND, self)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote as JSON.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """
        return read_result(
            path, cls.KIND, lambda **fields: cls(**cls.from_json(_own(fields, cls.DERIVED)))
        )

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        """The fields of the class from those of the file, which has no objects in them."""
        return fields


def _own(fields: dict[str, Any], derived: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in derived}


def write_result(path: str | Path, kind: str, result: Any) -> None:
    """Write a dataclass as JSON, or its table under a name in ``.csv`` or ``.tex``."""
    if is_table_name(path):
        write_table(path, result.table())
        return
    derived = {name: getattr(result, name) for name in getattr(result, "DERIVED", ())}
    write_json(path, {"kind": kind, **asdict(result), **derived})


def read_result(path: str | Path, kind: str, build: Callable[..., Result]) -> Result:
    """Read what :func:`write_result` wrote.

    Parameters
    ----------
    path : path
    kind : str
    build : function
        Takes the fields as keywords, lists as tuples; usually the class of the result.

    Raises
    ------
    InputError
        When the file is missing, is not JSON, holds something else or lacks a field.
    """
    with open_json(path) as data:
        if not isinstance(data, dict) or data.pop("kind", None) != kind:
            raise InputError(f"{path}: not a result of the kind '{kind}'; make it again")
        try:
            return build(**_as_tuples(data))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path}: the {kind} cannot be read ({error}); make it again"
            ) from None


def _as_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_as_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _as_tuples(item) for key, item in value.items()}
    return value
