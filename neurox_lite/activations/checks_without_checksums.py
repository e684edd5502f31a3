"""Checks of a store's file that does not end in checksums, before HDF5 reads its activations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurox_lite.activations.checksums import DamagedError
from neurox_lite.activations.safe_hdf5 import one_line, open_hdf5
from neurox_lite.activations.structure import hash_content, read_contents
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

BLOCK_WORDS = 1 << 16
OTHER_WORDS = "the words are not those of the corpus it was made from (their hashes differ)"


def check_without_checksums(path: str) -> Iterator[dict[str, Any]]:
    """Check a file that does not end in checksums, as far as it goes without its activations.

    Reads what HDF5 may hang or crash on, so it is called in a process of its own. Yields what is
    being done, at least every few seconds; raises InputError when something is wrong.
    """
    with open_hdf5(path) as file:
        contents = read_contents(file, path)
        with one_line(path):
            content_hash = hash_content(contents.metadata, contents.checksums)
            if content_hash != contents.metadata["content_hash"]:
                raise DamagedError(
                    f"{path}: the attributes were changed after it was written; put back a copy or "
                    "extract again"
                )
            names = {shard["file"] for shard in contents.shards}
            for layer in contents.widths:
                yield {"at": f"the index of layer {layer}"}
                _check_places(file[f"layers/{layer}"], names, path, layer)
            words: list[str] = []
            for start in range(0, contents.n_rows, BLOCK_WORDS):
                yield {"at": f"the words from row {start} on"}
                words += [word.decode() for word in file["tokens"][start : start + BLOCK_WORDS]]
            yield {"at": "the words"}
            found = hash_words(words, contents.sentence_offsets, contents.special)
            if found != contents.metadata["corpus_hash"]:
                raise DamagedError(f"{path}: {OTHER_WORDS}; put back a copy or extract again")


def hash_words(words: list[str], sentence_offsets: np.ndarray, special: np.ndarray) -> str:
    """The ``corpus_hash`` of the words of a store, one per row."""
    sentences = [words[first:last] for first, last in pairwise(sentence_offsets)]
    return TaggedCorpus(sentences).without_rows(special).words_hash


def _check_places(layer: h5py.Dataset, shards: set[str], path: str | Path, number: int) -> None:
    """Check where a layer has its data."""
    if layer.is_virtual:
        for source in layer.virtual_sources():
            name = source.dset_name.lstrip("/")
            if source.file_name not in shards or name != f"layers/{number}":
                raise InputError(
                    f"{path}: layer {number} has rows in {source.file_name}, which is not one of "
                    "its shards and is not read; give a store that holds its own data"
                )
    elif layer.chunks:
        size = Path(path).stat().st_size
        chunks: list[Any] = []
        layer.id.chunk_iter(chunks.append)
        spans = sorted((chunk.byte_offset, chunk.byte_offset + chunk.size) for chunk in chunks)
        rows = layer.chunks[0]
        expected = [(first, 0) for first in range(0, layer.shape[0], rows)]
        chunk_bytes = rows * layer.shape[1] * layer.dtype.itemsize
        whole = all(chunk.size >= chunk_bytes for chunk in chunks)
        apart = all(first[1] <= second[0] for first, second in pairwise(spans))
        placed = sorted(chunk.chunk_offset for chunk in chunks) == expected
        if not (whole and apart and placed and spans[-1][1] <= size):
            raise DamagedError(
                f"{path}: damaged: the index of layer {number} is not that of its rows; "
                "extract again"
            )
