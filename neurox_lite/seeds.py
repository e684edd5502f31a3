"""Seeds of everything random: whole numbers from 0."""

from __future__ import annotations

from operator import index
from typing import SupportsIndex

from neurox_lite.errors import InputError


def checked_seed(seed: SupportsIndex) -> int:
    """The seed as an int, if it is a whole number from 0.

    Raises
    ------
    InputError
        Otherwise.
    """
    try:
        number = index(seed)
    except TypeError:
        number = -1
    if number < 0:
        raise InputError(f"seed is {seed}; give a whole number from 0")
    return number
