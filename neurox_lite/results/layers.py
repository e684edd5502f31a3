"""How well a property is read from every layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurox_lite.results.saving import read_result, write_result

if TYPE_CHECKING:
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

    def plot(self) -> Figure:
        """Both scores by layer, and the baseline."""
        from neurox_lite.plotting.layers import plot_layer_scores

        return plot_layer_scores(self)

    def save(self, path: str | Path) -> None:
        """Write the scores as JSON."""
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
