"""Checksums of all parts of a store's file, in JSON after its HDF5 data: reads notice damage.

HDF5 reads past them. It has checksums of chunks itself, but those of zeros are zero, and it hangs
or crashes on damaged metadata, which must therefore be checked before HDF5 sees it.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neurox_lite.activations.fast_checksum import fast_checksum
from neurox_lite.errors import InputError
from neurox_lite.input_files import open_input

MAGIC = b"neurox_lite check"
OLD_MAGIC = b"neurox_lite CRC32"
"""At the end of files of earlier versions, whose chunks have a CRC-32."""

END = struct.Struct(f"<QI{len(MAGIC)}s")
"""Length and CRC-32 of the JSON, and the magic bytes, at the very end of the file."""

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
PIECE = 1 << 20
KINDS: Mapping[str, Callable[[memoryview], int]] = {"fast": fast_checksum, "crc32": zlib.crc32}
NOT_CHECKSUMS = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)


class DamagedError(InputError):
    """A store that is not what was written."""


@dataclass(frozen=True)
class LayerChecksums:
    """Checksums of the rows of a layer, chunk by chunk.

    Attributes
    ----------
    n_rows, row_bytes, chunk_rows : int
    starts : list of int
        Position of each chunk in the file, in bytes.
    values : list of int
        Of the bytes of the rows of each chunk.
    kind : {"fast", "crc32"}
        Which checksums: those of :mod:`fast_checksum`, or CRC-32 in a file of an earlier version.
    """

    n_rows: int
    row_bytes: int
    chunk_rows: int
    starts: list[int]
    values: list[int]
    kind: str = "fast"

    def __post_init__(self) -> None:
        numbers = (self.n_rows, self.row_bytes, self.chunk_rows, *self.starts, *self.values)
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError("not whole numbers")
        n_chunks = -(-self.n_rows // self.chunk_rows)
        if not n_chunks == len(self.starts) == len(self.values):
            raise ValueError("not one for each chunk")
        if self.kind not in KINDS:
            raise ValueError("of another kind")

    def is_of(self, rows: np.ndarray, chunk: int) -> bool:
        """Whether these rows, contiguous, have the checksum of a chunk."""
        return KINDS[self.kind](rows.data.cast("B")) == self.values[chunk]

    def spans(self) -> list[tuple[int, int]]:
        """Where the rows of each chunk begin and end in the file."""
        size = self.chunk_rows * self.row_bytes
        left = self.n_rows * self.row_bytes
        return [
            (start, start + min(size, left - number * size))
            for number, start in enumerate(self.starts)
        ]


def append_checksums(path: Path, layers: Mapping[int, LayerChecksums]) -> None:
    """Write the checksums of a finished HDF5 file behind its data."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        told = {
            "size": size,
            "crc32": _crc32_without(file, size, layers),
            "layers": {str(number): vars(layer) for number, layer in layers.items()},
        }
        text = json.dumps(told).encode()
        file.seek(size)
        file.write(text + END.pack(len(text), zlib.crc32(text), MAGIC))


def has_checksums(path: Path) -> bool:
    """Whether a file ends in checksums; older stores do not, nor those of other programs."""
    with open_input(path) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - END.size))
        return file.read().endswith((MAGIC, OLD_MAGIC))


def check_end(path: Path) -> None:
    """Raise DamagedError for an HDF5 file without checksums in which something follows its data."""
    with open_input(path) as file:
        size = file.seek(0, os.SEEK_END)
        if size > _hdf5_size(file, size):
            raise _damaged(path, "the checksums at its end")


def read_checksums(path: Path) -> dict[int, LayerChecksums]:
    """The checksums of the layers, after those of the rest of the file were compared with it.

    Raises DamagedError when it is not what was written, apart from the rows of its layers.
    """
    with path.open("rb") as file:
        file_size = file.seek(0, os.SEEK_END)
        try:
            file.seek(file_size - END.size)
            length, crc32, magic = END.unpack(file.read(END.size))
            size = file_size - END.size - length
            file.seek(size)
            text = file.read(length)
            if zlib.crc32(text) != crc32:
                raise ValueError("damaged")
            told = json.loads(text)
            layers = {int(name): _layer(each, magic) for name, each in told["layers"].items()}
            found = _crc32_without(file, size, layers)
        except (OSError, *NOT_CHECKSUMS):
            raise _damaged(path, "the checksums at its end") from None
    if (told["size"], told["crc32"]) != (size, found):
        raise _damaged(path, "its words, attributes or index")
    return layers


def _layer(told: dict[str, Any], magic: bytes) -> LayerChecksums:
    if magic == OLD_MAGIC:
        told = {"kind": "crc32", "values": told.pop("crc32"), **told}
    return LayerChecksums(**told)


def _damaged(path: Path, what: str) -> DamagedError:
    return DamagedError(
        f"{path}: damaged: {what} are not those that were written; put back a copy or extract again"
    )


def _crc32_without(file: BinaryIO, size: int, layers: Mapping[int, LayerChecksums]) -> int:
    """CRC-32 of the first bytes of a file, those of the rows of the layers left out."""
    crc32 = 0
    for start, stop in _gaps(size, layers):
        file.seek(start)
        for place in range(start, stop, PIECE):
            crc32 = zlib.crc32(file.read(min(PIECE, stop - place)), crc32)
    return crc32


def _gaps(size: int, layers: Mapping[int, LayerChecksums]) -> Iterator[tuple[int, int]]:
    """Sections of a file that hold no rows, in order."""
    spans = [span for layer in layers.values() for span in layer.spans()]
    array = np.array(sorted(spans), dtype=np.int64).reshape(-1, 2)
    starts = np.concatenate((array[:, 0], [size]))
    stops = np.concatenate(([0], array[:, 1]))
    if np.any(starts < stops):
        raise ValueError("chunks that overlap")
    apart = starts > stops
    yield from zip(stops[apart].tolist(), starts[apart].tolist(), strict=True)


def _hdf5_size(file: BinaryIO, size: int) -> int:
    """Bytes an HDF5 file has by its own account; ``size`` where it does not say so."""
    file.seek(0)
    head: Any = file.read(52)
    if not head.startswith(HDF5_MAGIC) or len(head) < 52:
        return size
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(head[8])
    return size if place is None else struct.unpack_from("<Q", head, place)[0]
