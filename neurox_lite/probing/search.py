"""The regularisation search of Durrani et al. 2020."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from neurox_lite.activations.arrays import checked_activations
from neurox_lite.arguments import numbers, real_number
from neurox_lite.errors import InputError
from neurox_lite.labels import checked_labels
from neurox_lite.probing.frozen import frozen_scores
from neurox_lite.probing.probe import ElasticNetProbe, expect_probe
from neurox_lite.probing.together import fit_grid
from neurox_lite.probing.weights import weight_scores
from neurox_lite.results import RegularisationSearch

PENALTIES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3)
SEARCH_TOL = 1e-3
"""Certificate asked of the probes of the grid, which are compared by accuracy."""

UNREGULARISED_TOL = 1e-2
"""Certificate asked of the probe without penalties, of which only the accuracy is used."""


def regularisation_search(
    probe: ElasticNetProbe,
    X: Any,
    y: np.ndarray,
    X_dev: Any,
    y_dev: np.ndarray,
    *,
    l1s: Sequence[float] = PENALTIES,
    l2s: Sequence[float] = PENALTIES,
    share: float = 0.2,
    alpha: float = 0.5,
    beta: float = 0.5,
) -> tuple[RegularisationSearch, ElasticNetProbe]:
    """The penalties with the largest score S on dev, and their probe (Durrani et al. 2020).

        S = alpha (A_top - A_bottom) - beta (A_none - A)

    A is the accuracy of the probe, A_none that of a probe without penalties, A_top and A_bottom
    that of the probe where only the top or bottom ``share`` of its neurons is kept and the others
    are zero. The first term asks that the ranking separates neurons, the second that this costs no
    accuracy.

    Parameters
    ----------
    probe : ElasticNetProbe
        Its other parameters are used; it is not changed.
    X, y : (n, n_neurons) array-like and (n,) labels
        Training data.
    X_dev, y_dev : array-likes
        What accuracies are measured on.
    l1s, l2s : sequences of float
        The grid.
    share : float
        Of all neurons.
    alpha, beta : float
        Weights of the two terms.

    Returns
    -------
    result : RegularisationSearch
    best : ElasticNetProbe
        Fitted.

    Raises
    ------
    InputError
        As :func:`fit_grid`, or when the share is not between 0 and 1.
    """
    expect_probe(probe)
    share, alpha = real_number(share, "share"), real_number(alpha, "alpha")
    beta = real_number(beta, "beta")
    if not 0 < share < 1:
        raise InputError(f"share is {share}; give a number between 0 and 1")
    l1s, l2s = sorted(set(numbers(l1s, "l1s"))), sorted(set(numbers(l2s, "l2s")))
    X, X_dev = checked_activations(X), checked_activations(X_dev, "X_dev")
    y = checked_labels(y, X.shape[0])
    y_dev = checked_labels(y_dev, X_dev.shape[0], name="y_dev", like=y)
    quick = clone(probe).set_params(tol=max(probe.tol, SEARCH_TOL))
    grid = fit_grid(quick, X, y, l1s, l2s)
    n_kept = max(1, round(share * X.shape[1]))
    every = np.arange(X.shape[1])
    measured = {}
    for pair, fitted in grid.items():
        order = np.argsort(-weight_scores(fitted.coef_), kind="stable")
        kept = [every, order[:n_kept], order[-n_kept:]]
        measured[pair] = frozen_scores(kept, fitted, X_dev, y_dev, "zero")
    none = clone(probe).set_params(l1=0.0, l2=0.0, tol=max(probe.tol, UNREGULARISED_TOL))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="without a penalty", category=ConvergenceWarning)
        none.fit(X, y, start=grid[l1s[0], l2s[0]])
    without = none.score(X_dev, y_dev)

    def table(values: Any) -> tuple[tuple[Any, ...], ...]:
        return tuple(tuple(values(l1, l2) for l2 in l2s) for l1 in l1s)

    def score(l1: float, l2: float) -> float:
        accuracy, top, bottom = measured[l1, l2]
        return alpha * (top - bottom) - beta * (without - accuracy)

    result = RegularisationSearch(
        l1s=tuple(l1s),
        l2s=tuple(l2s),
        scores=table(score),
        accuracies=table(lambda *pair: measured[pair][0]),
        top_accuracies=table(lambda *pair: measured[pair][1]),
        bottom_accuracies=table(lambda *pair: measured[pair][2]),
        nonzero_weights=table(lambda *pair: float(np.mean(grid[pair].coef_ != 0))),
        converged=table(lambda *pair: grid[pair].certificate_.converged),
        unregularised_accuracy=without,
        # Separable classes have no optimum, but an accuracy.
        unregularised_converged=none.certificate_.value <= none.tol,
        share=share,
        alpha=alpha,
        beta=beta,
    )
    l1, l2 = result.best
    best = clone(probe).set_params(l1=l1, l2=l2).fit(X, y, start=grid[l1, l2])
    return result, best
