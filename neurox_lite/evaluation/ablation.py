"""Ablation on activations: how much of a property do the top neurons of a ranking hold?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurox_lite.activations.access import load
from neurox_lite.activations.inputs import LabelledActivations, unpack, validate_inputs
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.arguments import shares as checked_shares
from neurox_lite.arguments import whole_number
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.evaluation.refitting import refit_scores
from neurox_lite.probing.frozen_scores import frozen_scores
from neurox_lite.probing.linear import LinearProbe, require_fitted
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results.ablation import AblationCurve, AblationCurves
from neurox_lite.results.ranking import (
    NeuronRanking,
    as_rankings,
    require_same_groups,
    require_space,
)
from neurox_lite.results.sweep import SHARES, NeuronSets, Sweep, count_neurons
from neurox_lite.seeds import validate_seed
from neurox_lite.tasks import check_engine


def ablate(
    rankings: NeuronRanking | Sequence[NeuronRanking],
    X: Any,
    y: Any = None,
    *,
    probe: LinearProbe | None = None,
    X_test: Any = None,
    y_test: Any = None,
    shares: Sequence[float] = SHARES,
    replacement: str = "zero",
    retrain: bool = True,
    n_random: int = 5,
    seed: int = 0,
    engine: str = "local",
) -> AblationCurves:
    """Accuracy (R2 of a regression) from the top, bottom, all but the top, and random neurons.

    Frozen: the other neurons are replaced and the probe stays as it is. Retrained: a clone of the
    probe is fitted on the kept neurons alone. Both are measured on the test data.

    Parameters
    ----------
    rankings : NeuronRanking or sequence
        All over the columns of ``X``, or over the same groups of them, which are then kept or
        removed whole; they share the same random sets.
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
        Training data. Loaded into memory when there is no probe.
    probe : ElasticNetProbe or ElasticNetRegression, optional
        Fitted on ``X`` and ``y``; otherwise an ElasticNetProbe is fitted here.
    X_test, y_test : array-likes or LabelledActivations, optional
        By default the last fifth of the rows, which are then not trained on.
    shares : sequence of float
        Shares of all neurons, or groups.
    replacement : {"zero", "mean"}
        What the frozen probe sees instead of a removed neuron; the mean is the training mean.
    retrain : bool
        Add the retrained curves.
    n_random : int
        Number of random sets per share.
    seed : int
    engine : {"local", "ray"}
        ``ray`` retrains the probe of every set in a task of a Ray cluster, on one core. Memory:
        training data up to 1.2 GB once more on each machine.

    Returns
    -------
    AblationCurves
        Per ranking the frozen curve, and the retrained curve when asked.

    Raises
    ------
    InputError
        When a ranking is over other neurons, a share is not in (0, 1], an option is unknown, a row
        has no label, or there is nothing to test on.
    """
    rankings = as_rankings(rankings)
    data = validate_inputs(X, y)
    check_engine(engine)
    shares = checked_shares(shares)
    n_random, seed = whole_number(n_random, "n_random", least=1), validate_seed(seed)
    require_same_groups(rankings)
    for ranking in rankings:
        require_columns(ranking, data.X)
    if replacement not in ("zero", "mean"):
        raise unknown_choice("replacement", replacement, ("zero", "mean"))
    if probe is not None:
        require_fitted(probe)
    train, test = _train_and_test(data, X_test, y_test, probe is not None)
    if probe is None:
        probe = ElasticNetProbe().fit(train)

    space = rankings[0].space
    sets = NeuronSets.of(rankings, count_neurons(shares, space.n_neurons), n_random, seed)
    only = sets.columns()
    kept = [*only, *sets.others()]
    intact, *frozen = frozen_scores([np.arange(train.X.shape[1]), *kept], probe, test, replacement)
    probe_converged = probe.certificate_.converged
    ways = [(False, replacement, frozen, probe_converged)]
    if retrain:
        values, all_converged = refit_scores(probe, train, kept, test, engine)
        ways.append((True, "none", values, probe_converged and all_converged))
    curves = []
    for retrained, replaced_by, values, converged in ways:
        keep = sets.sweeps(intact, values[: len(only)])
        without_top = np.reshape(values[len(only) :], (len(rankings), len(sets.counts))).tolist()
        for ranking, of_kept, of_rest in zip(rankings, keep, without_top, strict=True):
            curves.append(
                AblationCurve(
                    method=ranking.method,
                    retrained=retrained,
                    replacement=replaced_by,
                    metric=probe.METRIC,
                    n_neurons=space.n_neurons,
                    shares=shares,
                    counts=sets.counts,
                    keep=of_kept,
                    remove=Sweep(intact, tuple(of_rest)),
                    converged=converged,
                    units=space.unit_name,
                )
            )
    return AblationCurves(tuple(curves))


def require_columns(ranking: NeuronRanking, X: Any) -> None:
    """Raise InputError unless a ranking is over the columns of ``X``, or over groups of them."""
    n_columns = ranking.space.ungrouped.n_neurons
    if isinstance(X, ActivationMatrix):
        require_space(ranking, X.space, or_groups=True)
    elif n_columns != X.shape[1]:
        raise InputError(
            f"ranking '{ranking.method}' is over {n_columns} neurons, the "
            f"activations have {X.shape[1]}; give the store the ranking was made from"
        )


def _train_and_test(
    data: LabelledActivations, X_test: Any, y_test: Any, has_probe: bool
) -> tuple[LabelledActivations, LabelledActivations]:
    """The data as given, or the last fifth of the rows held out as test data."""
    X_test, y_test = unpack(X_test, y_test, "_test")
    if (X_test is None) != (y_test is None):
        raise InputError("X_test and y_test belong together; give both or neither")
    if y_test is not None:
        return data, validate_inputs(X_test, y_test, "test", like=data)
    if has_probe:
        raise InputError("a fitted probe needs X_test and y_test that it was not trained on")
    n_test = len(data) // 5
    if not n_test:
        raise InputError(
            f"{len(data)} rows have no last fifth to test on; give at least one row to test, X_test"
        )
    X, y = load(data.X), data.y
    train = LabelledActivations(X[:-n_test], y[:-n_test])
    return train, LabelledActivations(X[-n_test:], y[-n_test:])
