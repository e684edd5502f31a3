"""Writing an activation store: rows in order, checked, hashed, renamed into place at the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import neurox_lite
from neurox_lite.activations.bfloat16 import to_bfloat16
from neurox_lite.activations.store import FORMAT, FORMAT_VERSION, hash_content
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.files import replacing

DTYPES = ("float32", "float16", "bfloat16")
CHUNK_BYTES = 1 << 20


@dataclass
class StoreWriter:
    """Appends rows to the layers of a store; made by :func:`open_writer`."""

    file: h5py.File
    corpus: TaggedCorpus
    dtype: str
    metadata: Mapping[str, Any]
    row: int = 0
    missing: list[int] = field(default_factory=list)
    hashes: dict[int, Any] = field(default_factory=dict)

    def append(self, layers: Mapping[int, np.ndarray], missing: Sequence[int] = ()) -> None:
        """Write the next rows of every layer.

        Parameters
        ----------
        layers : mapping from layer to (n_rows, width) float32 array
        missing : sequence of int
            Positions among these rows that have no activation; they hold NaN.

        Raises
        ------
        InputError
            When an activation is NaN or infinite, or overflows the store's dtype.
        """
        self.missing.extend(self.row + position for position in missing)
        for layer, array in layers.items():
            with np.errstate(over="ignore"):
                stored = array.astype("float16") if self.dtype == "float16" else array
            self._check_finite(layer, array, stored, missing)
            if self.dtype == "bfloat16":
                stored = to_bfloat16(stored)
            stored = np.ascontiguousarray(stored)
            dataset = self._dataset(layer, stored)
            dataset[self.row : self.row + len(stored)] = stored
            self.hashes[layer].update(stored)
        self.row += len(array)

    def _dataset(self, layer: int, first: np.ndarray) -> h5py.Dataset:
        name = f"layers/{layer}"
        if name in self.file:
            return self.file[name]
        self.hashes[layer] = hashlib.sha256()
        width = first.shape[1]
        chunk_rows = max(1, min(self.corpus.n_tokens, CHUNK_BYTES // (width * first.itemsize)))
        return self.file.create_dataset(
            name, (self.corpus.n_tokens, width), first.dtype, chunks=(chunk_rows, width)
        )

    def _check_finite(
        self, layer: int, array: np.ndarray, stored: np.ndarray, missing: Sequence[int]
    ) -> None:
        bad = ~np.isfinite(stored)
        bad[list(missing)] = False
        if not bad.any():
            return
        position, unit = (int(index) for index in np.argwhere(bad)[0])
        row = self.row + position
        sentence = int(np.searchsorted(self.corpus.sentence_offsets, row, side="right"))
        where = f"layer {layer}, unit {unit}, sentence {sentence}: {int(bad.sum())} activations"
        if np.isfinite(array[position, unit]):
            raise InputError(f"{where} overflow float16; extract with --dtype bfloat16 or float32")
        raise InputError(
            f"{where} are NaN or infinite; run the model in float32 and check its weights"
        )

    def finish(self, counts: Mapping[str, int]) -> None:
        """Write the missing rows and the attributes.

        Raises
        ------
        ValueError
            When not every word of the corpus was written.
        """
        if self.row != self.corpus.n_tokens:
            raise ValueError(f"wrote {self.row} of {self.corpus.n_tokens} rows")
        self.file["missing"] = np.asarray(self.missing, dtype=np.int64)
        checksums = {str(layer): self.hashes[layer].hexdigest() for layer in sorted(self.hashes)}
        content = {
            **self.metadata,
            **counts,
            "dtype": self.dtype,
            "corpus_hash": self.corpus.words_hash,
            "package_version": neurox_lite.__version__,
        }
        self.file.attrs.update(content)
        self.file.attrs["checksums"] = json.dumps(checksums)
        self.file.attrs["content_hash"] = hash_content(content, checksums)
        self.file.attrs["format_version"] = FORMAT_VERSION
        self.file.attrs["format"] = FORMAT


@contextmanager
def open_writer(
    path: str | Path,
    corpus: TaggedCorpus,
    *,
    dtype: str,
    metadata: Mapping[str, Any],
    overwrite: bool = False,
) -> Iterator[StoreWriter]:
    """Open a writer; the store appears under ``path`` only if the block succeeds.

    Raises
    ------
    InputError
        When ``path`` exists and ``overwrite`` is False, the dtype is unknown, or a word has a
        NUL character.
    """
    if dtype not in DTYPES:
        raise InputError(f"unknown dtype '{dtype}'; use {', '.join(DTYPES)}")
    for word in corpus.words():
        if "\0" in word:
            raise InputError(
                f"{corpus.source}: the word {word!r} has a NUL character, which HDF5 text cannot "
                "hold; remove it"
            )
    with replacing(path, overwrite) as partial, h5py.File(partial, "w") as file:
        file["sentence_offsets"] = corpus.sentence_offsets
        tokens = [word.encode() for word in corpus.words()]
        file.create_dataset("tokens", data=tokens, dtype=h5py.string_dtype())
        yield StoreWriter(file, corpus, dtype, metadata)
