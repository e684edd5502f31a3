"""Ablation curves: what is lost when neurons are removed, in the order of a ranking."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurox_lite.results.saving import read_result, write_result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KIND = "ablation curves"


@dataclass(frozen=True)
class AblationCurve:
    """How well a property is predicted from a growing share of a ranking's neurons.

    All sequences have one entry per share. ``random_low`` and ``random_high`` are the minimum and
    maximum over seeds. ``converged`` is False when a probe behind the curve did not converge.
    """

    method: str
    retrained: bool
    replacement: str
    metric: str
    n_neurons: int
    intact: float
    shares: tuple[float, ...]
    counts: tuple[int, ...]
    keep_top: tuple[float, ...]
    remove_top: tuple[float, ...]
    keep_bottom: tuple[float, ...]
    random_mean: tuple[float, ...]
    random_low: tuple[float, ...]
    random_high: tuple[float, ...]
    converged: bool

    @property
    def area_above_random(self) -> float:
        """Mean over shares of keep-top minus the mean of random; 0 for a random ranking."""
        return float(np.mean(np.subtract(self.keep_top, self.random_mean)))


@dataclass(frozen=True)
class AblationCurves:
    """One curve per ranking and way of evaluating, on the same shares and the same random sets."""

    curves: tuple[AblationCurve, ...]

    def plot(self) -> Figure:
        """The curves beside random and bottom, one panel per ranking and way of evaluating."""
        from neurox_lite.plotting.ablation import plot_ablation

        return plot_ablation(self)

    def save(self, path: str | Path) -> None:
        """Write the curves as JSON."""
        write_result(path, KIND, self)

    @classmethod
    def load(cls, path: str | Path) -> AblationCurves:
        """Read curves written by :meth:`save`.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """
        return read_result(
            path, KIND, lambda curves: cls(tuple(AblationCurve(**curve) for curve in curves))
        )
