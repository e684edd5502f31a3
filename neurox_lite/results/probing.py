"""What is found out with probes beside their weights."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Selectivity:
    """Accuracy of a probe on its task and on a control task (Hewitt & Liang 2019)."""

    task_accuracy: float
    control_accuracy: float
    n_word_types: int
    control_converged: bool

    @property
    def selectivity(self) -> float:
        """Task accuracy minus control accuracy."""
        return self.task_accuracy - self.control_accuracy


@dataclass(frozen=True)
class MinimalSet:
    """The smallest share of a ranking on which a retrained probe is as good as the full one.

    ``columns`` is None when no share tried came within ``delta``; ``accuracies`` has one entry per
    share tried; ``converged`` is False when one of the probes behind them did not converge.
    """

    method: str
    delta: float
    full_accuracy: float
    shares: tuple[float, ...]
    accuracies: tuple[float, ...]
    columns: tuple[int, ...] | None
    converged: bool

    @property
    def share(self) -> float | None:
        """The share found; None when there is none."""
        return self.shares[-1] if self.columns is not None else None
