"""Ablation curves: what is lost when neurons are removed, in the order of a ranking."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.results.saving import read_result, write_result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KIND = "ablation curves"


@dataclass(frozen=True)
class AblationCurve:
    """How well a property is predicted from a growing share of a ranking's neurons.

    All sequences have one entry per share. ``random_low`` and ``random_high`` are the minimum and
    maximum over seeds of keeping random neurons only. ``converged`` is False when a probe behind
    the curve did not converge. In a running model, removing the bottom and random neurons is
    measured, too; on activations these are empty.
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
    remove_bottom: tuple[float, ...] = ()
    remove_random_mean: tuple[float, ...] = ()
    remove_random_low: tuple[float, ...] = ()
    remove_random_high: tuple[float, ...] = ()

    @property
    def area_below_random(self) -> float:
        """Mean over shares of remove-random minus remove-top; negative where less is better.

        Raises
        ------
        InputError
            When random neurons were not removed.
        """
        if not self.remove_random_mean:
            raise InputError(
                f"'{self.method}': no random neurons were removed; ablate in the model"
            )
        return float(np.mean(np.subtract(self.remove_random_mean, self.remove_top)))

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
