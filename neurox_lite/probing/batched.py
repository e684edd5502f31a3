"""Many probes in the same passes over the activations: a grid of penalties, or one per class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from sklearn.utils.class_weight import compute_sample_weight

from neurox_lite.activations.inputs import (
    LabelledActivations,
    class_ids,
    hash_labelled_words,
    validate_inputs,
)
from neurox_lite.arguments import numbers
from neurox_lite.corpora.tagged_corpus import rest_of
from neurox_lite.errors import InputError
from neurox_lite.probing.fit_inputs import FitInputs, validate_fit
from neurox_lite.probing.losses import CrossEntropy, with_mean_one
from neurox_lite.probing.objective import Problem
from neurox_lite.probing.probe import ElasticNetProbe, expect_probe, row_weights
from neurox_lite.probing.solver import solve
from neurox_lite.progress import tqdm
from neurox_lite.tasks import check_engine, task_map


def fit_grid(
    probe: ElasticNetProbe,
    X: Any,
    y: Any = None,
    *,
    l1s: Sequence[float],
    l2s: Sequence[float],
    engine: str = "local",
) -> dict[tuple[float, float], ElasticNetProbe]:
    """Probes for all pairs of penalties, each as if it were fitted alone.

    All ``l2s`` are fitted side by side, in the same passes over ``X``, which take from there the
    next smaller of the ``l1s``. Memory: beside ``X``, what a fit takes times the number of ``l2s``.

    Parameters
    ----------
    probe : ElasticNetProbe
        Its other parameters are used; it is not changed.
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
    l1s, l2s : sequences of float
    engine : {"local", "ray"}
        ``ray`` fits every l2 in a task of a Ray cluster, on one core.

    Returns
    -------
    dict
        From (l1, l2) to the fitted probe.

    Raises
    ------
    InputError
        As :meth:`ElasticNetProbe.fit`, or when a list is empty.
    """
    expect_probe(probe)
    l1s, l2s = (
        sorted(set(numbers(values, name)), reverse=True)
        for values, name in ((l1s, "l1s"), (l2s, "l2s"))
    )
    if not (l1s and l2s):
        raise InputError("no penalties; give at least one l1 and one l2")
    grid = {(l1, l2): clone(probe).set_params(l1=l1, l2=l2) for l1 in l1s for l2 in l2s}
    for fitted in grid.values():
        fitted.check_parameters()
    if check_engine(engine) == "ray":
        return _grid_as_tasks(probe, validate_inputs(X, y), l1s, l2s)
    X, raw, labels = validate_fit(clone(probe), X, y)
    classes, ids = class_ids(labels)
    inputs = _inputs(probe, X, raw)
    weights = with_mean_one(row_weights(None, probe.class_weight, classes, ids), inputs.like)
    targets = torch.from_numpy(ids[:, None]).to(inputs.like.device)
    loss = CrossEntropy(targets.expand(-1, len(l2s)), len(classes), weights)
    identity = hash_labelled_words(X, labels)
    start = None
    for l1 in tqdm(l1s, desc="grid of penalties", unit="l1", disable=None, delay=2):
        penalties = inputs.penalties([l1] * len(l2s)), inputs.penalties(l2s)
        problem = Problem(inputs.X, loss, *penalties)
        W, b, certificates = solve(problem, tol=probe.tol, max_iter=probe.max_iter, start=start)
        for k, l2 in enumerate(l2s):
            fitted = grid[l1, l2]
            fitted.trained_on_ = identity
            learned = {"classes_": classes, "class_shares_": loss.shares[k].cpu().numpy()}
            fitted.set_solution(inputs, W[:, k], b[k], certificates[k], learned)
        start = W, b
    return grid


def _grid_as_tasks(
    probe: ElasticNetProbe, data: LabelledActivations, l1s: Sequence[float], l2s: Sequence[float]
) -> dict[tuple[float, float], ElasticNetProbe]:
    def fit_path(l2: float) -> dict[tuple[float, float], ElasticNetProbe]:
        return fit_grid(probe, data, l1s=l1s, l2s=[l2])

    found: dict[tuple[float, float], ElasticNetProbe] = {}
    with task_map("ray") as run:
        for path in tqdm(
            run(fit_path, l2s), "grid of penalties", len(l2s), unit="l2", disable=None, delay=2
        ):
            found |= path
    return {(l1, l2): found[l1, l2] for l1 in l1s for l2 in l2s}


def fit_one_vs_rest(
    probe: ElasticNetProbe, X: Any, y: Any = None, *, engine: str = "local"
) -> dict[Any, ElasticNetProbe]:
    """A binary probe for every class, "is it this one?", all in the same passes over ``X``.

    Each is the probe that is fitted on the labels of :meth:`TaggedCorpus.against_rest`. Memory:
    beside ``X``, what a fit of two classes takes times the number of classes.

    Parameters
    ----------
    probe : ElasticNetProbe
        Its parameters are used; it is not changed. ``class_weight="balanced"`` lets a class count
        as much as all others together.
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
    engine : {"local", "ray"}
        ``ray`` fits the probe of every class in a task of a Ray cluster, on one core.

    Returns
    -------
    dict
        From label to the fitted probe, whose ``classes_`` are strings as ``"NOUN"`` and ``"not
        NOUN"``, sorted.

    Raises
    ------
    InputError
        As :meth:`ElasticNetProbe.fit`, or when there are weights per class.
    """
    expect_probe(probe)
    probe.check_parameters()
    if isinstance(probe.class_weight, dict):
        raise InputError("class weights are not for one class against the rest; use 'balanced'")
    if check_engine(engine) == "local":
        return _against_rest(probe, X, y)
    data = validate_inputs(X, y)
    labels = data.class_names

    def fit(label: Any) -> dict[Any, ElasticNetProbe]:
        return _against_rest(probe, data.X, data.y, [label])

    fitted: dict[Any, ElasticNetProbe] = {}
    with task_map(engine) as run:
        for one in tqdm(
            run(fit, labels), "one against rest", len(labels), unit="probe", disable=None, delay=2
        ):
            fitted |= one
    return fitted


def _against_rest(
    probe: ElasticNetProbe, X: Any, y: Any, some: Sequence[Any] | None = None
) -> dict[Any, ElasticNetProbe]:
    """The probes of some of the classes, or of all, in the same passes."""
    X, raw, labels = validate_fit(clone(probe), X, y)
    known, ids = class_ids(labels)
    inputs = _inputs(probe, X, raw)
    numbers = np.flatnonzero(np.isin(known, known if some is None else some))
    classes = known[numbers]
    pairs = [np.unique([str(label), rest_of(str(label))]) for label in classes]
    is_second = (ids[:, None] == numbers) == [
        pair[1] == str(label) for pair, label in zip(pairs, classes, strict=True)
    ]
    weights = None
    if probe.class_weight == "balanced":
        weights = np.stack([compute_sample_weight("balanced", one) for one in is_second.T], axis=1)
    targets = torch.from_numpy(is_second.astype(np.int64)).to(inputs.like.device)
    loss = CrossEntropy(targets, 2, with_mean_one(weights, inputs.like))
    problem = Problem(
        inputs.X,
        loss,
        inputs.penalties([probe.l1] * len(classes)),
        inputs.penalties([probe.l2] * len(classes)),
    )
    W, b, certificates = solve(problem, tol=probe.tol, max_iter=probe.max_iter)
    fitted = {}
    for k, (label, pair) in enumerate(zip(classes.tolist(), pairs, strict=True)):
        one = fitted[label] = clone(probe)
        learned = {"classes_": pair, "class_shares_": loss.shares[k].cpu().numpy()}
        one.trained_on_ = hash_labelled_words(X, pair[is_second[:, k].astype(int)])
        one.set_solution(inputs, W[:, k], b[k], certificates[k], learned)
    return fitted


def _inputs(probe: ElasticNetProbe, X: Any, raw: Any) -> FitInputs:
    return FitInputs.of(X, raw, None, standardize=probe.standardize, device=probe.device)
