"""The rankers that need labelled activations, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.base import clone

from neurox_lite.activations.access import space_of
from neurox_lite.activations.moments import moments
from neurox_lite.arguments import expect
from neurox_lite.choices import unknown_choice
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.ranking.average_precision import average_precision
from neurox_lite.ranking.differentiable_mask import differentiable_mask
from neurox_lite.ranking.gaussian import gaussian
from neurox_lite.ranking.integrated_gradients import integrated_gradients
from neurox_lite.ranking.iou import iou
from neurox_lite.ranking.linguistic_correlation import linguistic_correlation
from neurox_lite.ranking.mean_select import mean_select
from neurox_lite.ranking.mutual_information import mutual_information
from neurox_lite.ranking.point_biserial import point_biserial
from neurox_lite.ranking.probeless import probeless
from neurox_lite.ranking.random import random_ranking
from neurox_lite.ranking.variance import variance
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.showing import short_repr


@dataclass(frozen=True)
class RankingTask:
    """All that a method may rank from; each takes what it needs.

    Attributes
    ----------
    X, y : (n, n_neurons) array-like and (n,) labels
        Training data.
    X_dev, y_dev : array-likes
        For methods that select neurons.
    probe : ElasticNetProbe
        Fitted on ``X`` and ``y``, or not: then a clone is fitted when a method first reads it.
    seed : int
    X_test, y_test : array-likes, optional
        For what methods report of words that they have not selected on.
    """

    X: Any
    y: np.ndarray
    X_dev: Any
    y_dev: np.ndarray
    probe: ElasticNetProbe
    seed: int = 0
    X_test: Any = None
    y_test: np.ndarray | None = None

    __repr__ = short_repr

    @cached_property
    def fitted_probe(self) -> ElasticNetProbe:
        is_fitted = hasattr(self.probe, "coef_")
        return self.probe if is_fitted else clone(self.probe).fit(self.X, self.y)

    @property
    def converged(self) -> bool:
        """Whether the probe, if one was fitted, reached its tolerance."""
        fitted = vars(self).get("fitted_probe")
        return fitted is None or fitted.certificate_.converged

    @cached_property
    def constant(self) -> np.ndarray:
        """Which neurons are constant in the training data; (n_neurons,) bool."""
        return moments(self.X).is_constant


METHODS: dict[str, Callable[..., NeuronRanking]] = {
    "linguistic-correlation": lambda task: linguistic_correlation(task.fitted_probe),
    "probeless": lambda task: probeless(task.X, task.y),
    "gaussian": lambda task, **options: gaussian(
        task.X,
        task.y,
        task.X_dev,
        task.y_dev,
        X_test=task.X_test,
        y_test=task.y_test,
        seed=task.seed,
        **options,
    ),
    "iou": lambda task, **options: iou(task.X, task.y, **options),
    "average-precision": lambda task: average_precision(task.X, task.y),
    "mean-select": lambda task: mean_select(task.X, task.y),
    "point-biserial": lambda task: point_biserial(task.X, task.y),
    "mutual-information": lambda task, **options: mutual_information(
        task.X, task.y, seed=task.seed, **options
    ),
    "integrated-gradients": lambda task, **options: integrated_gradients(
        task.fitted_probe, task.X, task.y, seed=task.seed, **options
    ),
    "differentiable-mask": lambda task, **options: differentiable_mask(
        task.fitted_probe, task.X, task.y, seed=task.seed, **options
    ),
    "variance": lambda task: variance(task.X),
    "random": lambda task: random_ranking(space_of(task.X), task.seed, constant=task.constant),
}


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
        When there is no such method, or as the method's function.
    """
    expect(method, str, "method", f"the name of one: {', '.join(METHODS)}")
    if method not in METHODS:
        raise unknown_choice("method", method, METHODS)
    expect(task, RankingTask, "task", "a RankingTask")
    return METHODS[method](task, **options)
