"""Regular expressions from a user, which match whole words."""

from __future__ import annotations

import re

from neurox_lite.arguments import expect
from neurox_lite.errors import InputError


def whole_word(pattern: str, where: str) -> re.Pattern[str]:
    """Compile a pattern, to be used with ``fullmatch``.

    Raises InputError, which begins with ``where``, when it is not a regular expression.
    """
    expect(pattern, str, where, "a regular expression, as a string")
    try:
        return re.compile(pattern)
    except re.error as error:
        raise InputError(
            f"{where}: '{pattern}' is not a regular expression ({error}); correct it"
        ) from error
