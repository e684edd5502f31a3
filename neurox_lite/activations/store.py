"""Activations on disk: one HDF5 file, one row per word, one dataset per layer."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from neurox_lite.activations.bfloat16 import from_bfloat16
from neurox_lite.activations.checksums import DamagedError
from neurox_lite.activations.layer_file import LayerFile
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.safe_hdf5 import one_line
from neurox_lite.activations.structure import STORED_AS
from neurox_lite.arguments import as_path, shown
from neurox_lite.errors import InputError
from neurox_lite.neurons import Layers, NeuronSpace
from neurox_lite.results.html import as_html
from neurox_lite.showing import some, summary

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
    check : bool
        Refuse a file, and rows when they are read, that are not what was written. False to read
        what is left of a damaged store, at the risk that HDF5 itself hangs or crashes.

    Attributes
    ----------
    space : NeuronSpace
        All neurons in the store.
    metadata : dict
        The attributes of the file: model, revision, tokenizer, site, aggregation, dtype, corpus
        hash, package version, counts of words without activations, checksums per run of rows and
        layer.
    n_rows : int
        Number of words, the rows of every layer.
    files : list of LayerFile
        The file with its layers, or its shards.

    Raises
    ------
    InputError
        When the file is missing or damaged, is not an activation store, refers to files outside
        its folder, or a shard is missing.
    """

    def __init__(self, path: str | Path, *, check: bool = True):
        self.path = as_path(path)
        file = self.path / IN_FOLDER if self.path.is_dir() else self.path
        if not file.exists():
            raise InputError(_why_missing(self.path))
        self._file = LayerFile(file, check)
        try:
            contents = self._file.contents()
            self.metadata: dict[str, Any] = {**contents.metadata, "checksums": contents.checksums}
            self.space = NeuronSpace(
                model=self.metadata["model"],
                revision=self.metadata["revision"],
                site=self.metadata["site"],
                layers=tuple(contents.widths),
                widths=tuple(contents.widths.values()),
            )
            self.n_rows = contents.n_rows
            self._contents = contents
            self._starts = np.concatenate(([0], np.cumsum(self._rows_of_files())))
            self.files = [self._file]
            if contents.shards:
                self.files = self._shards(file.parent, check)
        except BaseException:
            self._file.close()
            raise
        self._open: list[int] = []
        self._compared: set[int] = set()
        self._reading = Lock()

    def __repr__(self) -> str:
        return f"ActivationStore({str(self.path)!r})"

    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {
            "rows": self.n_rows,
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

    def __reduce__(self) -> tuple[Any, ...]:
        """For worker processes: a pickled store is its path, and is opened again if unchanged."""
        return _open_again, (self.path.absolute(), self.content_hash)

    def close(self) -> None:
        """Close the file; it is opened again when the store is read."""
        for file in (self._file, *self.files):
            file.close()
        self._open.clear()

    @property
    def sentence_offsets(self) -> np.ndarray:
        """First row of each sentence, and the number of rows; shape (n_sentences + 1,)."""
        return self._contents.sentence_offsets.copy()

    def words(self) -> list[str]:
        """The words, one per row."""
        with one_line(f"{self._file.path}: the words"):
            return [token.decode() for token in self._file.open()["tokens"][:]]

    @property
    def missing(self) -> np.ndarray:
        """Rows (ascending) of words without an activation, stored as NaN; shape (n_missing,)."""
        return self._contents.missing.copy()

    @property
    def special(self) -> np.ndarray:
        """Rows (ascending) that are special tokens, not words; shape (n_special,)."""
        return self._contents.special.copy()

    @property
    def word_rows(self) -> np.ndarray:
        """The row of each word of the corpus, ascending; shape (n_words,)."""
        is_word = np.ones(self.n_rows, dtype=bool)
        is_word[self.special] = False
        return np.flatnonzero(is_word)

    @property
    def content_hash(self) -> str:
        """SHA-256 over the content of the store, as recorded when it was written."""
        return self.metadata["content_hash"]

    def heads(self, layers: Layers = None, *, n_heads: int | None = None) -> NeuronSpace:
        """The attention heads of some layers, to rank instead of neurons.

        Parameters
        ----------
        layers : int, several ints or "all", optional
            All by default.
        n_heads : int, optional
            Heads of a layer, for a store that does not say it: of earlier versions, or of a model
            that did not tell.

        Raises
        ------
        InputError
            When the store is not of the site ``attention_heads``, or the number is not known or
            does not fit.
        """
        counts: Any = n_heads
        told = self.metadata.get("n_heads")
        if counts is None and told is not None:
            try:
                of_layers = map(int, str(told).split(","))
                counts = dict(zip(self.space.layers, of_layers, strict=True))
            except ValueError:
                raise InputError(
                    f"{self.path}: its attribute 'n_heads' is not a number for each layer; "
                    "extract again"
                ) from None
        space = self.space.select(layers)
        if counts is None and self.space.site == "attention_heads":
            raise InputError(
                f"{self.path}: does not say how many heads a layer has; give their number, or "
                "extract again"
            )
        if isinstance(counts, dict):
            counts = [counts[layer] for layer in space.layers]
        return space.heads(1 if counts is None else counts)

    def layer(self, layer: int) -> ActivationMatrix:
        """The activations of one layer; array-like of shape (n_rows, width)."""
        return self.matrix([layer])

    def matrix(self, layers: Layers = None, rows: np.ndarray | None = None) -> ActivationMatrix:
        """Layers side by side as one array-like that reads from disk when it is sliced.

        Parameters
        ----------
        layers : int, several ints or "all", optional
            Which layers, in which order; all by default.
        rows : (n_rows,) int array or (n_rows,) bool array, optional
            Which words, ascending, without repeats; all by default.
        """
        space = self.space if layers is None else self.space.select(layers)
        if rows is None:
            return ActivationMatrix(self, space)
        numbers = np.asarray(rows)
        if numbers.dtype == bool and numbers.shape == (self.n_rows,):
            numbers = np.flatnonzero(numbers)
        if numbers.ndim != 1 or (len(numbers) and numbers.dtype.kind not in "iu"):
            raise InputError(
                f"{self.path}: rows are {shown(rows)}; give the numbers of words in a list, or a "
                f"bool for each of its {self.n_rows}"
            )
        if np.any(np.diff(numbers) == 0):
            raise InputError(
                f"{self.path}: rows must ascend between 0 and {self.n_rows - 1} without repeats"
            )
        return ActivationMatrix(self, space, numbers)

    def check_corpus(self, words_hash: str, source: str) -> None:
        """Raise InputError unless this store was made from a corpus with these words."""
        if words_hash != self.metadata["corpus_hash"]:
            raise InputError(
                f"{self.path}: made from another corpus than {source} (the hashes of their words "
                "differ); give the corpus it was extracted from, read in the same way, or extract "
                "again"
            )

    def stored(self, layer: int, start: int, stop: int, *, check: bool = True) -> np.ndarray:
        """Rows of a layer as they are in the file, bfloat16 as uint16; shape (n_rows, width).

        With ``check=False`` they are not compared with their checksums.

        Raises
        ------
        InputError
            When they cannot be read or are not those that were written.
        """
        start, stop, _ = slice(start, stop).indices(self.n_rows)
        width = self.space.select([layer]).n_neurons
        rows = np.empty((max(stop - start, 0), width), STORED_AS[self.metadata["dtype"]])
        first = start
        with self._reading:  # a thread must not close the shard that another reads
            while first < stop:
                number = int(np.searchsorted(self._starts, first, side="right")) - 1
                before, after = map(int, self._starts[number : number + 2])
                last = min(stop, after)
                into = rows[first - start : last - start]
                self._opened(number).read(layer, first - before, last - before, into, check=check)
                first = last
        return rows

    def _opened(self, number: int) -> LayerFile:
        """An open file, of which there are few at a time.

        The virtual file would keep all of them open, and where the system allows no more open
        files, HDF5 reads zeros without a word.
        """
        if number not in self._open:
            if len(self._open) == OPEN_SHARDS:
                self.files[self._open.pop(0)].close()
            if self._contents.shards and number not in self._compared:
                self._compare_shard(number)
                self._compared.add(number)
            self._open.append(number)
        return self.files[number]

    def _compare_shard(self, number: int) -> None:
        """Open a shard and compare it with what the store says of it."""
        shard = self.files[number]
        found, told = shard.contents(), self._contents
        shard.close()
        same = (
            found.widths == told.widths
            and found.metadata["dtype"] == told.metadata["dtype"]
            and found.checksums == told.checksums[number : number + 1]
            and not found.shards
        )
        if not same:
            raise DamagedError(
                f"{shard.path}: this shard is of another store; put it back or extract again"
            )

    def decoded(self, stored: np.ndarray) -> np.ndarray:
        """Stored rows as floating-point numbers; not copied unless they are bfloat16."""
        return from_bfloat16(stored) if self.metadata["dtype"] == "bfloat16" else stored

    def _read(self, layer: int, start: int, stop: int) -> np.ndarray:
        return self.decoded(self.stored(layer, start, stop))

    def _rows_of_files(self) -> list[int]:
        if not self._contents.shards:
            return [self.n_rows]
        return [run["rows"] for run in self._contents.checksums]

    def _shards(self, folder: Path, check: bool) -> list[LayerFile]:
        """The files of the shards, none missing, cut short or outside the folder."""
        files = []
        total = 0
        for shard, first_row in zip(self._contents.shards, self._starts.tolist(), strict=False):
            file = folder / shard["file"]
            if not file.resolve().is_relative_to(folder.resolve()):
                raise InputError(
                    f"{file}: is a link to another folder, which is not followed; put the file "
                    "itself there"
                )
            size = file.stat().st_size if file.is_file() else None
            if size != shard["bytes"]:
                problem = "is missing" if size is None else f"has {size} bytes, not as written"
                raise DamagedError(f"{file}: this shard {problem}; put it back or extract again")
            total += size
            files.append(LayerFile(file, check, first_row))
        row_bytes = self.space.n_neurons * STORED_AS[self.metadata["dtype"]].itemsize
        if total < self.n_rows * row_bytes:
            raise DamagedError(f"{self.path}: its shards are too small for it; extract again")
        return files


def _open_again(path: Path, content_hash: str) -> ActivationStore:
    store = ActivationStore(path)
    if store.content_hash != content_hash:
        store.close()
        raise InputError(f"{path}: changed since it was pickled; open it again")
    return store


def _why_missing(path: Path) -> str:
    unfinished = path.with_name(path.name + ".unfinished")
    if unfinished.is_dir():
        return f"{path}: its extraction is not finished; run the same 'extract' command again"
    if path.is_dir():
        return (
            f"{path}: a folder without an activation store ({IN_FOLDER}); give what 'extract' wrote"
        )
    return f"{path}: no such activation store; make it with 'extract'"
