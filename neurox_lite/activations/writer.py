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

from neurox_lite.activations.bfloat16 import to_bfloat16
from neurox_lite.activations.hdf5 import NewFile, RowWriter, new_store_file
from neurox_lite.activations.structure import (
    FORMAT,
    FORMAT_VERSION,
    STORED_AS,
    hash_content,
)
from neurox_lite.choices import unknown_choice
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.files import atomic_write
from neurox_lite.version import __version__

DTYPES = tuple(STORED_AS)
CHUNK_BYTES = 1 << 20


def _no_rows() -> np.ndarray:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class StoreHeader:
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
    file: h5py.File, head: StoreHeader, checksums: Sequence[Mapping[str, Any]], missing: np.ndarray
) -> None:
    """Write everything but the layers; the attribute ``format``, last, makes it a store.

    ``checksums``, {"rows": int, "layers": {layer: SHA-256}}, are of runs of rows, in order;
    ``missing`` are the rows without an activation.
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
        "package_version": __version__,
    }
    file.attrs.update(content)
    file.attrs["content_hash"] = hash_content(content, checksums)
    file.attrs["format_version"] = FORMAT_VERSION
    file.attrs["format"] = FORMAT


def chunk_rows(n_rows: int, row_bytes: int) -> int:
    """Rows of a chunk: 1 MiB at most and a power of two, so that blocks are whole chunks."""
    rows = max(1, CHUNK_BYTES // row_bytes)
    return min(n_rows, 1 << (rows.bit_length() - 1))


def create_layer(file: NewFile, layer: int, shape: tuple[int, int], dtype: np.dtype) -> RowWriter:
    """An empty layer of a store."""
    rows = chunk_rows(shape[0], shape[1] * dtype.itemsize)
    return file.create_layer(layer, shape, dtype, rows)


@dataclass
class _Layer:
    """A layer that is being written."""

    rows: RowWriter
    digest: Any = field(default_factory=hashlib.sha256)


@dataclass
class StoreWriter:
    """Appends rows to the layers of a store; made by :func:`open_writer`."""

    file: NewFile
    corpus: TaggedCorpus
    dtype: str
    metadata: Mapping[str, Any]
    special: np.ndarray
    first_sentence: int = 0
    row: int = 0
    missing: list[int] = field(default_factory=list)
    layers: dict[int, _Layer] = field(default_factory=dict)

    def append(self, layers: Mapping[int, np.ndarray], missing: Sequence[int] = ()) -> None:
        """Write the next rows of every layer.

        Parameters
        ----------
        layers : mapping from layer to (n_rows, width) float32 array
        missing : sequence of int
            Positions among these rows that have no activation; they hold NaN. Any other activation
            that is NaN or infinite, or overflows the store's dtype, is an InputError.
        """
        self.missing.extend(self.row + position for position in missing)
        for layer, array in layers.items():
            if layer not in self.layers:
                shape = (self.corpus.n_words, array.shape[1])
                rows = create_layer(self.file, layer, shape, STORED_AS[self.dtype])
                self.layers[layer] = _Layer(rows)
        absent = np.asarray(missing, dtype=np.int64)
        # Hashing takes most of the time, and two threads do it at once.
        with ThreadPoolExecutor(max_workers=2) as threads:
            written = [threads.submit(self._write, *item, absent) for item in layers.items()]
        for done in written:
            done.result()
        self.row += len(array)

    def _write(self, layer: int, array: np.ndarray, absent: np.ndarray) -> None:
        """Check, hash and write rows of one layer, block by block while they are in the caches."""
        into = self.layers[layer]
        step = into.rows.chunk_rows
        for start in range(0, len(array), step):
            block = array[start : start + step]
            with np.errstate(over="ignore"):
                stored = block.astype("float16") if self.dtype == "float16" else block
            finite = np.isfinite(stored)
            if not finite.all():
                here = absent[(absent >= start) & (absent < start + step)] - start
                finite[here] = True
                if not finite.all():
                    raise self._not_finite(layer, array, absent)
            if self.dtype == "bfloat16":
                stored = to_bfloat16(stored)
            stored = np.ascontiguousarray(stored, STORED_AS[self.dtype])
            into.digest.update(stored)
            into.rows.write(self.row + start, stored)

    def _not_finite(self, layer: int, array: np.ndarray, absent: np.ndarray) -> InputError:
        with np.errstate(over="ignore"):
            bad = ~np.isfinite(array.astype("float16") if self.dtype == "float16" else array)
        bad[absent] = False
        position, unit = (int(index) for index in np.argwhere(bad)[0])
        row = self.row + position
        here = int(np.searchsorted(self.corpus.sentence_offsets, row, side="right"))
        sentence = self.first_sentence + here
        where = f"layer {layer}, unit {unit}, sentence {sentence}: {int(bad.sum())} activations"
        if np.isfinite(array[position, unit]):
            problem = "overflow float16; extract with --dtype bfloat16 or float32"
        else:
            problem = "are NaN or infinite; run the model in float32 and check its weights"
        return InputError(f"{where} {problem}")

    def finish(self, counts: Mapping[str, int]) -> None:
        """Write the missing rows and the attributes, once every word of the corpus was written."""
        if self.row != self.corpus.n_words:
            raise ValueError(f"wrote {self.row} of {self.corpus.n_words} rows")
        digests = {str(n): self.layers[n].digest.hexdigest() for n in sorted(self.layers)}
        head = StoreHeader(
            self.corpus, {**self.metadata, **counts, "dtype": self.dtype}, self.special
        )
        checksums = [{"rows": self.row, "layers": digests}]
        write_head(self.file.hdf5, head, checksums, np.asarray(self.missing))


@contextmanager
def open_writer(
    path: str | Path,
    corpus: TaggedCorpus,
    *,
    dtype: str,
    metadata: Mapping[str, Any],
    special: np.ndarray | None = None,
    first_sentence: int = 0,
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
    first_sentence : int
        Where ``corpus`` starts in the corpus that errors speak of.
    overwrite : bool

    Raises
    ------
    InputError
        When ``path`` exists and ``overwrite`` is False, the dtype is unknown, or a word has a
        NUL character.
    """
    if dtype not in DTYPES:
        raise unknown_choice("dtype", dtype, DTYPES)
    check_words(corpus)
    with atomic_write(path, overwrite) as partial, new_store_file(partial) as file:
        special = _no_rows() if special is None else special
        yield StoreWriter(file, corpus, dtype, metadata, special, first_sentence)


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
