"""Learning curves: how many sentences does the probe need?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.activations.inputs import validate_inputs, validate_with_sentences
from neurox_lite.arguments import shares as checked_shares
from neurox_lite.arguments import whole_number
from neurox_lite.figures import Given, finish, log_scale, panels
from neurox_lite.metrics import accuracy
from neurox_lite.probing.nested_fits import fit_growing, nested_samples
from neurox_lite.probing.probe import ElasticNetProbe, expect_probe
from neurox_lite.progress import tqdm
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class LearningCurve(SavedResult):
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

    KIND = "learning curve"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

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

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Accuracy against the number of training words: mean and range over seeds."""
        axes = panels(ax, size=(5.2, 3.6))
        axis = axes[0]
        axis.plot(self.n_words, self.accuracy_mean, "o-", color="#0072b2")
        axis.fill_between(
            self.n_words, self.accuracy_low, self.accuracy_high, color="#0072b2", alpha=0.25
        )
        log_scale(axis, min(self.n_words), max(self.n_words))
        axis.set_xlabel("training words")
        axis.set_ylabel("test accuracy")
        axis.set_title(f"mean and range of {self.n_seeds} samples of sentences", fontsize=10)
        axis.grid(alpha=0.3)
        return finish(axes, ax, title)


TRAINING_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def learning_curve(
    probe: ElasticNetProbe,
    X: Any,
    y: Any = None,
    groups: Any = None,
    X_test: Any = None,
    y_test: Any = None,
    *,
    shares: Sequence[float] = TRAINING_SHARES,
    n_seeds: int = 3,
    seed: int = 0,
) -> LearningCurve:
    """Test accuracy of the probe fitted on growing shares of the training sentences.

    Probes are compared by how much data they need, besides how good they get (Voita & Titov
    2020). The samples of one seed are each within the next. A sample of one class only
    predicts that class.

    Parameters
    ----------
    probe : ElasticNetProbe
        Its parameters are used; it need not be fitted, which saves the last fit most of its time,
        and is not changed.
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
        Training data; an array, a tensor or a store's matrix.
    groups : (n,) array-like, optional
        Number of each row's sentence; by default the ``sentences`` of LabelledActivations.
    X_test, y_test : (n_test, n_neurons) array-like and (n_test,) labels, or LabelledActivations
    shares : sequence of float
        Shares of the training rows, ascending, rounded up to whole sentences.
    n_seeds : int
        How many samples of each share.
    seed : int
        Of the first samples; the others have the numbers after it.

    Raises
    ------
    InputError
        When shares do not ascend between 0 and 1, ``n_seeds`` is below 1, shapes differ, a row has
        no label, or an activation is NaN or infinite.
    """
    expect_probe(probe)
    train = validate_with_sentences(X, y, groups)
    test = validate_inputs(X_test, y_test, "test", like=train)
    shares = checked_shares(shares, ascending=True)
    n_seeds, seed = whole_number(n_seeds, "n_seeds", least=1), validate_seed(seed)
    accuracies = np.empty((n_seeds, len(shares)))
    n_words = np.empty((n_seeds, len(shares)))
    converged = True
    with tqdm(
        desc="learning curve", total=accuracies.size, unit="probe", disable=None, delay=2
    ) as progress:
        for number in range(n_seeds):
            samples = nested_samples(train.sentences, shares, seed + number)
            n_words[number] = [len(sample) for sample in samples]
            if number and len(samples[-1]) == len(train):  # all words, for every seed
                accuracies[number, -1] = accuracies[0, -1]
                samples.pop()
            for place, fitted in enumerate(fit_growing(probe, train, samples)):
                if fitted is None:
                    predicted = np.full(len(test), train.y[samples[place][0]])
                else:
                    predicted = fitted.predict(test.X)
                    converged = converged and fitted.certificate_.converged
                accuracies[number, place] = accuracy(test.y, predicted)
                progress.update()
    return LearningCurve(
        shares=shares,
        n_words=tuple(n_words.mean(0).tolist()),
        accuracy_mean=tuple(accuracies.mean(0).tolist()),
        accuracy_low=tuple(accuracies.min(0).tolist()),
        accuracy_high=tuple(accuracies.max(0).tolist()),
        n_seeds=n_seeds,
        converged=converged,
    )
