"""Writing HDF5 files: a full disk is an error, not a crash."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurox_lite.activations.checksums import LayerChecksums, append_checksums
from neurox_lite.activations.fast_checksum import FastChecksum


class _Sink(io.RawIOBase):
    """A file that keeps its first error for later, and from then on writes to memory.

    HDF5 cannot be told that a write has failed: it tries again when it closes the file and when
    the process ends, and crashes.
    """

    def __init__(self, file: io.FileIO):
        self.file = file
        self.error: OSError | None = None
        self.unwritten: list[tuple[int, bytes]] = []

    def write(self, data: Any) -> int:
        start = self.file.tell()
        left = memoryview(data)
        size = left.nbytes
        while left.nbytes and self.error is None:
            try:
                left = left[self.file.write(left) :]
            except OSError as error:
                self.error = error
        if left.nbytes:
            self.unwritten.append((start + size - left.nbytes, bytes(left)))
            self.file.seek(start + size)
        return size

    def readinto(self, buffer: Any) -> int:
        start = self.file.tell()
        view = memoryview(buffer).cast("B")
        n_read = self.file.readinto(view) or 0
        view[n_read:] = bytes(len(view) - n_read)
        for position, data in self.unwritten:
            first, last = max(start, position), min(start + len(view), position + len(data))
            if first < last:
                view[first - start : last - start] = data[first - position : last - position]
        self.file.seek(start + len(view))
        return len(view)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            end = self.file.seek(0, os.SEEK_END)
            offset += max([end, *(p + len(data) for p, data in self.unwritten)])
            whence = os.SEEK_SET
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def truncate(self, size: int | None = None) -> int:
        if self.error is None:
            try:
                return self.file.truncate(size)
            except OSError as error:
                self.error = error
        return size or 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


@dataclass
class RowWriter:
    """Writes rows of a new dataset straight into the file, where HDF5 has made room for them.

    HDF5 itself would copy them through its cache.

    Attributes
    ----------
    fd : int
        The open file.
    checksums : LayerChecksums
        Where each chunk is in the file, and the checksums of those that were written.
    begun : FastChecksum
        Of the chunk that is being written.
    """

    fd: int
    checksums: LayerChecksums
    begun: FastChecksum = field(default_factory=FastChecksum)

    @property
    def chunk_rows(self) -> int:
        return self.checksums.chunk_rows

    def write(self, first: int, rows: np.ndarray) -> None:
        """Write the next rows, number ``first`` on: contiguous and of the dataset's dtype."""
        row_bytes = rows[:1].nbytes
        row, last = first, first + len(rows)
        while row < last:
            chunk, within = divmod(row, self.chunk_rows)
            end = min(last, row + self.chunk_rows - within)
            position = self.checksums.starts[chunk] + within * row_bytes
            left = rows[row - first : end - first].view(np.uint8).data.cast("B")
            self.begun.update(left)
            if end in ((chunk + 1) * self.chunk_rows, self.checksums.n_rows):
                self.checksums.values[chunk] = self.begun.value()
                self.begun = FastChecksum()
            while left:
                n_written = os.pwrite(self.fd, left, position)
                left, position = left[n_written:], position + n_written
            row = end


@dataclass(frozen=True)
class NewFile:
    """A store's file that is being written; made by :func:`new_store_file`.

    Attributes
    ----------
    hdf5 : h5py.File
        For everything but rows.
    fd : int
    layers : dict
        Layer -> what writes its rows.
    """

    hdf5: h5py.File
    fd: int
    layers: dict[int, RowWriter] = field(default_factory=dict)

    def create_layer(
        self, layer: int, shape: tuple[int, int], dtype: np.dtype, chunk_rows: int
    ) -> RowWriter:
        """A new dataset whose rows are written past HDF5."""
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        dataset = self.hdf5.create_dataset(
            f"layers/{layer}",
            shape,
            dtype,
            chunks=(chunk_rows, shape[1]),
            fill_time="never",
            dcpl=properties,
        )
        starts = [
            dataset.id.get_chunk_info_by_coord((row, 0)).byte_offset
            for row in range(0, shape[0], chunk_rows)
        ]
        row_bytes = shape[1] * dtype.itemsize
        checksums = LayerChecksums(shape[0], row_bytes, chunk_rows, starts, [0] * len(starts))
        self.layers[layer] = RowWriter(self.fd, checksums)
        return self.layers[layer]


@contextmanager
def new_hdf5(path: Path) -> Iterator[tuple[h5py.File, int]]:
    """Write a new HDF5 file into an empty file; it is closed at the end of the block.

    Yields it and its file descriptor. What could not be written is an OSError, at the end.
    """
    with path.open("r+b", buffering=0) as raw:
        sink = _Sink(raw)
        try:
            with h5py.File(sink, "w") as file:
                yield file, raw.fileno()
        finally:
            if sink.error:
                raise sink.error


@contextmanager
def new_store_file(path: Path, size: int = 0) -> Iterator[NewFile]:
    """As :func:`new_hdf5`, for a store: checksums follow the HDF5 data.

    It will have at least ``size`` bytes; it is an OSError when the disk has no room for them.
    """
    if shutil.disk_usage(path.parent).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with new_hdf5(path) as (file, fd):
        new = NewFile(file, fd)
        yield new
    append_checksums(path, {n: rows.checksums for n, rows in new.layers.items()})
