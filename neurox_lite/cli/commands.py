"""A command is a dataclass: a field is an option, the docstring is its help, `execute` runs it.

A field that is a dataclass itself is a group of options that several commands take, declared once.
typer reads the signature of a function, so a command is flattened into one::

    @dataclass(frozen=True, kw_only=True)
    class WordOptions:
        words: Annotated[str | None, typer.Option("--words")] = None
        disjoint: Annotated[str | None, typer.Option("--disjoint")] = None

    @dataclass(frozen=True, kw_only=True)
    class Probe:
        store: Annotated[str, typer.Option("--store")]
        words: WordOptions

    as_function(Probe)        # def command(*, store, words=None, disjoint=None)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter, Signature
from typing import Any, get_type_hints


def as_function(command: type) -> Callable[..., None]:
    """The function of a command that typer can read; it makes the dataclass and executes it."""

    def function(**given: Any) -> None:
        _make(command, given).execute()

    parameters = list(_parameters(command))
    function.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {option.name: option.annotation for option in parameters}
    function.__doc__, function.__module__ = command.__doc__, command.__module__
    return function


def option_names(group: type) -> list[str]:
    """Names of all options of a group, those of groups inside of it too."""
    return [option.name for option in _parameters(group)]


def _parameters(group: type) -> Iterator[Parameter]:
    for name, (kind, default) in _fields(group).items():
        if is_dataclass(kind):
            yield from _parameters(kind)  # type: ignore[arg-type]
        else:
            default = Parameter.empty if default is MISSING else default
            yield Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _make(group: type, given: Mapping[str, Any]) -> Any:
    made = {
        name: _make(kind, given) if is_dataclass(kind) else given[name]  # type: ignore[arg-type]
        for name, (kind, _) in _fields(group).items()
    }
    return group(**made)


def _fields(group: type) -> dict[str, tuple[Any, Any]]:
    """Type and default of every field."""
    hints = get_type_hints(group, include_extras=True)
    return {field.name: (hints[field.name], field.default) for field in fields(group)}
