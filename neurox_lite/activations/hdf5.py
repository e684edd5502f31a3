"""Writing HDF5 files that may fail: a full disk is an error, not a crash."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py


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


@contextmanager
def new_hdf5(path: Path, size: int = 0) -> Iterator[h5py.File]:
    """A new HDF5 file, closed at the end of the block.

    Parameters
    ----------
    path : path
    size : int
        Bytes it will have at least, which the disk must have room for.

    Raises
    ------
    OSError
        When there is no room, or at the end of the block when something could not be written.
    """
    if shutil.disk_usage(path.parent).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with path.open("w+b", buffering=0) as raw:
        sink = _Sink(raw)
        try:
            with h5py.File(sink, "w") as file:
                yield file
        finally:
            if sink.error:
                raise sink.error
