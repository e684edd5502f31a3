"""One way to read activations, whether they are an array, a tensor or a view of a store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from neurox_lite.activations.store import BLOCK_ROWS, ActivationMatrix
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace


def space_of(X: Any) -> NeuronSpace:
    """The neurons that the columns of ``X`` are; a plain array is one layer of its own."""
    return X.space if isinstance(X, ActivationMatrix) else NeuronSpace.of_array(X.shape[1])


def load(X: Any) -> np.ndarray:
    """``X`` in memory, shape (n_rows, n_neurons); arrays and CPU tensors are not copied."""
    if isinstance(X, torch.Tensor):
        X = X.detach().cpu()
        X = (X.float() if X.dtype == torch.bfloat16 else X).numpy()
    return np.asarray(X)


def blocks(X: Any, n_rows: int = BLOCK_ROWS) -> Iterator[tuple[int, np.ndarray]]:
    """Stream ``X`` as (first row, block of at most ``n_rows`` rows)."""
    if isinstance(X, ActivationMatrix):
        yield from X.blocks(n_rows)
        return
    array = load(X)
    for start in range(0, len(array), n_rows):
        yield start, array[start : start + n_rows]


def finite_blocks(
    X: Any, space: NeuronSpace, origin: Any = None
) -> Iterator[tuple[int, np.ndarray]]:
    """:func:`blocks`; raises InputError that names the first NaN or infinite row and neuron.

    ``origin`` is the store's matrix that an array in memory was loaded from, for the message.
    """
    origin = X if origin is None else origin
    for start, block in blocks(X):
        finite = np.isfinite(block)
        if not finite.all():
            row, column = (int(index) for index in np.argwhere(~finite)[0])
            kind = "NaN" if np.isnan(block[row, column]) else "infinite"
            where = f"row {start + row}"
            if isinstance(origin, ActivationMatrix):
                where = f"row {origin.rows[start + row]} of {origin.store.path}"
            raise InputError(
                f"activation of neuron {space.neuron(column)} in {where} is {kind}; "
                "leave out or extract again the words concerned"
            )
        yield start, block
