"""One way to read activations, whether they are an array, a tensor or a view of a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import torch

from neurox_lite.activations.matrix import BLOCK_ROWS, ActivationMatrix, rows_at_once
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace

COLUMN_NUMBERS = 32 << 20
"""Numbers in a block of columns."""

READ_ROWS, SMALL_ROWS = 1024, 256
"""Rows that are read, and worked on, at a time; the latter with all made of them fit a cache."""

Item = TypeVar("Item")


def space_of(X: Any) -> NeuronSpace:
    """The neurons that the columns of ``X`` are; a plain array is one layer of its own."""
    return X.space if isinstance(X, ActivationMatrix) else NeuronSpace.of_array(X.shape[1])


def layers_of(X: Any, space: NeuronSpace, layers: Sequence[int]) -> Any:
    """Some layers of ``X``, which are not copied.

    Parameters
    ----------
    X : (n_rows, n_neurons) array, tensor or store's matrix
    space : NeuronSpace
        Of the columns of ``X``.
    layers : sequence of int
        Neighbours in the space when ``X`` is no store's matrix.
    """
    if isinstance(X, ActivationMatrix):
        return X.store.matrix(layers, X.rows)
    return X[:, space.columns(layers[0]).start : space.columns(layers[-1]).stop]


def load(X: Any) -> np.ndarray:
    """``X`` in memory, shape (n_rows, n_neurons); arrays and CPU tensors are not copied."""
    if isinstance(X, torch.Tensor):
        X = X.detach().cpu()
        X = (X.float() if X.dtype == torch.bfloat16 else X).numpy()
    return np.asarray(X)


def take_rows(X: Any, positions: np.ndarray) -> Any:
    """Some rows of ``X``, as what it is: array, tensor, or matrix that stays on disk.

    Parameters
    ----------
    X : (n, n_neurons) array-like
    positions : (m,) int array
        Ascending, without repeats.
    """
    if len(positions) == len(X):
        return X  # not copied
    if isinstance(X, ActivationMatrix):
        return ActivationMatrix(X.store, X.space, X.rows[positions])
    if isinstance(X, torch.Tensor):
        return X[torch.from_numpy(positions).to(X.device)]
    return np.asarray(X)[positions]


def blocks(X: Any, n_rows: int = BLOCK_ROWS) -> Iterator[tuple[int, np.ndarray]]:
    """Stream ``X`` as (first row, block of at most ``n_rows`` rows, and 16 MB of float32)."""
    if isinstance(X, ActivationMatrix):
        yield from X.blocks(n_rows)
        return
    array = load(X)
    n_rows = rows_at_once(array.shape[1], n_rows)
    for start in range(0, len(array), n_rows):
        yield start, array[start : start + n_rows]


def read_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, none of them None; the next is made, in a thread, while one is used."""
    with ThreadPoolExecutor(1, "read ahead") as reader:
        following = reader.submit(next, items, None)
        while (item := following.result()) is not None:
            following = reader.submit(next, items, None)
            yield item


def tensor_blocks(X: Any, n_rows: int = 2048) -> Iterator[tuple[int, torch.Tensor]]:
    """:func:`blocks` as tensors of the dtype and on the device that ``X`` has."""
    if isinstance(X, torch.Tensor):
        n_rows = rows_at_once(X.shape[1], n_rows)
        for start in range(0, len(X), n_rows):
            yield start, X[start : start + n_rows].detach()
        return
    read = blocks(X, n_rows)
    for start, block in read_ahead(read) if isinstance(X, ActivationMatrix) else read:
        yield start, as_tensor(block)


def as_tensor(block: np.ndarray) -> torch.Tensor:
    """A block as a tensor; copied only if torch cannot use its memory as it is."""
    dtype = np.float64 if block.dtype.itemsize > 8 else block.dtype.newbyteorder("=")
    return torch.from_numpy(np.require(block, dtype, ["C", "W"]))


def row_blocks(*matrices: Any, n_rows: int) -> Iterator[tuple[int, tuple[torch.Tensor, ...]]]:
    """The same rows of all matrices, on the CPU, as (first row, blocks of ``n_rows`` rows).

    Those of a store end where those of an array do, unlike :func:`tensor_blocks`.
    """
    given = [X if isinstance(X, ActivationMatrix | torch.Tensor) else load(X) for X in matrices]

    def read() -> Iterator[tuple[int, tuple[torch.Tensor, ...]]]:
        for start in range(0, len(given[0]), n_rows):
            parts = (X[start : start + n_rows] for X in given)
            yield (
                start,
                tuple(
                    part.detach().cpu() if isinstance(part, torch.Tensor) else as_tensor(part)
                    for part in parts
                ),
            )

    is_stored = any(isinstance(X, ActivationMatrix) for X in given)
    yield from read_ahead(read()) if is_stored else read()


def small_blocks(X: Any) -> Iterator[tuple[int, torch.Tensor]]:
    """Stream ``X`` as (first row, tensor of at most 256 rows), read in larger blocks."""
    for start, block in tensor_blocks(X, READ_ROWS):
        for part in block.split(SMALL_ROWS):
            yield start, part
            start += len(part)


def finite_blocks(X: Any, space: NeuronSpace) -> Iterator[tuple[int, np.ndarray]]:
    """:func:`blocks`, checked by :func:`check_finite`."""
    for start, block in blocks(X):
        check_finite(block, start, space, X)
        yield start, block


def require_finite(X: Any, space: NeuronSpace | None = None) -> None:
    """Raise InputError that names the first bad row and neuron of an array, in one pass over it.

    For a caller that continues with parts of ``X``, whose own errors would name rows and columns of
    the part. The parts of a store's matrix know theirs.
    """
    if not isinstance(X, ActivationMatrix):
        for _ in finite_blocks(X, space or space_of(X)):
            pass


def check_finite(block: np.ndarray, start: int, space: NeuronSpace, X: Any) -> None:
    """Raise InputError that names the first NaN or infinite row and neuron of a block of ``X``."""
    finite = np.isfinite(block)
    if finite.all():
        return
    row, column = (int(index) for index in np.argwhere(~finite)[0])
    kind = "NaN" if np.isnan(block[row, column]) else "infinite"
    where = f"row {start + row}"
    if isinstance(X, ActivationMatrix):
        where = f"row {X.rows[start + row]} of {X.store.path}"
    raise InputError(
        f"activation of neuron {space.neuron(column)} in {where} is {kind}; "
        "leave out or extract again the words concerned"
    )


def column_blocks(X: Any, space: NeuronSpace) -> Iterator[tuple[int, np.ndarray]]:
    """Stream ``X`` by columns, as (first column, (n_rows, width) block), checked to be finite.

    A block has at most 128 MB of float32, or one column. Of a store, a layer is read once for
    every block of it.
    """
    width = max(1, COLUMN_NUMBERS // len(X))
    for layer in space.layers:
        part, of_part = layers_of(X, space, [layer]), space.select([layer])
        for start in range(0, of_part.n_neurons, width):
            columns = slice(start, min(start + width, of_part.n_neurons))
            taken = []
            for row, rows in blocks(part):
                if start == 0:
                    check_finite(rows, row, of_part, part)
                taken.append(rows[:, columns].copy())
            yield space.columns(layer).start + start, np.concatenate(taken)
