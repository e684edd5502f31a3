"""The elastic-net regression: which number does a word have, given its activations?"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.base import RegressorMixin

from neurox_lite.activations.inputs import unpack
from neurox_lite.errors import InputError
from neurox_lite.labels import validate_labels
from neurox_lite.probing.fit_inputs import FitInputs
from neurox_lite.probing.fit_task import FitTask
from neurox_lite.probing.linear import LinearProbe
from neurox_lite.probing.losses import SquaredError, with_mean_one
from neurox_lite.probing.objective import Problem


class ElasticNetRegression(RegressorMixin, LinearProbe):
    """Linear regression with an L1 and an L2 penalty, for labels such as depth or position.

    Minimises ``mean (w x + b - y)^2 / 2 + l1 * sum |w| + l2 * sum w^2`` (the intercept is not
    penalised) to a proven distance from the optimum. The penalties are in the units of ``y``:
    scikit-learn's ElasticNet has ``alpha = l1 + 2 l2`` and ``l1_ratio = l1 / alpha``.

    Parameters
    ----------
    l1, l2, standardize, tol, max_iter, device
        As for :class:`neurox_lite.ElasticNetProbe`.

    Attributes
    ----------
    coef_ : (1, n_neurons) float array
        Weights on ``(x - mean_) / scale_``.
    intercept_ : (1,) float array
        Prediction for the mean activation.
    certificate_ : Certificate
        Duality gap relative to half the variance of ``y``.
    mean_, scale_, constant_, n_iter_, space_, trained_on_
        As of :class:`neurox_lite.ElasticNetProbe`.
    """

    KIND = "elastic-net regression"
    METRIC = "R2"

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        start: ElasticNetRegression | None = None,
    ) -> ElasticNetRegression:
        """Fit to the optimum; memory as for :meth:`neurox_lite.ElasticNetProbe.fit`.

        Parameters
        ----------
        X, sample_weight
            As for :meth:`neurox_lite.ElasticNetProbe.fit`, and so are errors and warnings.
        y : (n,) array-like
            Numbers, or strings that spell numbers.
        start : ElasticNetRegression, optional
            A fitted regression of the same neurons to start from.

        Raises
        ------
        InputError
            As well when a label is not a finite number.
        """
        return self._fit(X, y, sample_weight, start)

    def fit_task(self, inputs: FitInputs, y: np.ndarray, weights: np.ndarray | None) -> FitTask:
        """Squared error of numbers in their standard deviations, where l1 is l1 / std."""
        numbers = as_numbers(y)
        of_rows = None if weights is None else weights[:, 0]
        mean = np.average(numbers, weights=of_rows)
        std = np.sqrt(np.average((numbers - mean) ** 2, weights=of_rows)) or 1.0
        targets = torch.from_numpy((numbers - mean) / std).to(inputs.like)
        problem = Problem(
            X=inputs.X,
            loss=SquaredError(targets[:, None], with_mean_one(of_rows, inputs.like)),
            l1=inputs.penalties([self.l1 / std]),
            l2=inputs.penalties([self.l2]),
        )
        return FitTask(problem, unit=std, mean=mean)

    def weight_scores(self) -> np.ndarray:
        """Squared weights, (n_neurons,) in float64."""
        return self.coef_[0].astype(np.float64) ** 2

    def predict(self, X: Any) -> np.ndarray:
        """Predicted numbers, float64, shape (n,); streams ``X``."""
        return self.outputs(X)[:, 0]

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """R2, the share of the variance of ``y`` that is predicted; may be negative."""
        X, y = unpack(X, y)
        return super().score(X, as_numbers(y), sample_weight)

    def error(self, outputs: np.ndarray, y: np.ndarray) -> float:
        """Sum of squared differences."""
        return float(np.sum((outputs[:, 0] - as_numbers(y)) ** 2))

    def largest_error(self, y: np.ndarray) -> float:
        """Sum of squared differences from the mean."""
        numbers = as_numbers(y)
        largest = float(np.sum((numbers - numbers.mean()) ** 2))
        if largest == 0:
            raise InputError("all numbers to test on are the same, for which R2 is not defined")
        return largest

    def score_without_neurons(self, y: np.ndarray, y_test: np.ndarray) -> float:
        """R2 of the mean of ``y``; about 0."""
        outputs = np.full((len(y_test), 1), as_numbers(y).mean())
        return 1 - self.error(outputs, y_test) / self.largest_error(y_test)


def as_numbers(y: np.ndarray) -> np.ndarray:
    """Labels as float64, shape (n,)."""
    labels = validate_labels(y)
    try:
        numbers = labels.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise InputError(f"a label is not a number ({error}); a regression needs numbers") from None
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise InputError(f"label {numbers[row]} in row {row}: a regression needs finite numbers")
    return numbers
