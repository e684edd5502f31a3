"""What is said when a name is none of those it can be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from neurox_lite.errors import InputError

MOST_LISTED = 20
HELP = "docs/troubleshooting.md"


def unknown_choice(what: str, given: object, known: Iterable[object], also: str = "") -> InputError:
    """The error to raise for ``given``, a ``what`` that is not among ``known``.

    Parameters
    ----------
    what : str
        As ``"site"``.
    given : object
    known : iterable
    also : str
        What else there is to use, as ``"or a ranking"``.
    """
    names = list(known)
    several = " or ".join(map(str, names)) if len(names) == 2 and not also else listed(names)
    return InputError(
        f"unknown {what} '{given}'; use {several}{also and f' {also}'}{did_you_mean(given, names)}"
    )


def did_you_mean(given: object, known: Iterable[object]) -> str:
    """``"; did you mean 'mlp'? See ..."`` when one of the known names is close, else nothing."""
    by_form = {_form(name): str(name) for name in known}
    close = difflib.get_close_matches(_form(given), by_form, n=1)
    return f"; did you mean '{by_form[close[0]]}'? See {HELP}" if close else ""


def listed(names: Iterable[object]) -> str:
    """``a, b, c``; of many the first, and how many there are."""
    first = [str(name) for name in names]
    if len(first) > MOST_LISTED:
        return f"{', '.join(first[:MOST_LISTED])}, ... ({len(first)} in all)"
    return ", ".join(first)


def _form(name: object) -> str:
    """Upper and lower case, - and _ make no difference."""
    return str(name).casefold().replace("_", "-")
