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

An option that is an argument of a function has its name as a field, whatever its flag: messages of
that function name the argument, and those of the command the flag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter, Signature
from typing import Any, get_args, get_type_hints

from neurox_lite.errors import InputError

ARGUMENT = re.compile(
    r"^(?P<before>one of the )?(?P<first>[a-z]\w*)(?= is | are | applies | \()|"
    r"(?<![\w./'\"(-])(?P<inside>[a-z]+(_[a-z0-9]+)+)(?![\w./'\")-])"
)
"""The first word of a message, if it is what is wrong; or any that can be no word of English, but
in brackets, where shapes stand."""


def as_function(command: type) -> Callable[..., None]:
    """The function of a command that typer can read; it makes the dataclass and executes it."""
    parameters = list(_parameters(command))
    flags = dict(_flags(parameters))

    def function(**given: Any) -> None:
        try:
            _make(command, given).execute()
        except InputError as error:
            # In a job file arguments have their own names.
            said = in_options(str(error), {} if given.get("job") else flags)
            if said == str(error):
                raise
            raise InputError(said) from error

    function.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {option.name: option.annotation for option in parameters}
    function.__doc__, function.__module__ = command.__doc__, command.__module__
    return function


def in_options(message: str, flags: Mapping[str, str]) -> str:
    """``n_resamples is -1; give ...`` -> ``--resamples is -1; give ...``."""

    def named(found: re.Match[str]) -> str:
        flag = flags.get(found["first"] or found["inside"])
        return found[0] if flag is None or flag in message else (found["before"] or "") + flag

    return ARGUMENT.sub(named, message)


def _flags(options: list[Parameter]) -> Iterator[tuple[str, str]]:
    for option in options:
        for declared in get_args(option.annotation)[1:]:
            # In an annotation typer has the first name in the place of the default.
            others = getattr(declared, "param_decls", None) or ()
            names = map(str, (getattr(declared, "default", None), *others))
            flags = [name.partition("/")[0] for name in names if name.startswith("-")]
            if flags:
                yield option.name, max(flags, key=len)


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
