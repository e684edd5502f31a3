"""Control tasks: would a probe do as well if the labels meant nothing? (Hewitt & Liang 2019)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.arguments import expect, strings, whole_number
from neurox_lite.errors import InputError
from neurox_lite.figures import Given, finish, panels
from neurox_lite.labels import validate_labels
from neurox_lite.metrics import accuracy
from neurox_lite.probing.linear import require_fitted
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.side_by_side import REFIT_TOL
from neurox_lite.progress import tqdm
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, one_row
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, summary
from neurox_lite.tasks import task_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Selectivity(SavedResult):
    """Accuracy of a probe on its task and on a control task (Hewitt & Liang 2019).

    ``control_accuracy`` is the mean of ``control_accuracies``, one per random labelling.
    """

    task_accuracy: float
    control_accuracy: float
    n_word_types: int
    control_converged: bool
    control_accuracies: tuple[float, ...] = ()

    KIND = "control task"
    DERIVED = ("selectivity",)
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

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

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Two bars, the task and the mean of the control tasks, each of which is a dot."""
        axes = panels(ax, size=(5.2, 1.9))
        axis = axes[0]
        values = (self.task_accuracy, self.control_accuracy)
        names = [
            f"{name}  {value:.3f}"
            for name, value in zip(("task", "control task"), values, strict=True)
        ]
        axis.barh(names, values, color=["#0072b2", "0.6"])
        for each in self.control_accuracies:
            axis.plot(each, 1, "o", color="black", markersize=3)
        axis.set_xlim(0, 1)
        axis.set_ylim(1.5, -0.5)
        axis.set_xlabel("test accuracy")
        axis.set_title(f"selectivity {self.selectivity:.3f}", fontsize=10)
        return finish(axes, ax, title)

    @property
    def selectivity(self) -> float:
        """Task accuracy minus control accuracy."""
        return self.task_accuracy - self.control_accuracy


def control_labels(words: Sequence[str], task_labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Give every word type one random label, drawn from the distribution of ``task_labels``.

    A probe can only learn such labels by memorising word types, so accuracy on the task minus
    accuracy on the control tells how much of it is not memory.

    Parameters
    ----------
    words : sequence of str
        Length n; equal strings are one type.
    task_labels : (m,) array
        The task's labels, usually those of the training words.
    seed : int

    Returns
    -------
    (n,) array
        Control labels; which type gets which does not depend on the order of the words.

    Raises
    ------
    InputError
        When a word is not a string or a row has no label.
    """
    words, task_labels = strings(words, "words"), validate_labels(task_labels, name="task_labels")
    if not len(task_labels):
        raise InputError("no task labels to draw from; give at least one")
    labels, counts = np.unique(task_labels, return_counts=True)
    types, type_of_word = np.unique(np.asarray(words, dtype=str), return_inverse=True)
    drawn = np.random.default_rng(validate_seed(seed)).choice(
        labels, len(types), p=counts / counts.sum()
    )
    return drawn[type_of_word]


def selectivity(
    probe: ElasticNetProbe,
    train: LabelledActivations,
    test: LabelledActivations,
    words: Sequence[str],
    *,
    n_seeds: int = 1,
    seed: int = 0,
    engine: str = "local",
) -> Selectivity:
    """Task accuracy minus the accuracy of the same probe on a control task (Hewitt & Liang 2019).

    Every word type gets one random label, the same in train and test, drawn from the label
    distribution of the training words.

    Parameters
    ----------
    probe : ElasticNetProbe
        Fitted on ``train``; a clone of it is fitted on the control task, to a certificate of 1e-3.
    train, test : LabelledActivations
    words : sequence of str
        The word of every row of the store; length n_words.
    n_seeds : int
        Number of control tasks; their accuracy is the mean.
    seed : int
        Of the first control task; the others have the numbers after it.
    engine : {"local", "ray"}
        ``ray`` fits every control task in a task of a Ray cluster, on one core.

    Raises
    ------
    InputError
        When the probe is not fitted, ``n_seeds`` is below 1, or a row has no word.
    """
    require_fitted(probe, ElasticNetProbe)
    for part, name in ((train, "train"), (test, "test")):
        expect(part, LabelledActivations, name, "one split of labelled_splits(store, corpus, tag)")
    words = strings(words, "words")
    n_seeds, seed = whole_number(n_seeds, "n_seeds", least=1), validate_seed(seed)
    if len(words) <= max(train.rows.max(), test.rows.max()):
        raise InputError(
            f"{len(words)} words for more rows; give those of the corpus: corpus.words()"
        )
    words_train = [words[row] for row in train.rows.tolist()]
    words_test = [words[row] for row in test.rows.tolist()]

    def fit(seed: int) -> tuple[float, bool]:
        control = control_labels([*words_train, *words_test], train.y, seed)
        control_train, control_test = control[: len(train.y)], control[len(train.y) :]
        predicted, converged = _fit_control(probe, train.X, control_train, test.X)
        return accuracy(control_test, predicted), converged

    accuracies, converged = [], True
    progress = tqdm(total=n_seeds, desc="control", unit="probe", disable=None, delay=2)
    with task_map(engine) as run, progress:
        for found, is_converged in run(fit, range(seed, seed + n_seeds)):
            accuracies.append(found)
            converged = converged and is_converged
            progress.update()
    return Selectivity(
        task_accuracy=accuracy(test.y, probe.predict(test.X)),
        control_accuracy=float(np.mean(accuracies)),
        n_word_types=len({*words_train, *words_test}),
        control_converged=converged,
        control_accuracies=tuple(accuracies),
    )


def _fit_control(
    probe: ElasticNetProbe, X_train: Any, y_train: np.ndarray, X_test: Any
) -> tuple[np.ndarray, bool]:
    """Predictions of a clone of the probe fitted on control labels, and whether it converged."""
    if len(np.unique(y_train)) == 1:  # few word types can all draw the same label
        return np.full(len(X_test), y_train[0]), True
    fitted = clone(probe).set_params(tol=max(probe.tol, REFIT_TOL)).fit(X_train, y_train)
    return fitted.predict(X_test), fitted.certificate_.converged
