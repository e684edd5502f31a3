"""Learning curves: how many sentences does the probe need?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from neurox_lite.activations.arrays import checked_activations
from neurox_lite.arguments import shares as checked_shares
from neurox_lite.arguments import whole_number
from neurox_lite.labels import checked_labels
from neurox_lite.metrics import accuracy
from neurox_lite.probing.growing import fit_growing
from neurox_lite.probing.probe import ElasticNetProbe, expect_probe
from neurox_lite.probing.sentences import nested_samples
from neurox_lite.results import LearningCurve
from neurox_lite.seeds import checked_seed

TRAINING_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def learning_curve(
    probe: ElasticNetProbe,
    X: Any,
    y: np.ndarray,
    groups: Any,
    X_test: Any,
    y_test: np.ndarray,
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
        Its parameters are used; it need not be fitted and is not changed.
    X, y : (n, n_neurons) array-like and (n,) labels
        Training data; an array, a tensor or a store's matrix.
    groups : (n,) array-like
        Number of each training row's sentence, such as ``LabelledActivations.sentences``.
    X_test, y_test : (n_test, n_neurons) array-like and (n_test,) labels
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
    X, X_test = checked_activations(X), checked_activations(X_test, "X_test")
    y = checked_labels(y, X.shape[0])
    y_test = checked_labels(y_test, X_test.shape[0], name="y_test", like=y)
    shares = checked_shares(shares, ascending=True)
    n_seeds, seed = whole_number(n_seeds, "n_seeds", least=1), checked_seed(seed)
    accuracies = np.empty((n_seeds, len(shares)))
    n_words = np.empty((n_seeds, len(shares)))
    converged = True
    with tqdm(
        desc="learning curve", total=accuracies.size, unit="probe", disable=None, delay=2
    ) as progress:
        for number in range(n_seeds):
            samples = nested_samples(groups, shares, len(y), seed + number)
            n_words[number] = [len(sample) for sample in samples]
            if number and len(samples[-1]) == len(y):  # all words, for every seed
                accuracies[number, -1] = accuracies[0, -1]
                samples.pop()
            for place, fitted in enumerate(fit_growing(probe, X, y, samples)):
                if fitted is None:
                    predicted = np.full(len(y_test), y[samples[place][0]])
                else:
                    predicted = fitted.predict(X_test)
                    converged = converged and fitted.certificate_.converged
                accuracies[number, place] = accuracy(y_test, predicted)
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
