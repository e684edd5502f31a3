"""Writing an activation store: rows in order, checked, hashed, renamed into place at the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import neurox_lite
from neurox_lite.activations.bfloat16 import to_bfloat16
from neurox_lite.activations.hdf5 import new_hdf5
from neurox_lite.activations.store import FORMAT, FORMAT_VERSION, hash_content
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.files import replacing

DTYPES = ("float32", "float16", "bfloat16")
CHUNK_BYTES = 1 << 20


def _no_rows() -> np.ndarray:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class Head:
    """What a store says about itself beside its layers.

    Attributes
    ----------
    corpus : TaggedCorpus
        One word per row.
    metadata : mapping
        Attributes: model, site, dtype, counts of words without activations, ...
    special : (n_special,) int array
        Rows that are special tokens of the tokenizer, not words.
    """

    corpus: TaggedCorpus
    metadata: Mapping[str, Any]
    special: np.ndarray = field(default_factory=_no_rows)


def write_head(
    file: h5py.File, head: Head, checksums: Sequence[Mapping[str, Any]], missing: np.ndarray
) -> None:
    """Write everything but the layers; the attribute ``format``, last, makes it a store.

    Parameters
    ----------
    file : h5py.File
    head : Head
    checksums : sequence of {"rows": int, "layers": {layer: SHA-256}}
        Of runs of rows, in order.
    missing : (n_missing,) int array
        Rows without an activation.
    """
    file["sentence_offsets"] = head.corpus.sentence_offsets
    # As objects: of a list NumPy would make an array as wide as the longest word.
    tokens = np.array([word.encode() for word in head.corpus.words()], dtype=object)
    file.create_dataset("tokens", data=tokens, dtype=h5py.string_dtype())
    file["missing"] = np.asarray(missing, dtype=np.int64)
    file["special"] = np.asarray(head.special, dtype=np.int64)
    # Not an attribute: those are limited to 64 KiB, which thousands of shards exceed.
    file["checksums"] = json.dumps(list(checksums))
    content = {
        **head.metadata,
        "corpus_hash": head.corpus.without_rows(head.special).words_hash,
        "package_version": neurox_lite.__version__,
    }
    file.attrs.update(content)
    file.attrs["content_hash"] = hash_content(content, checksums)
    file.attrs["format_version"] = FORMAT_VERSION
    file.attrs["format"] = FORMAT


def chunk_shape(shape: tuple[int, int], itemsize: int) -> tuple[int, int]:
    """Chunks of at most 1 MiB and a power of two rows: blocks of 4,096 rows are whole chunks."""
    rows = max(1, CHUNK_BYTES // (shape[1] * itemsize))
    return min(shape[0], 1 << (rows.bit_length() - 1)), shape[1]


def create_layer(
    file: h5py.File, layer: int, shape: tuple[int, int], dtype: np.dtype
) -> h5py.Dataset:
    """An empty layer of a store."""
    chunks = chunk_shape(shape, dtype.itemsize)
    return file.create_dataset(f"layers/{layer}", shape, dtype, chunks=chunks)


@dataclass
class StoreWriter:
    """Appends rows to the layers of a store; made by :func:`open_writer`."""

    file: h5py.File
    corpus: TaggedCorpus
    dtype: str
    metadata: Mapping[str, Any]
    special: np.ndarray
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
        # Layers are checked and hashed, in threads, while they are written.
        with ThreadPoolExecutor(max_workers=2) as threads:
            checks = []
            for layer, array in layers.items():
                with np.errstate(over="ignore"):
                    stored = array.astype("float16") if self.dtype == "float16" else array
                checks.append(threads.submit(self._check_finite, layer, array, stored, missing))
                if self.dtype == "bfloat16":
                    stored = to_bfloat16(stored)
                stored = np.ascontiguousarray(stored)
                dataset = self._dataset(layer, stored)
                checks.append(threads.submit(self.hashes[layer].update, stored))
                dataset[self.row : self.row + len(stored)] = stored
            for check in checks:
                check.result()
        self.row += len(array)

    def _dataset(self, layer: int, first: np.ndarray) -> h5py.Dataset:
        name = f"layers/{layer}"
        if name in self.file:
            return self.file[name]
        self.hashes[layer] = hashlib.sha256()
        shape = (self.corpus.n_tokens, first.shape[1])
        return create_layer(self.file, layer, shape, first.dtype)

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
        digests = {str(layer): self.hashes[layer].hexdigest() for layer in sorted(self.hashes)}
        head = Head(self.corpus, {**self.metadata, **counts, "dtype": self.dtype}, self.special)
        checksums = [{"rows": self.row, "layers": digests}]
        write_head(self.file, head, checksums, np.asarray(self.missing))


@contextmanager
def open_writer(
    path: str | Path,
    corpus: TaggedCorpus,
    *,
    dtype: str,
    metadata: Mapping[str, Any],
    special: np.ndarray | None = None,
    overwrite: bool = False,
) -> Iterator[StoreWriter]:
    """Open a writer; the store appears under ``path`` only if the block succeeds.

    Parameters
    ----------
    path : path
    corpus : TaggedCorpus
        One word per row.
    dtype : {"float32", "float16", "bfloat16"}
    metadata : mapping
        Attributes of the store.
    special : int array, optional
        Rows that are special tokens of the tokenizer, not words.
    overwrite : bool

    Raises
    ------
    InputError
        When ``path`` exists and ``overwrite`` is False, the dtype is unknown, or a word has a
        NUL character.
    """
    if dtype not in DTYPES:
        raise InputError(f"unknown dtype '{dtype}'; use {', '.join(DTYPES)}")
    check_words(corpus)
    with replacing(path, overwrite) as partial, new_hdf5(partial) as file:
        yield StoreWriter(file, corpus, dtype, metadata, _no_rows() if special is None else special)


def check_words(corpus: TaggedCorpus) -> None:
    """Raise InputError for a word that HDF5 text cannot hold."""
    for number, words in enumerate(corpus.sentences, start=1):
        text = "".join(words)
        if "\0" in text or not _is_unicode(text):
            bad = next(word for word in words if "\0" in word or not _is_unicode(word))
            problem = "a NUL character" if "\0" in bad else "half of a surrogate pair"
            raise InputError(
                f"{corpus.source}: sentence {number}: the word {bad!r} has {problem}, which HDF5 "
                "text cannot hold; remove it"
            )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
