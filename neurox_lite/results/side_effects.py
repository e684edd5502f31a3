"""What a neuron mask does beside what it was made for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurox_lite.choices import did_you_mean, listed
from neurox_lite.errors import InputError
from neurox_lite.results.saving import read_result, write_result

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
        import pandas

        return pandas.DataFrame([asdict(measure) for measure in self.measures])

    def save(self, path: str | Path) -> None:
        """Write everything as JSON."""
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
