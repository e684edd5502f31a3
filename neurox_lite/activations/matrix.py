"""Some rows and layers of a store as one array-like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.showing import some

if TYPE_CHECKING:
    from neurox_lite.activations.store import ActivationStore

BLOCK_ROWS, BLOCK_NUMBERS = 4096, 4 << 20
"""Rows of a block, unless these would be more numbers: 16 MB of float32. Memory of more than 32 MB
is asked of the system anew for every block, which takes longer than to read it."""


def rows_at_once(n_neurons: int, most: int = BLOCK_ROWS) -> int:
    """Rows of a block of so many neurons: a power of two, as those of a chunk are."""
    n_rows = max(1, BLOCK_NUMBERS // max(1, n_neurons))
    return min(most, 1 << (n_rows.bit_length() - 1))


class ActivationMatrix:
    """Rows and layers of a store as an array-like of shape (n_rows, n_neurons).

    ``X[rows]`` reads those rows; ``X.blocks()`` streams all of them; ``numpy.asarray(X)`` loads
    them whole, at ``n_rows * n_neurons * X.dtype.itemsize`` bytes. bfloat16 is read as float32.
    """

    ndim = 2

    def __init__(self, store: ActivationStore, space: NeuronSpace, rows: np.ndarray | None = None):
        self.store = store
        self.space = space
        self.rows = np.arange(store.n_rows) if rows is None else np.asarray(rows, dtype=np.int64)
        if len(self.rows) and (
            self.rows[0] < 0 or self.rows[-1] >= store.n_rows or np.any(np.diff(self.rows) < 0)
        ):
            raise InputError(f"{store.path}: rows must ascend between 0 and {store.n_rows - 1}")
        stored = store.metadata["dtype"]
        self.dtype = np.dtype("float32" if stored == "bfloat16" else stored)

    def __repr__(self) -> str:
        layers = some(self.space.layers)
        return f"ActivationMatrix({self.shape}, {self.dtype}, layers {layers}, {self.store!r})"

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), self.space.n_neurons

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: slice) -> np.ndarray:
        """Read a slice of rows from disk; shape (n_selected, n_neurons)."""
        if not isinstance(index, slice) or index.step not in (None, 1):
            raise InputError(
                "an activation matrix is read by rows, X[start:stop]; one neuron is "
                "X[start:stop][:, column]"
            )
        start, stop, _ = index.indices(len(self))
        out = np.empty((max(stop - start, 0), self.space.n_neurons), self.dtype)
        for block_start, block in self._blocks(start, stop):
            if len(block) == len(out):
                return block  # not copied
            out[block_start - start : block_start - start + len(block)] = block
        return out

    def blocks(self, n_rows: int = BLOCK_ROWS) -> Iterator[tuple[int, np.ndarray]]:
        """Stream all rows: (position of the block's first row, block) of at most n_rows rows.

        A block has at most 16 MB of float32, however many neurons there are.
        """
        return self._blocks(0, len(self), n_rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self[:]
        return array if dtype is None else array.astype(dtype, copy=False)

    def _blocks(
        self, start: int, stop: int, n_rows: int = BLOCK_ROWS
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Read spans of at most n_rows neighbouring rows of the file and keep the wanted ones."""
        n_rows = rows_at_once(self.space.n_neurons, n_rows)
        while start < stop:
            first = int(self.rows[start])
            end = min(stop, start + n_rows, int(np.searchsorted(self.rows, first + n_rows)))
            wanted = self.rows[start:end] - first
            is_whole = bool(np.all(np.diff(wanted) == 1))
            spans = (
                self.store._read(layer, first, first + int(wanted[-1]) + 1)
                for layer in self.space.layers
            )
            if len(self.space.layers) == 1 and is_whole:
                yield start, next(spans)
            else:
                block = np.empty((len(wanted), self.space.n_neurons), self.dtype)
                for layer, span in zip(self.space.layers, spans, strict=True):
                    block[:, self.space.columns(layer)] = span if is_whole else span[wanted]
                yield start, block
            start = end
