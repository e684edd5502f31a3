"""What rankers are given: activations and labels, checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neurox_lite.activations.arrays import space_of, tensor_blocks
from neurox_lite.activations.store import ActivationMatrix
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.inputs import refuse_sparse
from neurox_lite.probing.linear import fingerprint
from neurox_lite.probing.probe import class_ids
from neurox_lite.showing import short_repr

READ_ROWS, SMALL_ROWS = 1024, 256
"""Rows that are read, and worked on, at a time; the latter with all made of them fit a cache."""


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
    def class_names(self) -> tuple[str, ...]:
        return tuple(str(label) for label in self.classes)

    def one_hot(self, start: int, stop: int, like: torch.Tensor) -> torch.Tensor:
        """Classes of some rows as (n_classes, n_rows) zeros and ones, float32 on a device."""
        ids = torch.from_numpy(self.ids[start:stop]).to(like.device)
        return (ids == torch.arange(len(self.classes), device=like.device)[:, None]).float()


def checked_activations(X: Any) -> Any:
    """``X`` as something with two dimensions and numbers; integers become float32.

    Raises
    ------
    InputError
        When ``X`` is sparse, holds no real numbers, or is no matrix with rows.
    """
    refuse_sparse(X)
    if isinstance(X, ActivationMatrix):
        return X
    if not isinstance(X, torch.Tensor):
        X = np.asarray(X)
        if X.dtype.kind not in "fiub":
            raise InputError(f"activations of type {X.dtype}; give real numbers")
        X = X if X.dtype.kind == "f" else X.astype(np.float32)
    elif X.is_complex():
        raise InputError(f"activations of type {X.dtype}; give real numbers")
    else:
        X = X.detach() if X.is_floating_point() else X.float()
    if X.ndim != 2 or not all(X.shape):
        raise InputError(f"activations of shape {tuple(X.shape)}; give (n_words, n_neurons)")
    return X


def labelled(X: Any, y: Any) -> Labelled:
    """Check activations (n, n_neurons) and labels (n,); nothing is read from the disk.

    Raises
    ------
    InputError
        As :func:`checked_activations`, when there is not one label per row, fewer than two
        classes, or a label is empty.
    """
    X = checked_activations(X)
    y = np.asarray(y)
    if y.shape != (X.shape[0],):
        raise InputError(f"{X.shape[0]} rows of activations, labels of shape {y.shape}; one each")
    classes, ids = class_ids(y)
    return Labelled(X, space_of(X), classes, ids)


def small_blocks(X: Any) -> Iterator[tuple[int, torch.Tensor]]:
    """Stream ``X`` as (first row, tensor of at most 256 rows), read in larger blocks."""
    for start, block in tensor_blocks(X, READ_ROWS):
        for part in block.split(SMALL_ROWS):
            yield start, part
            start += len(part)


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
