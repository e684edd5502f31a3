"""Seeds of everything random: whole numbers from 0."""

from __future__ import annotations

from typing import SupportsIndex

from neurox_lite.arguments import whole_number
from neurox_lite.errors import InputError


def validate_seed(seed: SupportsIndex, name: str = "seed") -> int:
    """The seed as an int; raises InputError unless it is a whole number from 0."""
    number = whole_number(seed, name)
    if number < 0:
        raise InputError(f"{name} is {number}; give a whole number from 0")
    return number
