"""What the probes have in common: a linear map of standardised activations, fitted and stored."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from neurox_lite.activations.access import finite_blocks, load
from neurox_lite.activations.inputs import (
    LabelledActivations,
    hash_labelled_words,
    require_array,
)
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.arguments import expect, real_number, whole_number
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.certificate import Certificate
from neurox_lite.probing.fit_inputs import FitInputs, validate_fit, validate_weights
from neurox_lite.probing.fit_task import FitTask
from neurox_lite.probing.solver import solve
from neurox_lite.results.arrays import reading_with_arrays, write_with_arrays
from neurox_lite.showing import some, summary

ARRAYS = ("coef_", "intercept_", "mean_", "scale_", "constant_")


class LinearProbe(BaseEstimator, ABC):
    """Outputs ``coef_ (x - mean_) / scale_ + intercept_``; see the two probes for the rest."""

    KIND: ClassVar[str]
    METRIC: ClassVar[str]
    coef_: np.ndarray
    intercept_: np.ndarray
    mean_: np.ndarray
    scale_: np.ndarray
    constant_: np.ndarray
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
        device: str | None = None,
    ):
        self.l1 = l1
        self.l2 = l2
        self.standardize = standardize
        self.tol = tol
        self.max_iter = max_iter
        self.device = device

    def __str__(self) -> str:
        if not hasattr(self, "coef_"):
            return f"{self!r}, not fitted"
        facts = {
            "neurons": self.coef_.shape[-1],
            "classes": some(self.classes_.tolist()) if hasattr(self, "classes_") else None,
            "weights that are not zero": f"{100 * float((self.coef_ != 0).mean()):.3g} %",
            "converged": self.certificate_.converged,
        }
        return summary(" ".join(repr(self).split()), facts)

    def check_parameters(self) -> None:
        """Raise InputError when a parameter is out of range."""
        for name in ("l1", "l2", "tol"):
            real_number(getattr(self, name), name)
        whole_number(self.max_iter, "max_iter")
        if not (0 <= self.l1 < np.inf and 0 <= self.l2 < np.inf):
            raise InputError(f"l1={self.l1}, l2={self.l2}: give finite penalties of at least 0")
        if not self.tol > 0:
            raise InputError(f"tol={self.tol}: give a tolerance above 0")
        if self.max_iter < 1:
            raise InputError(f"max_iter={self.max_iter}: give at least 1")

    @abstractmethod
    def fit_task(self, inputs: FitInputs, y: np.ndarray, weights: np.ndarray | None) -> FitTask:
        """What is minimised.

        Parameters
        ----------
        inputs : FitInputs
        y : (n,) array
            Labels.
        weights : (n, n_problems) array, optional
            How much the rows count in each of several problems.
        """

    def _fit(self, X: Any, y: Any, sample_weight: Any, start: LinearProbe | None) -> Self:
        """What the ``fit`` of both probes does."""
        self.check_parameters()
        X, raw, y = validate_fit(self, X, y)
        sample_weight = validate_weights(sample_weight, len(y))
        task_weights = None if sample_weight is None else sample_weight[:, None]
        inputs = FitInputs.of(
            X, raw, sample_weight, standardize=self.standardize, device=self.device
        )
        task = self.fit_task(inputs, y, task_weights)
        at = None if start is None else task.start_at(start)
        W, b, [certificate] = solve(task.problem, tol=self.tol, max_iter=self.max_iter, start=at)
        self.trained_on_ = hash_labelled_words(X, y)
        self.set_solution(inputs, *task.solution(W[:, 0], b[0], certificate), task.learned[0])
        return self

    def set_solution(
        self,
        inputs: FitInputs,
        W: torch.Tensor,
        b: torch.Tensor,
        certificate: Certificate,
        learned: Mapping[str, Any],
    ) -> None:
        """Become the probe that a solver found; warn when it is not at the optimum.

        Parameters
        ----------
        inputs : FitInputs
        W : (n_neurons, n_outputs) tensor
        b : (n_outputs,) tensor
        certificate : Certificate
        learned : dict
            Attributes that the labels give.
        """
        if not (torch.isfinite(W).all() and torch.isfinite(b).all()):
            raise InputError(
                "the activations or penalties are too large to compute with; standardise them or "
                "give float64"
            )
        self.coef_ = np.ascontiguousarray(W.T.cpu().numpy())
        self.intercept_ = b.cpu().numpy()
        for name, value in learned.items():
            setattr(self, name, value)
        self.mean_, self.scale_, self.constant_ = inputs.mean, inputs.scale, inputs.constant
        self.certificate_, self.n_iter_ = certificate, certificate.n_iter
        self.space_ = inputs.space
        self.n_features_in_ = len(inputs.mean)
        if not certificate.converged:
            warnings.warn(_why_not_converged(certificate), ConvergenceWarning, stacklevel=3)

    def raw_weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights (n_neurons, n_outputs) and intercept (n_outputs,) on raw activations, float64."""
        check_is_fitted(self)
        weights = (self.coef_ / self.scale_).T
        return weights, self.intercept_ - self.mean_ @ weights

    def outputs(self, X: Any) -> np.ndarray:
        """The linear map of raw activations, float64, shape (n, n_outputs); streams ``X``."""
        weights, intercept = self.raw_weights()
        X = X.X if isinstance(X, LabelledActivations) else X
        if not isinstance(X, ActivationMatrix):
            require_array(X)
            X = load(X) if isinstance(X, torch.Tensor) else X
            try:
                X = validate_data(self, X, reset=False, ensure_all_finite=False)
            except ValueError as error:
                raise InputError(str(error)) from None
        elif X.shape[1] != len(weights):
            raise InputError(
                f"activations of shape {X.shape}, but {len(weights)} weights per output"
            )
        stream = finite_blocks(X, self.space_)
        return np.concatenate([block @ weights + intercept for _, block in stream])

    @abstractmethod
    def weight_scores(self) -> np.ndarray:
        """What each neuron is worth by its weights, float64 of shape (n_neurons,)."""

    @abstractmethod
    def error(self, outputs: np.ndarray, y: np.ndarray) -> float:
        """How wrong outputs (n, n_outputs) are, summed; ``score`` is 1 - error / largest."""

    @abstractmethod
    def largest_error(self, y: np.ndarray) -> float:
        """The error at which ``score`` is 0."""

    @abstractmethod
    def score_without_neurons(self, y: np.ndarray, y_test: np.ndarray) -> float:
        """The score on ``y_test`` of one answer for all rows, the best for ``y``."""

    def check_neurons(self, data: LabelledActivations) -> None:
        """Raise InputError unless activations are of the neurons that the probe was fitted on."""
        if data.space.n_neurons != self.coef_.shape[1]:
            raise InputError(
                f"activations of {data.space.n_neurons} neurons, a probe of {self.coef_.shape[1]}; "
                "give those it was fitted on"
            )
        if isinstance(data.X, ActivationMatrix) and data.space != self.space_:
            raise InputError(
                "the probe was fitted on other neurons; give the layers it was fitted on"
            )

    def check_trained_on(self, data: LabelledActivations) -> None:
        """Raise InputError unless the probe was fitted on these rows of a store and these labels.

        Words it was fitted on must not be tested on, which another split of a corpus does.
        """
        if self.space_ != data.space:
            raise InputError("the probe was fitted on other neurons; give the probe of this store")
        if self.trained_on_ and self.trained_on_ != hash_labelled_words(data.X, data.y):
            raise InputError(
                "the probe was fitted on other words or labels; give the corpus, tag, label, "
                "seed, minimal count and choice of words it was fitted with"
            )

    def save(self, folder: str | Path) -> None:
        """Write ``probe.safetensors`` (arrays) and ``probe.json`` (the rest) into a folder."""
        check_is_fitted(self)
        data = {
            "kind": self.KIND,
            "parameters": {name: plain(value) for name, value in self.get_params().items()},
            "certificate": vars(self.certificate_),
            "space": self.space_.to_dict(),
            "trained_on": self.trained_on_,
            **self._extra(),
        }
        write_with_arrays(folder, "probe", data, {name: getattr(self, name) for name in ARRAYS})

    def _extra(self) -> dict[str, Any]:
        """What else the file holds, JSON-ready."""
        return {}

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a probe written by :meth:`save`.

        Raises
        ------
        InputError
            When the folder holds no such probe, or a damaged one.
        """
        with reading_with_arrays(folder, "probe") as (data, read_arrays):
            if not isinstance(data, dict) or data.get("kind") != cls.KIND:
                raise InputError(f"{folder}: does not hold an {cls.KIND}; fit one with 'probe'")
            try:
                probe = cls(**data["parameters"])
                arrays = read_arrays()
                for name in ARRAYS:
                    setattr(probe, name, arrays[name])
                probe.certificate_ = Certificate(**data["certificate"])
                probe.space_ = NeuronSpace.from_dict(data["space"])
                probe.trained_on_ = data.get("trained_on", "")
                probe._read_extra(data)
            except (KeyError, TypeError, ValueError, OSError) as error:
                raise InputError(
                    f"{folder}: the probe is damaged ({error}); fit it again"
                ) from None
        probe.n_iter_ = probe.certificate_.n_iter
        probe.n_features_in_ = probe.coef_.shape[1]
        return probe

    def _read_extra(self, data: dict[str, Any]) -> None:
        """Take back what :meth:`_extra` gave."""


def _why_not_converged(certificate: Certificate) -> str:
    if certificate.kind == "separable":
        return (
            "without a penalty there is no optimum, as the classes are separable: the weights are "
            f"those after {certificate.n_iter} passes; give l1 or l2"
        )
    return (
        f"the probe did not converge: {certificate.kind} {certificate.value:.1e} after "
        f"{certificate.n_iter} passes, above tol={certificate.tol:.1e}; raise max_iter or the "
        "penalties"
    )


def require_fitted(probe: Any, kind: type[LinearProbe] = LinearProbe) -> None:
    """Raise InputError unless it is a fitted probe.

    Parameters
    ----------
    probe : object
    kind : class
        Of the probe; either by default.
    """
    wanted = "ElasticNetProbe or ElasticNetRegression" if kind is LinearProbe else kind.__name__
    expect(probe, kind, "probe", f"a fitted {wanted}")
    if not hasattr(probe, "coef_"):
        raise InputError("the probe is not fitted; call its fit() first")


def plain(value: Any) -> Any:
    """A parameter as JSON can hold it; a dict as pairs, since keys of JSON are strings."""
    if isinstance(value, dict):
        return [[plain(key), plain(entry)] for key, entry in value.items()]
    return value.item() if isinstance(value, np.generic) else value
