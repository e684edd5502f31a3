"""Activations on disk: one HDF5 file, one row per word, one dataset per layer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import h5py
import numpy as np

from neurox_lite.activations.bfloat16 import from_bfloat16
from neurox_lite.errors import InputError
from neurox_lite.files import hash_json
from neurox_lite.input_files import refuse_special
from neurox_lite.neurons import NeuronSpace
from neurox_lite.showing import some, summary

FORMAT = "neurox_lite activations"
FORMAT_VERSION = 2
BLOCK_ROWS = 4096
IN_FOLDER = "store.h5"
"""The file that joins the shards of a store that is a folder."""

OPEN_SHARDS = 4
"""Shards that are open at once; a block of rows seldom touches more than two."""


class ActivationStore:
    """Activations of a corpus, read from disk by rows and never loaded whole unless asked.

    Parameters
    ----------
    path : path
        An HDF5 file written by :func:`neurox_lite.extract`, or its folder of shards.

    Attributes
    ----------
    space : NeuronSpace
        All neurons in the store.
    metadata : dict
        The attributes of the file: model, revision, tokenizer, site, aggregation, dtype, corpus
        hash, package version, counts of words without activations, checksums per run of rows and
        layer.
    n_tokens : int
        Number of words, the rows of every layer.

    Raises
    ------
    InputError
        When the file is missing or damaged, is not an activation store, or a shard is missing.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        file = self.path / IN_FOLDER if self.path.is_dir() else self.path
        try:
            refuse_special(file)
            self._file = h5py.File(file, "r")
        except FileNotFoundError:
            raise InputError(_why_missing(self.path)) from None
        except OSError as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"{path}: not a readable HDF5 file ({reason}); extract again"
            ) from None
        if self._file.attrs.get("format") != FORMAT:
            self._file.close()
            raise InputError(f"{path}: not an activation store of neurox_lite")
        version = self._file.attrs["format_version"]
        if version != FORMAT_VERSION:
            self._file.close()
            raise InputError(
                f"{path}: written by a newer neurox_lite; upgrade to read it"
                if version > FORMAT_VERSION
                else f"{path}: written by an early neurox_lite; extract it again"
            )
        self.metadata: dict[str, Any] = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in self._file.attrs.items()
        }
        self.metadata["checksums"] = json.loads(self._file["checksums"][()])
        layers = sorted(int(name) for name in self._file["layers"])
        self.space = NeuronSpace(
            model=self.metadata["model"],
            revision=self.metadata["revision"],
            site=self.metadata["site"],
            layers=tuple(layers),
            widths=tuple(self._file[f"layers/{layer}"].shape[1] for layer in layers),
        )
        self.n_tokens: int = self._file[f"layers/{layers[0]}"].shape[0]
        self._shards = self._check_shards()
        ends = np.cumsum([run["rows"] for run in self.metadata["checksums"]])
        self._shard_starts = np.concatenate(([0], ends))
        self._open_shards: dict[int, h5py.File] = {}
        self._reading = Lock()
        if self._shards and (len(ends), ends[-1]) != (len(self._shards), self.n_tokens):
            self._file.close()
            raise InputError(f"{path}: its rows are not those of its shards; extract again")

    def __repr__(self) -> str:
        return f"ActivationStore({str(self.path)!r})"

    def __str__(self) -> str:
        facts = {
            "rows": self.n_tokens,
            "neurons": self.space.n_neurons,
            "site": self.space.site,
            "layers": some(self.space.layers),
            "dtype": self.metadata["dtype"],
        }
        return summary(f"ActivationStore {self.path} of {self.space.model}", facts)

    def __enter__(self) -> ActivationStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the store cannot be read afterwards."""
        self._file.close()
        while self._open_shards:
            self._open_shards.popitem()[1].close()

    @property
    def sentence_offsets(self) -> np.ndarray:
        """First row of each sentence, and the number of rows; shape (n_sentences + 1,)."""
        return self._file["sentence_offsets"][:]

    def tokens(self) -> list[str]:
        """The words, one per row."""
        return [token.decode() for token in self._file["tokens"][:]]

    @property
    def missing(self) -> np.ndarray:
        """Rows (ascending) of words without an activation, stored as NaN; shape (n_missing,)."""
        return self._file["missing"][:]

    @property
    def special(self) -> np.ndarray:
        """Rows (ascending) that are special tokens, not words; shape (n_special,)."""
        return self._file["special"][:]

    @property
    def word_rows(self) -> np.ndarray:
        """The row of each word of the corpus, ascending; shape (n_words,)."""
        is_word = np.ones(self.n_tokens, dtype=bool)
        is_word[self.special] = False
        return np.flatnonzero(is_word)

    @property
    def content_hash(self) -> str:
        """SHA-256 over the content of the store, as recorded when it was written."""
        return self.metadata["content_hash"]

    def layer(self, layer: int) -> ActivationMatrix:
        """The activations of one layer; array-like of shape (n_tokens, width)."""
        return self.matrix([layer])

    def matrix(
        self, layers: Sequence[int] | None = None, rows: np.ndarray | None = None
    ) -> ActivationMatrix:
        """Layers side by side as one array-like that reads from disk when it is sliced.

        Parameters
        ----------
        layers : sequence of int, optional
            Which layers, in which order; all by default.
        rows : (n_rows,) int array, optional
            Which words, ascending; all by default.
        """
        space = self.space if layers is None else self.space.select(layers)
        return ActivationMatrix(self, space, rows)

    def check_corpus(self, words_hash: str, source: str) -> None:
        """Raise InputError unless this store was made from a corpus with these words."""
        if words_hash != self.metadata["corpus_hash"]:
            raise InputError(
                f"{self.path}: made from another corpus than {source} (the hashes of their words "
                "differ); give the corpus it was extracted from, or extract again"
            )

    def stored(self, layer: int, start: int, stop: int) -> np.ndarray:
        """Rows of a layer as they are in the file, bfloat16 as uint16; shape (n_rows, width)."""
        dataset = self._file[f"layers/{layer}"]
        if not self._shards:
            return dataset[start:stop]
        start, stop, _ = slice(start, stop).indices(self.n_tokens)
        rows = np.empty((max(stop - start, 0), dataset.shape[1]), dataset.dtype)
        with self._reading:  # a thread must not close the shard that another reads
            self._read_shards(layer, rows, start, stop)
        return rows

    def _read_shards(self, layer: int, rows: np.ndarray, start: int, stop: int) -> None:
        first = start
        while first < stop:
            shard = int(np.searchsorted(self._shard_starts, first, side="right")) - 1
            before = int(self._shard_starts[shard])
            last = min(stop, int(self._shard_starts[shard + 1]))
            source = self._shard(shard)[f"layers/{layer}"]
            source.read_direct(
                rows, np.s_[first - before : last - before], np.s_[first - start : last - start]
            )
            first = last

    def _shard(self, number: int) -> h5py.File:
        """An open shard.

        The virtual file would keep all of them open, and where the system allows no more open
        files, HDF5 reads zeros without a word.
        """
        if number not in self._open_shards:
            if len(self._open_shards) == OPEN_SHARDS:
                oldest = next(iter(self._open_shards))
                self._open_shards.pop(oldest).close()
            file = self._shards[number]
            try:
                self._open_shards[number] = h5py.File(file, "r")
            except OSError as error:
                reason = " ".join(str(error).split())
                raise InputError(f"{file}: this shard cannot be read ({reason})") from None
        return self._open_shards[number]

    def decoded(self, stored: np.ndarray) -> np.ndarray:
        """Stored rows as floating-point numbers; not copied unless they are bfloat16."""
        return from_bfloat16(stored) if self.metadata["dtype"] == "bfloat16" else stored

    def _read(self, layer: int, start: int, stop: int) -> np.ndarray:
        return self.decoded(self.stored(layer, start, stop))

    def _check_shards(self) -> list[Path]:
        """The files of the shards, none missing or cut short; empty where there are none."""
        if "shards" not in self._file:
            return []
        folder = Path(self._file.filename).parent
        files = []
        for shard in json.loads(self._file["shards"][()]):
            file = folder / shard["file"]
            files.append(file)
            size = file.stat().st_size if file.is_file() else None
            if size != shard["bytes"]:
                self._file.close()
                problem = "is missing" if size is None else f"has {size} bytes, not as written"
                raise InputError(f"{file}: this shard {problem}; put it back or extract again")
        return files


def _why_missing(path: Path) -> str:
    unfinished = path.with_name(path.name + ".unfinished")
    if unfinished.is_dir():
        return f"{path}: its extraction is not finished; run the same 'extract' command again"
    if path.is_dir():
        return f"{path}: a folder without an activation store ({IN_FOLDER})"
    return f"{path}: no such activation store; make it with 'extract'"


def hash_content(attributes: Mapping[str, Any], checksums: Sequence[Mapping[str, Any]]) -> str:
    """The ``content_hash`` of a store: of what it says about itself and of its layers."""
    own = ("format", "format_version", "checksums", "content_hash")
    content = {name: value for name, value in attributes.items() if name not in own}
    return hash_json([content, list(checksums)])


class ActivationMatrix:
    """Rows and layers of a store as an array-like of shape (n_rows, n_neurons).

    ``X[rows]`` reads those rows; ``X.blocks()`` streams all of them; ``numpy.asarray(X)`` loads
    them whole, at ``n_rows * n_neurons * X.dtype.itemsize`` bytes. bfloat16 is read as float32.
    """

    ndim = 2

    def __init__(self, store: ActivationStore, space: NeuronSpace, rows: np.ndarray | None = None):
        self.store = store
        self.space = space
        self.rows = np.arange(store.n_tokens) if rows is None else np.asarray(rows, dtype=np.int64)
        if len(self.rows) and (
            self.rows[0] < 0 or self.rows[-1] >= store.n_tokens or np.any(np.diff(self.rows) <= 0)
        ):
            raise InputError(
                f"{store.path}: rows must ascend between 0 and {store.n_tokens - 1} without repeats"
            )
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
            raise InputError("an activation matrix is sliced by rows: X[start:stop]")
        start, stop, _ = index.indices(len(self))
        out = np.empty((max(stop - start, 0), self.space.n_neurons), self.dtype)
        for block_start, block in self._blocks(start, stop):
            if len(block) == len(out):
                return block  # not copied
            out[block_start - start : block_start - start + len(block)] = block
        return out

    def blocks(self, n_rows: int = BLOCK_ROWS) -> Iterator[tuple[int, np.ndarray]]:
        """Stream all rows: (position of the block's first row, block) of at most n_rows rows."""
        return self._blocks(0, len(self), n_rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self[:]
        return array if dtype is None else array.astype(dtype, copy=False)

    def _blocks(
        self, start: int, stop: int, n_rows: int = BLOCK_ROWS
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Read spans of at most n_rows neighbouring rows of the file and keep the wanted ones."""
        while start < stop:
            first = int(self.rows[start])
            end = min(stop, int(np.searchsorted(self.rows, first + n_rows)))
            wanted = self.rows[start:end] - first
            block = np.empty((len(wanted), self.space.n_neurons), self.dtype)
            for layer in self.space.layers:
                span = self.store._read(layer, first, first + int(wanted[-1]) + 1)
                block[:, self.space.columns(layer)] = (
                    span if len(span) == len(wanted) else span[wanted]
                )
            yield start, block
            start = end
