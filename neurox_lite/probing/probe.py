"""The elastic-net probe: which label does a word have, given its activations?"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch
from sklearn.base import ClassifierMixin

from neurox_lite.activations.inputs import (
    LabelledActivations,
    class_ids,
    unpack,
)
from neurox_lite.arguments import expect
from neurox_lite.errors import InputError
from neurox_lite.labels import refuse_other_kind, validate_labels
from neurox_lite.metrics import majority_accuracy
from neurox_lite.probing.fit_inputs import FitInputs, validate_weights
from neurox_lite.probing.fit_task import FitTask
from neurox_lite.probing.linear import LinearProbe
from neurox_lite.probing.losses import CrossEntropy, with_mean_one
from neurox_lite.probing.objective import Problem

logger = logging.getLogger(__name__)


class ElasticNetProbe(ClassifierMixin, LinearProbe):
    """Multinomial logistic regression with an L1 and an L2 penalty (Dalvi et al. 2019, eq. 1).

    Minimises ``mean CE + l1 * sum |W| + l2 * sum W^2`` (the intercept is not penalised) to a proven
    distance from the optimum; weights that L1 removes are exactly zero.

    Parameters
    ----------
    l1, l2 : float
        Penalties.
    standardize : bool
        Scale every neuron to variance 1 on the training data. Without it ``|W|`` measures a
        neuron's scale and not its information; False reproduces the papers.
    tol : float
        Converged means a certificate of at most this; see ``certificate_``.
    max_iter : int
        Largest number of passes over the data.
    class_weight : "balanced" or dict, optional
        How much the rows of each class count; balanced lets all classes count the same.
    device : str, optional
        CUDA when there is one by default.

    Attributes
    ----------
    classes_ : (n_classes,) array
        Sorted.
    class_shares_ : (n_classes,) float64 array
        Share of each class in the training data; with weights, its share of their sum.
    coef_ : (n_classes, n_neurons) float array
        Weights on ``(x - mean_) / scale_``.
    intercept_ : (n_classes,) float array
        Logits of the mean activation; :meth:`raw_weights` has the one for raw activations.
    mean_, scale_ : (n_neurons,) float64 arrays
        Training mean, and standard deviation (1 without ``standardize``). A constant neuron has
        scale 1 and weight 0.
    constant_ : (n_neurons,) bool array
        Neurons that are constant in the training data.
    certificate_ : Certificate
        Relative duality gap, whether it is at most ``tol``, the objective, passes over the data.
    n_iter_ : int
        Passes over the data.
    space_ : NeuronSpace
        Where the columns live.
    trained_on_ : str
        What identifies the labelled words it was fitted on, when ``X`` is part of a store.
    """

    KIND = "elastic-net probe"
    METRIC = "accuracy"
    classes_: np.ndarray
    class_shares_: np.ndarray

    def __init__(
        self,
        l1: float = 1e-3,
        l2: float = 1e-3,
        *,
        standardize: bool = True,
        tol: float = 1e-4,
        max_iter: int = 2000,
        class_weight: str | dict[Any, float] | None = None,
        device: str | None = None,
    ):
        super().__init__(l1, l2, standardize=standardize, tol=tol, max_iter=max_iter, device=device)
        self.class_weight = class_weight

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        start: ElasticNetProbe | None = None,
    ) -> ElasticNetProbe:
        """Fit to the optimum.

        Memory: ``X`` is not copied, whether float32, float64, float16 or bfloat16; a store's
        matrix above 1.2 GB is read from the disk for every pass (slice it, ``X[:]``, to hold it in
        memory). Beside it about eight arrays of (n, n_classes), and where there are four times as
        many rows a sample of a 16th of them, at least 4,096 and two for each neuron, up to 0.8 GB.
        Processors with bfloat16 units take their steps on copies in bfloat16, of the sample and, up
        to 1.2 GB, of all rows; of a store's matrix that takes more than 1.2 GB with its copy they
        hold nothing else. The result is that of ``X`` itself.

        Parameters
        ----------
        X : (n, n_neurons) array-like, or LabelledActivations
            Activations: an array, a tensor or a store's matrix; or these with their labels.
        y : (n,) array-like
            Labels; left out where ``X`` has its own.
        sample_weight : (n,) array-like, optional
            How much each row counts in the mean loss.
        start : ElasticNetProbe, optional
            A fitted probe of the same classes and neurons to start from; changes the time, not the
            result.

        Raises
        ------
        InputError
            When a parameter is out of range, shapes differ, there is one class only, a label is
            empty, an activation is NaN or infinite, or a weight is negative.

        Warns
        -----
        ConvergenceWarning
            When ``max_iter`` passes did not reach ``tol``.
        """
        return self._fit(X, y, sample_weight, start)

    def fit_task(self, inputs: FitInputs, y: np.ndarray, weights: np.ndarray | None) -> FitTask:
        """Cross-entropy; see :meth:`LinearProbe.fit_task`."""
        classes, ids = class_ids(y)
        given = [None] if weights is None else list(weights.T)
        each = [row_weights(one, self.class_weight, classes, ids) for one in given]
        not_even = [one for one in each if one is not None]
        of_rows = np.stack(not_even, axis=1) if not_even else None
        n_problems = len(given)
        targets = torch.from_numpy(ids[:, None]).to(inputs.like.device).expand(-1, n_problems)
        loss = CrossEntropy(targets, len(classes), with_mean_one(of_rows, inputs.like))
        problem = Problem(
            X=inputs.X,
            loss=loss,
            l1=inputs.penalties([self.l1] * n_problems),
            l2=inputs.penalties([self.l2] * n_problems),
        )
        shares = loss.shares.cpu().numpy()
        learned = tuple({"classes_": classes, "class_shares_": of_one} for of_one in shares)
        return FitTask(problem, learned=learned)

    def check_parameters(self) -> None:
        """Raise InputError when a parameter is out of range."""
        super().check_parameters()
        if not (self.class_weight in (None, "balanced") or isinstance(self.class_weight, dict)):
            raise InputError(
                f"class_weight={self.class_weight!r}: give 'balanced', a weight per class, or None"
            )

    def check_classes(self, data: LabelledActivations) -> None:
        """Raise InputError when a label is not one of the classes."""
        refuse_other_kind(data.classes, self.classes_, "y")
        unknown = set(data.classes.tolist()) - set(self.classes_.tolist())
        if unknown:
            name = min(unknown, key=str)
            raise InputError(f"the probe has no class '{name}'; leave its words out")

    def logits(self, X: Any) -> np.ndarray:
        """Unnormalised log-probabilities, float64, shape (n, n_classes); streams ``X``."""
        return self.outputs(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """scikit-learn's convention: (n, n_classes), or (n,) for two classes."""
        logits = self.logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class, shape (n, n_classes)."""
        from scipy.special import softmax

        return softmax(self.logits(X), axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """Most probable class of each row, shape (n,)."""
        best = np.argmax(self.logits(X), axis=1)
        return self.classes_[best]

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Share of the rows, or of their weights, that are predicted right.

        Raises
        ------
        InputError
            When a row has no label, or labels are of another kind than the classes.
        """
        X, y = unpack(X, y)
        predicted = self.predict(X)
        y = validate_labels(y, len(predicted), like=self.classes_)
        weights = validate_weights(sample_weight, len(y))
        return float(np.average(predicted == y, weights=weights))

    def error(self, outputs: np.ndarray, y: np.ndarray) -> float:
        """Number of wrong predictions."""
        refuse_other_kind(y, self.classes_, "y")
        return float(np.sum(self.classes_[np.argmax(outputs, axis=1)] != y))

    def largest_error(self, y: np.ndarray) -> float:
        """Number of rows."""
        return len(y)

    def score_without_neurons(self, y: np.ndarray, y_test: np.ndarray) -> float:
        """Accuracy of the most frequent label of ``y``."""
        return majority_accuracy(y, y_test)

    def weight_scores(self) -> np.ndarray:
        """Variance of a neuron's weights over the classes, (n_neurons,) in float64.

        ``sum_c s_c (W_c - sum_z s_z W_z)^2``, where a class counts by its share s of the words. Of
        a probe with small penalties, whose predictions are not far from these shares, it is about
        twice what it costs in nats to take a standardised neuron out (LeCun et al. 1990, "Optimal
        Brain Damage").
        """
        weights = self.coef_.astype(np.float64)
        weights -= self.class_shares_ @ weights
        weights *= weights
        return np.asarray(self.class_shares_ @ weights)

    def _extra(self) -> dict[str, Any]:
        return {"classes": self.classes_.tolist(), "class_shares": self.class_shares_.tolist()}

    def _read_extra(self, data: dict[str, Any]) -> None:
        self.classes_ = np.array(data["classes"])
        n_classes = len(self.classes_)
        shares = data.get("class_shares")
        if shares is None:
            logger.warning(
                "the probe is of an earlier version, which did not save how frequent classes are: "
                "they count the same in rankings by its weights; fit it again"
            )
            shares = [1 / n_classes] * n_classes
        self.class_shares_ = np.array(shares, dtype=np.float64)
        is_right = self.class_shares_.shape == (n_classes,) and (self.class_shares_ > 0).all()
        if not (is_right and abs(self.class_shares_.sum() - 1) < 1e-3):
            raise ValueError("class_shares are not shares of its classes")
        if isinstance(self.class_weight, list):  # pairs, see `plain`
            self.class_weight = dict(self.class_weight)


def expect_probe(probe: Any) -> None:
    """Raise InputError unless it is a probe of classes."""
    expect(probe, ElasticNetProbe, "probe", "an ElasticNetProbe")


def row_weights(
    sample_weight: np.ndarray | None, class_weight: Any, classes: np.ndarray, ids: np.ndarray
) -> np.ndarray | None:
    """Weights of the rows, times those of their classes, (n,); None when all are the same.

    Balanced means that the weights of every class, those of its rows included, have the same sum.
    """
    totals = np.bincount(ids, sample_weight, len(classes))
    if not totals.all():
        label = classes[np.argmin(totals)]
        raise InputError(f"all rows of class '{label}' have zero weight; leave these rows out")
    if class_weight is None:
        return sample_weight
    if class_weight == "balanced":
        of_classes = totals.sum() / (len(classes) * totals)
    else:
        of_classes = np.array([class_weight.get(label, 1) for label in classes.tolist()])
        unknown = set(class_weight) - set(classes.tolist())
        if unknown or of_classes.dtype.kind not in "biuf" or not np.all(of_classes > 0):
            raise InputError(
                f"class_weight={class_weight!r}: give a number above 0 for existing classes"
            )
        if not np.all(np.isfinite(of_classes)):
            raise InputError(f"class_weight={class_weight!r}: give finite numbers")
    return of_classes[ids] * (1 if sample_weight is None else sample_weight)
