"""One store out of the stores of its sections: copied into one file, or virtually."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurox_lite.activations.hdf5 import NewFile, RowWriter, new_store_file
from neurox_lite.activations.matrix import BLOCK_ROWS
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import StoreHeader, create_layer, write_head
from neurox_lite.files import atomic_write


def join(parts: Sequence[Path], head: StoreHeader, out: Path, *, overwrite: bool = False) -> None:
    """Copy the layers of stores one after another into one file, a block of rows in memory.

    The stores are of neighbouring sections of one corpus, in order.
    """
    size = sum(part.stat().st_size for part in parts)
    with atomic_write(out, overwrite) as partial, new_store_file(partial, size) as file:
        checksums, missing = _copy_layers(parts, head, file)
        write_head(file.hdf5, head, checksums, missing)


def _copy_layers(
    parts: Sequence[Path], head: StoreHeader, file: NewFile
) -> tuple[list[Any], np.ndarray]:
    """Copy all rows; give the checksums of all parts, and the rows without activations."""
    checksums: list[Any] = []
    missing: list[np.ndarray] = []
    layers: dict[int, RowWriter] = {}
    row = 0
    for part in parts:
        with ActivationStore(part) as store:
            for layer in store.space.layers:
                for start in range(0, store.n_rows, BLOCK_ROWS):
                    block = store.stored(layer, start, start + BLOCK_ROWS)
                    if layer not in layers:
                        shape = (head.corpus.n_words, block.shape[1])
                        layers[layer] = create_layer(file, layer, shape, block.dtype)
                    layers[layer].write(row + start, block)
            missing.append(store.missing + row)
            checksums += store.metadata["checksums"]
            row += store.n_rows
    return checksums, np.concatenate(missing)


def join_virtually(parts: Sequence[Path], head: StoreHeader, out: Path) -> None:
    """Write a file whose layers lie in the files of other stores, below its own folder."""
    names = [part.relative_to(out.parent).as_posix() for part in parts]
    layouts: dict[int, h5py.VirtualLayout] = {}
    checksums: list[Any] = []
    missing: list[np.ndarray] = []
    row = 0
    # One after another: a process may not have as many files open as there may be shards.
    for part, name in zip(parts, names, strict=True):
        with ActivationStore(part) as store:
            for layer, width in zip(store.space.layers, store.space.widths, strict=True):
                kind = store.stored(layer, 0, 0).dtype
                if layer not in layouts:
                    layouts[layer] = h5py.VirtualLayout((head.corpus.n_words, width), kind)
                shape = (store.n_rows, width)
                source = h5py.VirtualSource(name, f"layers/{layer}", shape, kind)
                layouts[layer][row : row + store.n_rows] = source
            missing.append(store.missing + row)
            checksums += store.metadata["checksums"]
            row += store.n_rows
    with atomic_write(out) as partial, new_store_file(partial) as file:
        for layer, layout in layouts.items():
            file.hdf5.create_virtual_dataset(f"layers/{layer}", layout)
        shards = [
            {"file": name, "bytes": part.stat().st_size}
            for part, name in zip(parts, names, strict=True)
        ]
        file.hdf5["shards"] = json.dumps(shards)
        write_head(file.hdf5, head, checksums, np.concatenate(missing))
