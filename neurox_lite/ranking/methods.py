"""Ranking by the name of a method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.base import clone

from neurox_lite.activations.access import space_of
from neurox_lite.activations.inputs import unpack
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.activations.moments import moments
from neurox_lite.activations.store import ActivationStore
from neurox_lite.arguments import expect
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.neurons import Layers, NeuronSpace
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.ranking_methods import METHODS, RankingMethod
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.units import in_units
from neurox_lite.showing import short_repr


@dataclass(frozen=True)
class RankingTask:
    """All that a method may rank from; each takes what it needs.

    Attributes
    ----------
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
        Training data. These, and those of dev and test, may be given as LabelledActivations in the
        place of X.
    X_dev, y_dev : array-likes, or LabelledActivations
        For methods that select neurons.
    probe : ElasticNetProbe
        Fitted on ``X`` and ``y``, or not: then a clone is fitted when a method first reads it. The
        default probe if not given.
    seed : int
    X_test, y_test : array-likes or LabelledActivations, optional
        For what methods report of words that they have not selected on.
    units : NeuronSpace, optional
        Groups of the neurons, such as heads, that are ranked instead: see
        :meth:`NeuronRanking.group`.
    """

    X: Any = None
    y: Any = None
    X_dev: Any = None
    y_dev: Any = None
    probe: Any = None
    seed: int = 0
    X_test: Any = None
    y_test: Any = None
    units: NeuronSpace | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        for suffix in ("", "_dev", "_test"):
            X, y = unpack(getattr(self, f"X{suffix}"), getattr(self, f"y{suffix}"), suffix)
            object.__setattr__(self, f"X{suffix}", X)
            object.__setattr__(self, f"y{suffix}", y)

    @classmethod
    def from_splits(
        cls,
        splits: LabelledSplits,
        probe: Any = None,
        seed: int = 0,
        units: NeuronSpace | None = None,
    ) -> RankingTask:
        """Labelled words: of train, dev and test."""
        parts = {"X": splits.train, "X_dev": splits.dev, "X_test": splits.test}
        return cls(**parts, probe=probe, seed=seed, units=units)

    @classmethod
    def from_store(
        cls,
        store: ActivationStore,
        layers: Layers = None,
        seed: int = 0,
        units: NeuronSpace | None = None,
    ) -> RankingTask:
        """All words of a store that have activations, for the methods that need no labels."""
        rows = np.setdiff1d(store.word_rows, store.missing)
        return cls(store.matrix(layers, rows), seed=seed, units=units)

    @cached_property
    def fitted_probe(self) -> ElasticNetProbe:
        probe = ElasticNetProbe() if self.probe is None else self.probe
        return probe if hasattr(probe, "coef_") else clone(probe).fit(self.X, self.y)

    @property
    def converged(self) -> bool:
        """Whether the probe, if a method has read it, reached its tolerance."""
        fitted = vars(self).get("fitted_probe")
        return fitted is None or fitted.certificate_.converged

    @property
    def space(self) -> NeuronSpace:
        return space_of(self.X)

    @cached_property
    def constant(self) -> np.ndarray:
        """Which neurons are constant in the training data; (n_neurons,) bool."""
        return moments(self.X).is_constant


def rank(method: str, task: RankingTask, **options: Any) -> NeuronRanking:
    """Rank the neurons of a task by the name of a method.

    Parameters
    ----------
    method : str
        A key of ``METHODS``.
    task : RankingTask
    **options
        Of the method's function.

    Raises
    ------
    InputError
        When there is no such method, the task lacks what it needs, or as the method's function.
    """
    expect(method, str, "method", f"the name of one: {', '.join(METHODS)}")
    if method not in METHODS:
        raise unknown_choice("method", method, METHODS)
    expect(task, RankingTask, "task", "a RankingTask")
    needs = METHODS[method].needs
    _require(method, task, needs)
    if task.units is not None:  # refused now, not after the ranking
        space: NeuronSpace = task.probe.space_ if task.X is None else task.space
        space.with_groups_of(task.units)
    taken = {n: task.fitted_probe if n == "probe" else getattr(task, n) for n in needs}
    if METHODS[method].takes_units:
        taken["units"] = task.units
    return in_units(load_function(METHODS[method])(**taken, **options), task.units)


def load_function(method: RankingMethod) -> Callable[..., Any]:
    """The function of a row."""
    function: Callable[..., Any] = getattr(
        import_module(f"neurox_lite.{method.module}"), method.function
    )
    return function


def _require(method: str, task: RankingTask, needs: tuple[str, ...]) -> None:
    """Raise InputError when a task lacks what a method needs; test data may be missing."""
    read = set(needs)
    if "probe" in needs and not hasattr(task.probe, "coef_"):
        read |= {"X", "y"}
    if read & {"space", "constant"}:
        read.add("X")
    missing = [n for n in ("X", "y", "X_dev", "y_dev") if n in read and getattr(task, n) is None]
    if missing:
        raise InputError(f"'{method}' needs {' and '.join(missing)}; give them to the RankingTask")
