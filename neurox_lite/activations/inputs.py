"""What rankers are given: activations and labels, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.utils.multiclass import check_classification_targets

from neurox_lite.activations.access import (
    checked_activations,
    space_of,
)
from neurox_lite.activations.store import ActivationMatrix
from neurox_lite.errors import InputError
from neurox_lite.json_files import hash_json
from neurox_lite.labels import validate_labels
from neurox_lite.neurons import NeuronSpace
from neurox_lite.showing import short_repr


@dataclass(frozen=True)
class Labelled:
    """Activations and the class of every row.

    Attributes
    ----------
    X : (n, n_neurons) array, tensor or store's matrix
    space : NeuronSpace
    classes : (n_classes,) array
        Sorted.
    ids : (n,) int array
        Number of the class of each row.
    """

    X: Any
    space: NeuronSpace
    classes: np.ndarray
    ids: np.ndarray

    __repr__ = short_repr

    @property
    def provenance(self) -> dict[str, Any]:
        """The number of words, and of words of a store a hash of them and their labels."""
        words = {"n_words": len(self.ids)}
        identity = fingerprint(self.X, self.classes[self.ids])
        return {**words, "words": identity} if identity else words

    @property
    def class_names(self) -> tuple[Any, ...]:
        """The classes as Python has them."""
        return tuple(self.classes.tolist())

    def one_hot(self, start: int, stop: int, like: torch.Tensor) -> torch.Tensor:
        """Classes of some rows as (n_classes, n_rows) zeros and ones, float32 on a device."""
        ids = torch.from_numpy(self.ids[start:stop]).to(like.device)
        return (ids == torch.arange(len(self.classes), device=like.device)[:, None]).float()


def validate_inputs(X: Any, y: Any) -> Labelled:
    """Check activations (n, n_neurons) and labels (n,); nothing is read from the disk.

    Raises
    ------
    InputError
        As :func:`checked_activations` and :func:`neurox_lite.labels.validate_labels`, or when there
        are fewer than two classes.
    """
    X = checked_activations(X)
    classes, ids = class_ids(validate_labels(y, X.shape[0]))
    return Labelled(X, space_of(X), classes, ids)


def sample_rows(ids: np.ndarray, n_rows: int, seed: int) -> np.ndarray:
    """Numbers of about ``n_rows`` rows, ascending, with the same share of every class.

    Parameters
    ----------
    ids : (n,) int array
        Class of every row.
    n_rows : int
        Every class has at least one row, so there may be a few more.
    seed : int
    """
    if len(ids) <= n_rows:
        return np.arange(len(ids))
    rng = np.random.default_rng(seed)
    of_classes = []
    for number in np.unique(ids):
        rows = np.flatnonzero(ids == number)
        size = int(np.ceil(len(rows) * n_rows / len(ids)))
        of_classes.append(rng.choice(rows, size=size, replace=False))
    return np.sort(np.concatenate(of_classes))


def fingerprint(X: Any, y: np.ndarray) -> str:
    """Hash of a store's content, the rows taken from it and their labels; "" for an array."""
    if not isinstance(X, ActivationMatrix):
        return ""
    return hash_json([X.store.content_hash, X.rows.tolist(), [str(label) for label in y]])


def class_ids(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes, sorted, and the number of each row's class, (n,).

    Raises
    ------
    InputError
        When there are fewer than two classes, or labels are no classes.
    """
    try:
        check_classification_targets(y)
    except ValueError as error:
        raise InputError(f"{error}; for numbers fit an ElasticNetRegression") from None
    classes, ids = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise InputError(f"only one class, '{classes[0]}'; a probe needs at least two")
    return classes, ids
