"""One store out of the stores of its sections: copied into one file, or virtually."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurox_lite.activations.hdf5 import NewFile, RowWriter, new_hdf5
from neurox_lite.activations.store import BLOCK_ROWS, ActivationStore
from neurox_lite.activations.writer import Head, create_layer, write_head
from neurox_lite.files import replacing


def join(parts: Sequence[Path], head: Head, out: Path, *, overwrite: bool = False) -> None:
    """Copy the layers of stores one after another into one file.

    Memory: one block of rows.

    Parameters
    ----------
    parts : sequence of paths
        Stores of neighbouring sections of one corpus, in order.
    head : Head
        What the store says about itself.
    out : path
    overwrite : bool

    Raises
    ------
    InputError
        When ``out`` exists.
    """
    size = sum(part.stat().st_size for part in parts)
    with replacing(out, overwrite) as partial, new_hdf5(partial, size) as file:
        checksums = _copy_layers(parts, head, file)
        write_head(file.hdf5, head, checksums, _missing(parts))


def _copy_layers(parts: Sequence[Path], head: Head, file: NewFile) -> list[Any]:
    checksums: list[Any] = []
    layers: dict[int, RowWriter] = {}
    row = 0
    for part in parts:
        with ActivationStore(part) as store:
            for layer in store.space.layers:
                for start in range(0, store.n_tokens, BLOCK_ROWS):
                    block = store.stored(layer, start, start + BLOCK_ROWS)
                    if layer not in layers:
                        shape = (head.corpus.n_tokens, block.shape[1])
                        layers[layer] = create_layer(file, layer, shape, block.dtype)
                    layers[layer].write(row + start, block)
            checksums += store.metadata["checksums"]
            row += store.n_tokens
    return checksums


def join_virtually(parts: Sequence[Path], head: Head, out: Path) -> None:
    """Write a file whose layers lie in the files of other stores, below its own folder."""
    opened = [ActivationStore(part) for part in parts]
    try:
        with replacing(out) as partial, new_hdf5(partial) as file:
            for layer in opened[0].space.layers:
                width = opened[0].space.select([layer]).n_neurons
                kind = opened[0].stored(layer, 0, 1).dtype
                layout = h5py.VirtualLayout((head.corpus.n_tokens, width), kind)
                row = 0
                for store in opened:
                    name = store.path.relative_to(out.parent).as_posix()
                    shape = (store.n_tokens, width)
                    source = h5py.VirtualSource(name, f"layers/{layer}", shape, kind)
                    layout[row : row + store.n_tokens] = source
                    row += store.n_tokens
                file.hdf5.create_virtual_dataset(f"layers/{layer}", layout)
            shards = [
                {"file": p.relative_to(out.parent).as_posix(), "bytes": p.stat().st_size}
                for p in parts
            ]
            file.hdf5["shards"] = json.dumps(shards)
            checksums = [entry for store in opened for entry in store.metadata["checksums"]]
            write_head(file.hdf5, head, checksums, _missing(parts))
    finally:
        for store in opened:
            store.close()


def _missing(parts: Sequence[Path]) -> np.ndarray:
    """Rows without activations, counted from the first row of all parts."""
    rows, first = [], 0
    for part in parts:
        with ActivationStore(part) as store:
            rows.append(store.missing + first)
            first += store.n_tokens
    return np.concatenate(rows)
