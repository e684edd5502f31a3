"""What is found out with probes beside their weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurox_lite.results.saving import read_result, write_result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ONLINE_CODE = "online code"
LEARNING_CURVE = "learning curve"


@dataclass(frozen=True)
class Interval:
    """An estimate, and where it would fall with other sentences."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class OnlineCode:
    """Length in bits of the labels given the activations (Voita & Titov 2020).

    ``block_ends`` are the numbers of rows coded after each block, and ``block_bits`` what each
    took; ``uniform_codelength`` is n log2 C. ``converged`` is False when one of the probes behind
    the code did not converge.
    """

    codelength: float
    uniform_codelength: float
    block_ends: tuple[int, ...]
    block_bits: tuple[float, ...]
    converged: bool

    @property
    def compression(self) -> float:
        """Uniform codelength over codelength; 1 where activations tell nothing."""
        return self.uniform_codelength / self.codelength

    def save(self, path: str | Path) -> None:
        """Write the code lengths as JSON."""
        write_result(path, ONLINE_CODE, self)

    @classmethod
    def load(cls, path: str | Path) -> OnlineCode:
        """Read code lengths written by :meth:`save`.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """
        return read_result(path, ONLINE_CODE, cls)


@dataclass(frozen=True)
class LearningCurve:
    """Test accuracy of a probe fitted on growing shares of the training sentences.

    All sequences have one entry per share: ``n_words`` is the mean number of training words over
    seeds, ``accuracy_low`` and ``accuracy_high`` are the minimum and maximum over seeds.
    ``converged`` is False when one of the probes behind the curve did not converge.
    """

    shares: tuple[float, ...]
    n_words: tuple[float, ...]
    accuracy_mean: tuple[float, ...]
    accuracy_low: tuple[float, ...]
    accuracy_high: tuple[float, ...]
    n_seeds: int
    converged: bool

    def plot(self) -> Figure:
        """Accuracy against the number of training words."""
        from neurox_lite.plotting.learning_curve import plot_learning_curve

        return plot_learning_curve(self)

    def save(self, path: str | Path) -> None:
        """Write the curve as JSON."""
        write_result(path, LEARNING_CURVE, self)

    @classmethod
    def load(cls, path: str | Path) -> LearningCurve:
        """Read a curve written by :meth:`save`.

        Raises
        ------
        InputError
            When the file is missing, damaged or holds something else.
        """
        return read_result(path, LEARNING_CURVE, cls)


@dataclass(frozen=True)
class Selectivity:
    """Accuracy of a probe on its task and on a control task (Hewitt & Liang 2019).

    ``control_accuracy`` is the mean of ``control_accuracies``, one per random labelling.
    """

    task_accuracy: float
    control_accuracy: float
    n_word_types: int
    control_converged: bool
    control_accuracies: tuple[float, ...] = ()

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
