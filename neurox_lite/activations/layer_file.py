"""The layers in one HDF5 file, compared with their checksums as they are read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import FileIO
from pathlib import Path

import h5py
import numpy as np

from neurox_lite.activations.checks_without_checksums import check_without_checksums
from neurox_lite.activations.checksums import (
    DamagedError,
    LayerChecksums,
    check_end,
    has_checksums,
    read_checksums,
)
from neurox_lite.activations.safe_hdf5 import one_line, open_hdf5
from neurox_lite.activations.separate_process import in_separate_process
from neurox_lite.activations.structure import Contents, read_contents


class LayerFile:
    """A file of a store; opened when it is read, and closed as often as one likes.

    Every chunk is compared with its checksum the first time that some of its rows are read, and
    read past HDF5, whose own reading takes more time than the comparison. A file without checksums,
    of an older version or changed by another program, is looked at in another process before HDF5
    reads it in this one.

    Parameters
    ----------
    path : path
    check : bool
        False to read what is left of a damaged file.
    first_row : int
        What errors call its first row.
    """

    def __init__(self, path: Path, check: bool = True, first_row: int = 0):
        self.path = path
        self.check = check
        self.first_row = first_row
        self._file: h5py.File | None = None
        self._bytes: FileIO | None = None
        self._looked_at = False
        self._checksums: Mapping[int, LayerChecksums] = {}
        self._unread: dict[int, np.ndarray] = {}

    @property
    def has_checksums(self) -> bool:
        return bool(self._unread)

    def look(self) -> None:
        """Find out, without HDF5, whether the file can be read; else raise DamagedError."""
        if self._looked_at or not self.check:
            return
        if has_checksums(self.path):
            self._checksums = read_checksums(self.path)
            self._unread = {n: np.ones(len(c.values), bool) for n, c in self._checksums.items()}
        else:
            check_end(self.path)
            for _ in in_separate_process(check_without_checksums, self.path):
                pass
        self._looked_at = True

    def open(self) -> h5py.File:
        """The open file, after :meth:`look`."""
        if self._file is None:
            self.look()
            self._file = open_hdf5(self.path)
        return self._file

    def contents(self) -> Contents:
        """All but the words and the activations, checked."""
        contents = read_contents(self.open(), self.path)
        for layer, checksums in self._checksums.items():
            row_bytes = contents.widths.get(layer, 0) * self._dataset(layer).dtype.itemsize
            if (checksums.n_rows, checksums.row_bytes) != (contents.n_rows, row_bytes):
                raise self._damaged(f"layer {layer}: its checksums are of another shape")
        return contents

    def close(self) -> None:
        for file in (self._file, self._bytes):
            if file is not None:
                file.close()
        self._file = self._bytes = None

    def read(
        self, layer: int, start: int, stop: int, into: np.ndarray, *, check: bool = True
    ) -> None:
        """Read rows of a layer into an array of their shape and type.

        Raises DamagedError when they are not those that were written.
        """
        shown = f"layer {layer}, rows {start + self.first_row} to {stop - 1 + self.first_row}"
        with one_line(f"{self.path}: {shown}"):
            self.look()
            if check and layer in self._unread:
                self._read_checked(layer, start, stop, into)
            else:
                self._dataset(layer).read_direct(into, np.s_[start:stop])

    def _dataset(self, layer: int) -> h5py.Dataset:
        return self.open()[f"layers/{layer}"]

    def _read_checked(self, layer: int, start: int, stop: int, into: np.ndarray) -> None:
        """Read rows past HDF5, and whole the chunks that were not compared before."""
        checksums, unread = self._checksums[layer], self._unread[layer]
        size = checksums.chunk_rows
        for chunk in range(start // size, -(-stop // size)):
            first, last = chunk * size, min((chunk + 1) * size, checksums.n_rows)
            here, there = max(first, start), min(last, stop)
            wanted = into[here - start : there - start]
            position = checksums.starts[chunk]
            if not unread[chunk]:
                self._fill(wanted, position + (here - first) * checksums.row_bytes)
                continue
            is_whole = (here, there) == (first, last)
            rows = wanted if is_whole else np.empty((last - first, into.shape[1]), into.dtype)
            self._fill(rows, position)
            if not checksums.is_of(rows, chunk):
                first, last = first + self.first_row, last + self.first_row
                raise self._damaged(
                    f"layer {layer}: rows {first} to {last - 1} are not those that were written "
                    "(the checksum differs)"
                )
            if not is_whole:
                wanted[:] = rows[here - first : there - first]
            unread[chunk] = False

    def _fill(self, rows: np.ndarray, position: int) -> None:
        """Read bytes of the file into an array."""
        if self._bytes is None:
            self._bytes = self.path.open("rb", buffering=0)
        left = rows.data.cast("B")
        while left:
            n_read = os.preadv(self._bytes.fileno(), [left], position)
            if not n_read:
                raise self._damaged("it is cut short")
            left, position = left[n_read:], position + n_read

    def _damaged(self, what: str) -> DamagedError:
        return DamagedError(f"{self.path}: damaged: {what}; put back a copy or extract again")
