"""The smallest share of a ranking that is as good as all neurons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from neurox_lite.activations.arrays import load
from neurox_lite.evaluation.ablation import check_ranks, retrained_score
from neurox_lite.probing.linear import LinearProbe
from neurox_lite.results import MinimalSet, NeuronRanking

GROWING_SHARES = (0.01, 0.02, 0.03, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.75)


def minimal_set(
    ranking: NeuronRanking,
    probe: LinearProbe,
    X: Any,
    y: np.ndarray,
    X_dev: Any,
    y_dev: np.ndarray,
    *,
    delta: float = 0.01,
    shares: Sequence[float] = GROWING_SHARES,
) -> MinimalSet:
    """Grow the kept share of a ranking, retrain, stop within ``delta`` of the full probe.

    Durrani et al. 2020, section 3: the minimal neuron set. Loads ``X`` into memory.

    Parameters
    ----------
    ranking : NeuronRanking
    probe : ElasticNetProbe or ElasticNetRegression
        Fitted on ``X`` and ``y``.
    X, y : (n, n_neurons) array-like and (n,) labels
        Training data.
    X_dev, y_dev : array-likes
        What accuracy is measured on.
    delta : float
        Accepted loss of accuracy, 0.01 is one point.
    shares : sequence of float
        Shares to try, ascending.

    Raises
    ------
    InputError
        When the ranking is over other neurons.
    """
    check_ranks(ranking, X)
    X, X_dev = load(X), load(X_dev)
    full = probe.score(X_dev, y_dev)
    evaluate = retrained_score(probe, X, y)
    accuracies: list[float] = []
    converged = probe.certificate_.converged
    columns = None
    for share in tqdm(shares, desc="minimal set", unit="probe", disable=None, delay=2):
        top = ranking.order[: max(1, round(share * ranking.space.n_neurons))]
        reached, is_converged = evaluate(top, X_dev, y_dev)
        accuracies.append(reached)
        converged = converged and is_converged
        if full - accuracies[-1] <= delta + 1e-9:  # 0.93 - 0.92 is a little above 0.01
            columns = tuple(top.tolist())
            break
    return MinimalSet(
        method=ranking.method,
        delta=delta,
        full_accuracy=full,
        shares=tuple(shares[: len(accuracies)]),
        accuracies=tuple(accuracies),
        columns=columns,
        converged=converged,
    )
