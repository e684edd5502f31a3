"""What a neuron mask does beside what it was made for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurox_lite.choices import did_you_mean, listed
from neurox_lite.errors import InputError
from neurox_lite.escaping import terminal
from neurox_lite.results.saving import read_result, write_result
from neurox_lite.results.tables import Table, as_pandas, one_row
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    import pandas

KIND = "side effects"


@dataclass(frozen=True)
class SideEffect:
    """One measure: of the intact model, with the mask, and with masks of random neurons.

    Attributes
    ----------
    metric : str
        ``KL``, ``perplexity``, ``pseudo-perplexity``, ``accuracy`` or ``choices changed``.
    data : str
        ``elsewhere in the pairs``, ``text``, or the name of a task.
    intact, masked : float
    random_mean, random_low, random_high : float
        Mean, lowest and highest over the random masks.
    """

    metric: str
    data: str
    intact: float
    masked: float
    random_mean: float
    random_low: float
    random_high: float

    def __str__(self) -> str:
        return terminal(
            f"{self.metric} of {self.data}: {self.intact:.4g} intact, {self.masked:.4g} with the "
            f"mask, {self.random_mean:.4g} with random masks"
        )

    def table(self) -> Table:
        """A header and one row."""
        return one_row(self)

    def to_pandas(self) -> pandas.DataFrame:
        """One row."""
        return as_pandas(self.table())


@dataclass(frozen=True)
class SideEffects:
    """Every measure of one mask, beside chance.

    Attributes
    ----------
    n_touched : int
        Neurons that the mask touches, and each random mask.
    n_random : int
        Number of random masks.
    measures : tuple of SideEffect
    """

    n_touched: int
    n_random: int
    measures: tuple[SideEffect, ...]

    __repr__ = short_repr

    def __str__(self) -> str:
        facts = {"neurons": self.n_touched, "random masks": self.n_random}
        return summary("SideEffects of a mask", facts, map(str, self.measures))

    def get(self, metric: str, data: str) -> SideEffect:
        """One measure.

        Raises
        ------
        InputError
            When it was not taken.
        """
        for measure in self.measures:
            if (measure.metric, measure.data) == (metric, data):
                return measure
        known = [f"{measure.metric} of {measure.data}" for measure in self.measures]
        raise InputError(
            f"no {metric} of {data}; there are {listed(known)}"
            f"{did_you_mean(f'{metric} of {data}', known)}"
        )

    def summary(self) -> dict[str, Any]:
        """The means per metric, JSON-ready; of tasks without the intact model's zeros."""
        found: dict[str, dict[str, float]] = {}
        for measure in self.measures:
            values = {"intact": measure.intact, "with the mask": measure.masked}
            for name, value in {**values, "with random masks": measure.random_mean}.items():
                if name != "intact" or measure.metric not in ("KL", "choices changed"):
                    row = found.setdefault(f"{measure.metric} {name}", {})
                    row[measure.data] = round(value, 6)
        return found

    def to_pandas(self) -> pandas.DataFrame:
        """One row per measure."""
        return as_pandas(self.table())

    def table(self) -> Table:
        """A header, and a row per measure."""
        rows = [measure.table() for measure in self.measures]
        return [[field.name for field in fields(SideEffect)], *(row for _, row in rows)]

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, or under a name in ``.csv`` or ``.tex`` as a table."""
        write_result(path, KIND, self)

    @classmethod
    def load(cls, path: str | Path) -> SideEffects:
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """
        return read_result(
            path,
            KIND,
            lambda measures, **rest: cls(
                measures=tuple(SideEffect(**measure) for measure in measures), **rest
            ),
        )
