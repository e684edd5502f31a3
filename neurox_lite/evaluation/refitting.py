"""Probes fitted again on some of the neurons."""

from __future__ import annotations

import logging
import warnings
from copy import copy

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from neurox_lite.probing.linear import LinearProbe

logger = logging.getLogger(__name__)

RETRAIN_TOL = 1e-3
"""Certificate asked of a retrained probe: accuracy does not change below it, time does."""


def refit(probe: LinearProbe, X: np.ndarray, y: np.ndarray, columns: np.ndarray) -> LinearProbe:
    """A clone of a probe fitted on some columns, which are copied.

    It starts from the weights of the probe, which changes its time and not its result, and stops at
    a certificate of ``RETRAIN_TOL``.

    Parameters
    ----------
    probe : ElasticNetProbe or ElasticNetRegression
        Fitted on all columns.
    X, y : (n, n_neurons) array and (n,) labels
    columns : (n_kept,) int array
        At least one, ascending.
    """
    start = copy(probe)
    start.coef_ = np.ascontiguousarray(probe.coef_[:, columns])
    fitted = clone(probe).set_params(tol=max(probe.tol, RETRAIN_TOL))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        fitted.fit(X.take(columns, axis=1), y, start=start)
    for warning in caught:
        logger.warning("retrained on %d neurons: %s", len(columns), warning.message)
    return fitted


def refit_score(
    probe: LinearProbe,
    X: np.ndarray,
    y: np.ndarray,
    columns: np.ndarray,
    X_test: np.ndarray,
    y_test: np.ndarray,
) -> tuple[float, bool]:
    """Accuracy (R2 of a regression) on test of the retrained probe, and whether it converged.

    Parameters
    ----------
    probe, X, y, columns
        As of :func:`refit`, but columns in any order; without any, the answer is always the
        most frequent label of ``y``, or its mean.
    X_test, y_test : (n_test, n_neurons) array and (n_test,) labels
    """
    if not len(columns):
        return probe.score_without_neurons(y, y_test), True
    columns = np.sort(columns)
    fitted = refit(probe, X, y, columns)
    return fitted.score(X_test.take(columns, axis=1), y_test), fitted.certificate_.converged
