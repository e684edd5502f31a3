"""Steering curves: how many neurons turn what a model predicts, and what else that changes."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurox_lite.files import write_text
from neurox_lite.results.saving import read_result, write_result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KIND = "steering curves"
MEASURES = ("success", "log_odds", "kl", "perplexity")
SETS = ("top", "bottom", "random_mean", "random_low", "random_high")


@dataclass(frozen=True)
class SteeredMeasure:
    """One number of the intact model, and of models with ever more neurons steered.

    All sequences have one entry per count. ``random_low`` and ``random_high`` are the minimum and
    maximum over random sets.
    """

    intact: float
    top: tuple[float, ...]
    bottom: tuple[float, ...]
    random_mean: tuple[float, ...]
    random_low: tuple[float, ...]
    random_high: tuple[float, ...]


@dataclass(frozen=True)
class SteeringCurve:
    """What steering the first neurons of a ranking does.

    Attributes
    ----------
    method : str
        Of the ranking.
    mode : {"set", "translate"}
    strength : float or None
        The coefficient of the first neuron that is translated.
    positions : str
        Where neurons are steered in the pairs: "all", "last" or the number of a word.
    n_neurons : int
    n_pairs, n_left_out : int
        Pairs steered, and those left out since the intact model gets them wrong.
    counts : tuple of int
        How many neurons are steered.
    success : SteeredMeasure
        Share of the pairs whose other word is the more probable one.
    log_odds : SteeredMeasure
        Mean of log p(right) - log p(wrong), in nats.
    kl, perplexity : SteeredMeasure or None
        On other text: mean of KL(p || p~) per token from the intact model, in nats, and perplexity.
    """

    method: str
    mode: str
    strength: float | None
    positions: str
    n_neurons: int
    n_pairs: int
    n_left_out: int
    counts: tuple[int, ...]
    success: SteeredMeasure
    log_odds: SteeredMeasure
    kl: SteeredMeasure | None = None
    perplexity: SteeredMeasure | None = None

    def fewest(self, success: float = 0.5) -> int | None:
        """The least count of top neurons that turns so many of the pairs; None where none does."""
        turned = zip(self.counts, self.success.top, strict=True)
        return next((k for k, share in turned if share >= success), None)


@dataclass(frozen=True)
class SteeringCurves:
    """One curve per ranking, of the same pairs, counts and random sets."""

    curves: tuple[SteeringCurve, ...]

    def table(self) -> list[list[Any]]:
        """A header, and a row per ranking, set of neurons and count.

        Cells of what was not measured are empty.
        """
        rows: list[list[Any]] = [["method", "neurons", "count", *MEASURES]]
        for curve in self.curves:
            measures = [getattr(curve, name) for name in MEASURES]
            intact = ["" if measure is None else measure.intact for measure in measures]
            rows.append([curve.method, "none", 0, *intact])
            for neurons in SETS:
                for place, count in enumerate(curve.counts):
                    values = ["" if m is None else getattr(m, neurons)[place] for m in measures]
                    rows.append([curve.method, neurons, count, *values])
        return rows

    def plot(self) -> Figure:
        """Success over the number of neurons, and KL below it; one column per ranking."""
        from neurox_lite.plotting.steering import plot_steering

        return plot_steering(self)

    def save(self, path: str | Path) -> None:
        """Write the curves as JSON, or under a name that ends in ``.csv`` as a table."""
        if Path(path).suffix == ".csv":
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(self.table())
            write_text(path, text.getvalue())
        else:
            write_result(path, KIND, self)

    @classmethod
    def load(cls, path: str | Path) -> SteeringCurves:
        """Read curves written as JSON by :meth:`save`.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """
        return read_result(path, KIND, lambda curves: cls(tuple(map(_curve, curves))))


def _curve(fields: dict[str, Any]) -> SteeringCurve:
    measures = {
        name: None if fields[name] is None else SteeredMeasure(**fields[name]) for name in MEASURES
    }
    return SteeringCurve(**{**fields, **measures})
