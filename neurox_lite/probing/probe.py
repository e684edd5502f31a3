"""The elastic-net probe: which label does a word have, given its activations?"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from neurox_lite.activations.arrays import finite_blocks, load, space_of
from neurox_lite.activations.store import ActivationMatrix
from neurox_lite.errors import InputError
from neurox_lite.files import hash_json, read_json, replacing, write_json
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.losses import CrossEntropy
from neurox_lite.probing.moments import moments
from neurox_lite.probing.problem import Problem
from neurox_lite.probing.rows import Rows
from neurox_lite.probing.solver import Certificate, solve

HELD_BYTES = 256 << 20
"""A store's matrix up to this size is held in memory."""


class ElasticNetProbe(ClassifierMixin, BaseEstimator):
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
    coef_ : (n_classes, n_neurons) float array
        Weights on ``(x - mean_) / scale_``.
    intercept_ : (n_classes,) float array
        Logits of the mean activation; :meth:`raw_weights` has the one for raw activations.
    mean_, scale_ : (n_neurons,) float64 arrays
        Training mean, and deviation (1 without ``standardize``). A constant neuron has scale 1
        and weight 0.
    certificate_ : Certificate
        Relative duality gap, whether it is at most ``tol``, the objective, passes over the data.
    n_iter_ : int
        Passes over the data.
    space_ : NeuronSpace
        Where the columns live.
    trained_on_ : str
        What identifies the labelled words it was fitted on, when ``X`` is part of a store.
    """

    classes_: np.ndarray
    coef_: np.ndarray
    intercept_: np.ndarray
    mean_: np.ndarray
    scale_: np.ndarray
    certificate_: Certificate
    n_iter_: int
    space_: NeuronSpace
    trained_on_: str

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
        self.l1 = l1
        self.l2 = l2
        self.standardize = standardize
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.device = device

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        start: ElasticNetProbe | None = None,
    ) -> ElasticNetProbe:
        """Fit to the optimum.

        Memory: ``X`` is not copied, whether float32, float64, float16 or bfloat16; a store's
        matrix above 256 MB is read from the disk for every pass (slice it, ``X[:]``, to hold it in
        memory). Beside it about eight arrays of (n, n_classes), and from 32,768 rows on a sample
        of a 16th of them, at least 8,192.

        Parameters
        ----------
        X : (n, n_neurons) array-like
            Activations: an array, a tensor or a store's matrix.
        y : (n,) array-like
            Labels.
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
        self._check_parameters()
        raw, y = self._training_data(X, y)
        check_classification_targets(y)
        classes, ids = np.unique(y, return_inverse=True)
        if "" in classes.tolist():
            raise InputError(
                f"{int(np.sum(y == ''))} words have no label (the empty string); leave them out, "
                "as labelled_splits does"
            )
        if len(classes) < 2:
            raise InputError(f"only one class, '{classes[0]}'; a probe needs at least two")
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight, dtype=np.float64)
        weights = self._weights(sample_weight, y, ids)
        is_stored = isinstance(X, ActivationMatrix)  # whose rows and neurons errors name
        space = space_of(X if is_stored else raw)
        device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        if isinstance(raw, torch.Tensor):
            raw = raw.to(device)
        mean, deviation = moments(raw, space, sample_weight, X if is_stored else None)
        scale = np.where((deviation > 0) & self.standardize, deviation, 1)
        is_double = isinstance(raw, torch.Tensor) and raw.dtype == torch.float64
        like = torch.empty(0, dtype=torch.float64 if is_double else torch.float32, device=device)
        targets = torch.from_numpy(ids[:, None]).to(device)
        problem = Problem(
            rows=Rows.standardised(raw, mean, deviation, scale, like),
            loss=CrossEntropy.weighted(targets, len(classes), weights, like),
            l1=torch.tensor([self.l1], dtype=torch.float64, device=device),
            l2=torch.tensor([self.l2], dtype=torch.float64, device=device),
        )
        warm = None
        if start is not None:
            if not np.array_equal(start.classes_, classes) or start.coef_.shape[1] != len(mean):
                raise InputError("the probe to start from has other classes or neurons")
            warm = (
                torch.from_numpy(start.coef_.T[:, None].copy()).to(like),
                torch.from_numpy(start.intercept_[None]).to(like),
            )
        W, b, [certificate] = solve(problem, tol=self.tol, max_iter=self.max_iter, start=warm)
        if not certificate.converged:
            warnings.warn(
                f"the probe did not converge: {certificate.kind} {certificate.value:.1e} after "
                f"{certificate.n_iter} passes, above tol={self.tol:.1e}; raise max_iter or the "
                "penalties",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.classes_ = classes
        self.coef_ = np.ascontiguousarray(W[:, 0].T.cpu().numpy())
        self.intercept_ = b[0].cpu().numpy()
        self.mean_, self.scale_ = mean, scale
        self.certificate_, self.n_iter_ = certificate, certificate.n_iter
        self.space_ = space
        self.trained_on_ = _fingerprint(X, y) if is_stored else ""
        return self

    def _training_data(self, X: Any, y: Any) -> tuple[Any, np.ndarray]:
        """A tensor or a store's matrix, and the labels; what cannot be used is an InputError."""
        as_is = isinstance(X, ActivationMatrix | torch.Tensor)
        if issparse(X):
            raise InputError("sparse input is not supported: activations are dense; use .toarray()")
        try:
            if as_is:
                validate_data(self, X, skip_check_array=True)
                y = column_or_1d(y)
                check_consistent_length(X, y)
            else:
                dtypes = [np.float32, np.float64, np.float16]
                X, y = validate_data(self, X, y=y, dtype=dtypes, ensure_all_finite=False)
        except ValueError as error:
            raise InputError(str(error)) from None
        if isinstance(X, ActivationMatrix):
            if len(X) * X.shape[1] * X.dtype.itemsize <= HELD_BYTES:
                X = torch.from_numpy(X[:])
        elif isinstance(X, torch.Tensor):
            X = X.detach() if X.is_floating_point() else X.float()
        else:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
                X = torch.from_numpy(np.ascontiguousarray(X))
        return X, y

    def _weights(
        self, sample_weight: np.ndarray | None, y: np.ndarray, ids: np.ndarray
    ) -> np.ndarray | None:
        """Weights of the rows, times those of their classes; None when all are the same."""
        if sample_weight is not None:
            if sample_weight.shape != y.shape:
                raise InputError(
                    f"sample_weight has shape {sample_weight.shape} for {len(y)} rows; give one "
                    "weight per row"
                )
            if not np.all(np.isfinite(sample_weight)) or np.any(sample_weight < 0):
                raise InputError("sample weights must be finite numbers of at least 0")
            empty = np.flatnonzero(np.bincount(ids, sample_weight) == 0)
            if len(empty):
                label = y[ids == empty[0]][0]
                raise InputError(
                    f"all rows of class '{label}' have zero weight; leave these rows out"
                )
        if self.class_weight is None:
            return sample_weight
        of_classes = compute_sample_weight(self.class_weight, y)
        return of_classes if sample_weight is None else sample_weight * of_classes

    def _check_parameters(self) -> None:
        if not (0 <= self.l1 < np.inf and 0 <= self.l2 < np.inf):
            raise InputError(f"l1={self.l1}, l2={self.l2}: give finite penalties of at least 0")
        if not self.tol > 0:
            raise InputError(f"tol={self.tol}: give a tolerance above 0")
        if self.max_iter < 1:
            raise InputError(f"max_iter={self.max_iter}: give at least 1")
        if not (self.class_weight in (None, "balanced") or isinstance(self.class_weight, dict)):
            raise InputError(
                f"class_weight={self.class_weight!r}: give 'balanced', a weight per class, or None"
            )

    def check_trained_on(self, X: ActivationMatrix, y: np.ndarray) -> None:
        """Raise InputError unless the probe was fitted on these rows of a store and these labels.

        Words it was fitted on must not be tested on, which another split of a corpus does.
        """
        if self.space_ != X.space:
            raise InputError("the probe was fitted on other neurons; give the probe of this store")
        if self.trained_on_ and self.trained_on_ != _fingerprint(X, y):
            raise InputError(
                "the probe was fitted on other words or labels; give the corpus, tag, seed, "
                "minimal count and choice of words it was fitted with"
            )

    def raw_weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights (n_neurons, n_classes) and intercept (n_classes,) on raw activations, float64."""
        check_is_fitted(self)
        weights = (self.coef_ / self.scale_).T
        return weights, self.intercept_ - self.mean_ @ weights

    def logits(self, X: Any) -> np.ndarray:
        """Unnormalised log-probabilities, float64, shape (n, n_classes); streams ``X``."""
        weights, intercept = self.raw_weights()
        if not isinstance(X, ActivationMatrix):
            try:
                X = validate_data(self, load(X), reset=False, ensure_all_finite=False)
            except ValueError as error:
                raise InputError(str(error)) from None
        elif X.shape[1] != len(weights):
            raise InputError(
                f"activations of shape {X.shape}, but {len(weights)} weights per class"
            )
        stream = finite_blocks(X, self.space_)
        return np.concatenate([block @ weights + intercept for _, block in stream])

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

    def save(self, folder: str | Path) -> None:
        """Write ``probe.safetensors`` (arrays) and ``probe.json`` (the rest) into a folder."""
        from safetensors.numpy import save_file

        check_is_fitted(self)
        folder = Path(folder)
        arrays = {name: getattr(self, name) for name in ARRAYS}
        with replacing(folder / "probe.safetensors") as partial:
            save_file(arrays, partial)
        write_json(
            folder / "probe.json",
            {
                "kind": "elastic-net probe",
                "parameters": self.get_params(),
                "classes": self.classes_.tolist(),
                "certificate": vars(self.certificate_),
                "space": self.space_.to_dict(),
                "trained_on": self.trained_on_,
            },
        )

    @classmethod
    def load(cls, folder: str | Path) -> ElasticNetProbe:
        """Read a probe written by :meth:`save`.

        Raises
        ------
        InputError
            When the folder holds no probe.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        folder = Path(folder)
        data = read_json(folder / "probe.json")
        if not isinstance(data, dict) or data.get("kind") != "elastic-net probe":
            raise InputError(f"{folder}: holds no probe; fit one with 'probe'")
        try:
            probe = cls(**data["parameters"])
            arrays = load_file(folder / "probe.safetensors")
            probe.coef_, probe.intercept_, probe.mean_, probe.scale_ = (arrays[n] for n in ARRAYS)
            probe.classes_ = np.array(data["classes"])
            probe.certificate_ = Certificate(**data["certificate"])
            probe.space_ = NeuronSpace.from_dict(data["space"])
            probe.trained_on_ = data.get("trained_on", "")
        except (KeyError, TypeError, OSError, SafetensorError) as error:
            raise InputError(f"{folder}: the probe is damaged ({error}); fit it again") from None
        probe.n_iter_ = probe.certificate_.n_iter
        probe.n_features_in_ = probe.coef_.shape[1]
        return probe


def _fingerprint(X: ActivationMatrix, y: np.ndarray) -> str:
    """Hash of a store's content, the rows taken from it and their labels."""
    return hash_json([X.store.content_hash, X.rows.tolist(), [str(label) for label in y]])


ARRAYS = ("coef_", "intercept_", "mean_", "scale_")
