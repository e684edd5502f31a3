"""How well a property is read from every layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurox_lite.results.saving import read_result, write_result
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

KIND = "layer scores"


@dataclass(frozen=True)
class LayerScores:
    """Test score of a probe of every layer alone, and of every layer with all before it.

    Sequences have one entry per layer. ``metric`` is accuracy, or R2 of a regression;
    ``baseline`` is the score without any neuron. ``converged`` is False when one of the probes did
    not converge.
    """

    metric: str
    layers: tuple[int, ...]
    separate: tuple[float, ...]
    cumulative: tuple[float, ...]
    baseline: float
    converged: bool

    __repr__ = short_repr

    def __str__(self) -> str:
        best = max(range(len(self.layers)), key=lambda place: self.separate[place])
        facts = {
            "best layer": f"{self.layers[best]} ({self.separate[best]:.4g})",
            "all together": self.cumulative[-1],
            "no neuron": self.baseline,
            "converged": self.converged,
        }
        return summary(f"LayerScores: {self.metric} of {len(self.layers)} layers", facts)

    def table(self) -> Table:
        """A header, and a row per layer."""
        rows = zip(self.layers, self.separate, self.cumulative, strict=True)
        header = ["layer", "separate", "cumulative", "baseline"]
        return [header, *([*row, self.baseline] for row in rows)]

    def to_pandas(self) -> pandas.DataFrame:
        """One row per layer."""
        return as_pandas(self.table())

    def plot(self, title: str | None = None) -> Figure:
        """Both scores by layer, and the baseline."""
        from neurox_lite.plotting.layers import plot_layer_scores

        return plot_layer_scores(self, title)

    def save(self, path: str | Path) -> None:
        """Write the scores as JSON, or under a name in ``.csv`` or ``.tex`` as a table."""
        write_result(path, KIND, self)

    @classmethod
    def load(cls, path: str | Path) -> LayerScores:
        """Read scores written by :meth:`save`.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """
        return read_result(path, KIND, cls)
