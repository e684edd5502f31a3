"""Selectivity: what a probe reads from the activations and not from its memory of words."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from neurox_lite.metrics import accuracy
from neurox_lite.probing.control import control_labels
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results import Selectivity


def selectivity(
    probe: ElasticNetProbe,
    X_train: Any,
    y_train: np.ndarray,
    words_train: list[str],
    X_test: Any,
    y_test: np.ndarray,
    words_test: list[str],
    *,
    seed: int = 0,
) -> Selectivity:
    """Task accuracy minus the accuracy of the same probe on a control task (Hewitt & Liang 2019).

    Every word type gets one random label, the same in train and test, drawn from the label
    distribution of the training words.

    Parameters
    ----------
    probe : ElasticNetProbe
        Fitted on the task; a clone of it is fitted on the control task.
    X_train, X_test : (n, n_neurons) array-likes
    y_train, y_test : (n,) arrays
    words_train, words_test : lists of str
        The words of the rows.
    seed : int
    """
    control = control_labels([*words_train, *words_test], y_train, seed)
    control_train, control_test = control[: len(y_train)], control[len(y_train) :]
    with warnings.catch_warnings():
        # Said in the result: a control task that is hard to fit is no reason to act.
        warnings.simplefilter("ignore", ConvergenceWarning)
        control_probe = clone(probe).fit(X_train, control_train)
    return Selectivity(
        task_accuracy=accuracy(y_test, probe.predict(X_test)),
        control_accuracy=accuracy(control_test, control_probe.predict(X_test)),
        n_word_types=len({*words_train, *words_test}),
        control_converged=control_probe.certificate_.converged,
    )
