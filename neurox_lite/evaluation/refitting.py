"""Probes fitted again on some of the neurons."""

from __future__ import annotations

import logging
import warnings
from copy import copy

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.probing.linear import LinearProbe

logger = logging.getLogger(__name__)

REFIT_TOL = 1e-3
"""Certificate asked of a refitted probe: accuracy does not change below it, time does."""


def refit(
    probe: LinearProbe,
    train: LabelledActivations,
    columns: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> LinearProbe:
    """A clone of a probe fitted on some columns, which are copied.

    It starts from the weights of the probe, which changes its time and not its result, and stops at
    a certificate of ``REFIT_TOL``.

    Parameters
    ----------
    probe : ElasticNetProbe or ElasticNetRegression
        Fitted on all columns.
    train : LabelledActivations
        In memory.
    columns : (n_kept,) int array
        At least one, ascending.
    sample_weight : (n_words,) array, optional
    """
    start = copy(probe)
    start.coef_ = np.ascontiguousarray(probe.coef_[:, columns])
    fitted = clone(probe).set_params(tol=max(probe.tol, REFIT_TOL))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        X = train.X.take(columns, axis=1)
        fitted.fit(X, train.y, start=start, sample_weight=sample_weight)
    for warning in caught:
        logger.warning("refitted on %d neurons: %s", len(columns), warning.message)
    return fitted


def refit_score(
    probe: LinearProbe,
    train: LabelledActivations,
    columns: np.ndarray,
    test: LabelledActivations,
) -> tuple[float, bool]:
    """Accuracy (R2 of a regression) on test of the refitted probe, and whether it converged.

    Parameters
    ----------
    probe, train, columns
        As for :func:`refit`, but columns in any order; without any, the answer is always the
        most frequent label of train, or the mean of its labels.
    test : LabelledActivations
        In memory.
    """
    if not len(columns):
        return probe.score_without_neurons(train.y, test.y), True
    columns = np.sort(columns)
    fitted = refit(probe, train, columns)
    return fitted.score(test.X.take(columns, axis=1), test.y), fitted.certificate_.converged
