"""An option of a method, as the rows of the tables of methods name it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MethodOption:
    """An option of a method, in Python and in the command.

    Attributes
    ----------
    name : str
        The parameter of the function.
    default : int, float or str
        Its default; of its type are all values.
    help : str
        One line, without a full stop.
    flag : str
        In the command; ``--name`` if not given.
    """

    name: str
    default: Any
    help: str
    flag: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "flag", self.flag or f"--{self.name.replace('_', '-')}")
