"""What is found out with probes beside their weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurox_lite.results.saving import read_result, write_result
from neurox_lite.results.tables import Table, as_pandas, one_row
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

ONLINE_CODE = "online code"
LEARNING_CURVE = "learning curve"


@dataclass(frozen=True)
class Interval:
    """An estimate, and where it would fall with other sentences."""

    value: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """False where the interval of a share is 0 to 1: of a single sentence."""
        return (self.low, self.high) != (0, 1)

    def table(self) -> Table:
        """A header and one row."""
        return one_row(self)

    def to_pandas(self) -> pandas.DataFrame:
        """One row."""
        return as_pandas(self.table())

    def __str__(self) -> str:
        if not self.is_known:
            return f"{self.value:.4g} (not known: one sentence, or too few)"
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


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

    __repr__ = short_repr

    def __str__(self) -> str:
        facts = {
            "bits": self.codelength,
            "uniform code": self.uniform_codelength,
            "compression": self.compression,
            "converged": self.converged,
        }
        return summary(f"OnlineCode of {self.block_ends[-1]} labels", facts)

    def table(self) -> Table:
        """A header, and a row per block."""
        rows = zip(self.block_ends, self.block_bits, strict=True)
        return [["block_end", "bits"], *map(list, rows)]

    def to_pandas(self) -> pandas.DataFrame:
        """One row per block."""
        return as_pandas(self.table())

    @property
    def compression(self) -> float:
        """Uniform codelength over codelength; 1 where activations tell nothing."""
        return self.uniform_codelength / self.codelength

    def save(self, path: str | Path) -> None:
        """Write the code lengths as JSON, or under a name in ``.csv`` or ``.tex`` as a table."""
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

    __repr__ = short_repr

    def __str__(self) -> str:
        rows = zip(self.shares, self.n_words, self.accuracy_mean, strict=True)
        said = [f"{100 * share:g} % ({words:.0f} words) {a:.4g}" for share, words, a in rows]
        facts = {"samples of each": self.n_seeds, "converged": self.converged}
        lines = said if len(said) <= 4 else [*said[:2], "...", said[-1]]
        return summary("LearningCurve: test accuracy by share of train", facts, lines)

    def table(self) -> Table:
        """A header, and a row per share."""
        names = ["shares", "n_words", "accuracy_mean", "accuracy_low", "accuracy_high"]
        rows = zip(*(getattr(self, name) for name in names), strict=True)
        return [["share", *names[1:]], *map(list, rows)]

    def to_pandas(self) -> pandas.DataFrame:
        """One row per share."""
        return as_pandas(self.table())

    def plot(self, title: str | None = None) -> Figure:
        """Accuracy against the number of training words."""
        from neurox_lite.plotting.learning_curve import plot_learning_curve

        return plot_learning_curve(self, title)

    def save(self, path: str | Path) -> None:
        """Write the curve as JSON, or under a name in ``.csv`` or ``.tex`` as a table."""
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

    __repr__ = short_repr

    def __str__(self) -> str:
        facts = {
            "task": self.task_accuracy,
            "control": self.control_accuracy,
            "word types": self.n_word_types,
            "control converged": self.control_converged,
        }
        return summary(f"Selectivity {self.selectivity:.4g}", facts)

    def table(self) -> Table:
        """A header and one row."""
        return one_row(self, selectivity=self.selectivity)

    def to_pandas(self) -> pandas.DataFrame:
        """One row."""
        return as_pandas(self.table())

    @property
    def selectivity(self) -> float:
        """Task accuracy minus control accuracy."""
        return self.task_accuracy - self.control_accuracy


@dataclass(frozen=True)
class MinimalSet:
    """The smallest share of a ranking on which a retrained probe is as good as the full one.

    Accuracies are of the words that the share is chosen on (dev), the first to come within
    ``delta``: of other words the set may do a little worse. ``columns`` is None when no share tried
    did; ``accuracies`` has one entry per share tried; ``converged`` is False when one of the probes
    behind them did not converge.
    """

    method: str
    delta: float
    full_accuracy: float
    shares: tuple[float, ...]
    accuracies: tuple[float, ...]
    columns: tuple[int, ...] | None
    converged: bool

    __repr__ = short_repr

    def __str__(self) -> str:
        found = "no share is enough"
        if self.columns is not None and self.accuracies:
            found = f"{len(self.columns)} neurons reach {self.accuracies[-1]:.4g}"
        facts = {
            "all neurons": self.full_accuracy,
            "delta": self.delta,
            "converged": self.converged,
        }
        return summary(f"MinimalSet of {self.method}: {found}", facts)

    def table(self) -> Table:
        """A header, and a row per share tried."""
        rows = zip(self.shares, self.accuracies, strict=False)
        header = ["method", "share", "accuracy", "full_accuracy", "delta"]
        return [header, *([self.method, *row, self.full_accuracy, self.delta] for row in rows)]

    def to_pandas(self) -> pandas.DataFrame:
        """One row per share tried."""
        return as_pandas(self.table())

    @property
    def share(self) -> float | None:
        """The share found; None when there is none."""
        return self.shares[-1] if self.columns is not None else None
