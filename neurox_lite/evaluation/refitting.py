"""Probes fitted again on some of the neurons, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import islice

import numpy as np

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.fit_inputs import loaded_if_small
from neurox_lite.probing.frozen_scores import scored_at_once, scores_of
from neurox_lite.probing.linear import LinearProbe
from neurox_lite.probing.side_by_side import refit_on_neurons, refits_on_neurons
from neurox_lite.progress import tqdm
from neurox_lite.tasks import task_map


def refit(
    probe: LinearProbe,
    train: LabelledActivations,
    columns: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> LinearProbe:
    """A clone of a probe fitted on some columns, and of these alone.

    Parameters
    ----------
    probe : ElasticNetProbe or ElasticNetRegression
        Fitted on all columns.
    train : LabelledActivations
    columns : (n_kept,) int array
        At least one, ascending.
    sample_weight : (n_words,) array, optional
    """
    [fitted] = refit_on_neurons(probe, train, [columns], sample_weight)
    narrow = copy(fitted)
    narrow.coef_ = np.ascontiguousarray(fitted.coef_[:, columns])
    for name in ("mean_", "scale_", "constant_"):
        setattr(narrow, name, getattr(fitted, name)[columns])
    narrow.space_ = NeuronSpace.of_array(len(columns))
    narrow.n_features_in_ = len(columns)
    return narrow


def refit_scores(
    probe: LinearProbe,
    train: LabelledActivations,
    sets: Sequence[np.ndarray],
    test: LabelledActivations,
    engine: str = "local",
) -> tuple[list[float], bool]:
    """Accuracy (R2 of a regression) on test of a probe of each set, and whether all converged.

    Probes are scored as they are fitted, and never all held.

    Parameters
    ----------
    probe, train
        As for :func:`refit`.
    sets : sequence of int arrays
        Columns, in any order. Without any, the answer is always the most frequent label of train,
        or the mean of its labels.
    test : LabelledActivations
    engine : {"local", "ray"}
        ``ray`` fits and scores every probe in a task of a Ray cluster, on one core.
    """
    if engine == "ray":
        return _scores_by_tasks(probe, train, sets, test)
    scores = [
        np.nan if len(columns) else probe.score_without_neurons(train.y, test.y) for columns in sets
    ]
    places = [place for place, columns in enumerate(sets) if len(columns)]
    if not places:
        return scores, True
    refits = refits_on_neurons(probe, train, [sets[place] for place in places])
    n, converged = scored_at_once(probe, test), True
    while some := list(islice(refits, n)):
        found = scores_of([one for _, one in some], test)
        for (equal, one), score in zip(some, found, strict=True):
            converged = converged and one.certificate_.converged
            for number in equal:
                scores[places[number]] = score
    return scores, converged


def _scores_by_tasks(
    probe: LinearProbe,
    train: LabelledActivations,
    sets: Sequence[np.ndarray],
    test: LabelledActivations,
) -> tuple[list[float], bool]:
    """Equal sets once, and the largest first, so that none of these is left at the end."""
    data = loaded_if_small(train)

    def score(columns: np.ndarray) -> tuple[list[float], bool]:
        return refit_scores(probe, data, [columns], test)

    keys = [np.sort(columns).tobytes() for columns in sets]
    distinct = dict(zip(keys, sets, strict=True))
    order = sorted(distinct, key=lambda key: -len(key))
    found = {}
    progress = tqdm(total=len(order), desc="refit", unit="probe", disable=None, delay=2)
    with task_map("ray") as run, progress:
        scored = run(score, [distinct[key] for key in order])
        for key, ([value], converged) in zip(order, scored, strict=True):
            found[key] = value, converged
            progress.update()
    return [found[key][0] for key in keys], all(converged for _, converged in found.values())
