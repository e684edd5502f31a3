"""What a store's file must look like; nothing in a file is trusted before it was looked at here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurox_lite.activations.checksums import DamagedError
from neurox_lite.activations.safe_hdf5 import check_links, dataset, is_text, one_line
from neurox_lite.errors import InputError
from neurox_lite.input_files import parse_json
from neurox_lite.json_files import hash_json

FORMAT = "neurox_lite activations"
FORMAT_VERSION = 2

STORED_AS: dict[str, np.dtype[Any]] = {
    "float32": np.dtype("float32"),
    "float16": np.dtype("float16"),
    "bfloat16": np.dtype("uint16"),
}

TEXTS = ("model", "revision", "site", "dtype", "corpus_hash", "content_hash")
COUNTS = ("n_truncated_words", "n_dropped_words")
SHARD_NAME = re.compile(r"shards/[0-9]+\.h5")


@dataclass(frozen=True)
class Contents:
    """All that a store's file holds beside the words and the activations.

    Attributes
    ----------
    metadata : dict
        The attributes.
    widths : dict
        Layer -> number of neurons, ascending by layer.
    n_rows : int
    checksums : list of {"rows": int, "layers": {layer: SHA-256}}
    shards : list of {"file": str, "bytes": int}
        Empty in a store of one file.
    sentence_offsets, missing, special : int64 arrays
    """

    metadata: dict[str, Any]
    widths: dict[int, int]
    n_rows: int
    checksums: list[Any]
    shards: list[Any]
    sentence_offsets: np.ndarray
    missing: np.ndarray
    special: np.ndarray


def hash_content(attributes: Mapping[str, Any], checksums: Sequence[Mapping[str, Any]]) -> str:
    """The ``content_hash`` of a store: of what it says about itself and of its layers."""
    own = ("format", "format_version", "checksums", "content_hash")
    content = {name: value for name, value in attributes.items() if name not in own}
    return hash_json([content, list(checksums)])


def _damaged(path: str | Path, what: str) -> DamagedError:
    return DamagedError(f"{path}: damaged: {what}; extract again")


def check_is_store(file: h5py.File, path: str | Path) -> None:
    """Raise InputError unless a file says that it is a store of a version that can be read."""
    with one_line(path):
        kind, version = file.attrs.get("format"), file.attrs.get("format_version")
        # An array compares with text element by element.
        if not isinstance(kind, str) or kind != FORMAT:
            raise InputError(f"{path}: not an activation store of neurox_lite")
        if not isinstance(version, int | np.integer):
            raise _damaged(path, "it has no format_version")
        if version != FORMAT_VERSION:
            raise InputError(
                f"{path}: written by a newer neurox_lite; upgrade to read it"
                if version > FORMAT_VERSION
                else f"{path}: written by an early neurox_lite; extract it again"
            )


def read_contents(file: h5py.File, path: str | Path) -> Contents:
    """Check a file and read all that it holds beside the words and the activations.

    Raises InputError when it is not a store, or refers to other files than the shards below its
    own folder, and DamagedError when its parts are missing, of another form than they must have,
    or do not fit each other.
    """
    check_is_store(file, path)
    with one_line(path):
        return _read_contents(file, path)


def _read_contents(file: h5py.File, path: str | Path) -> Contents:
    check_links(file, path)
    metadata = _metadata(file, path)
    checksums = _json(file, "checksums", path)
    shards = _json(file, "shards", path) if "shards" in file else []
    if not isinstance(shards, list) or not all(map(_is_shard, shards)):
        raise DamagedError(
            f"{path}: its list of shards is not of files shards/00000.h5, ... beside it; "
            "extract again"
        )
    layers = _layers(file, path, metadata["dtype"], bool(shards))
    n_rows = next(iter(layers.values())).shape[0]
    tokens = dataset(file, "tokens", path)
    if tokens.shape != (n_rows,) or not is_text(tokens):
        raise _damaged(
            path,
            f"/tokens is {tokens.dtype} of shape {tokens.shape}, not one word for each of {n_rows} "
            "rows of activations",
        )
    offsets, missing, special = (
        _rows(file, name, path, most)
        for name, most in (
            ("sentence_offsets", n_rows + 1),
            ("missing", n_rows),
            ("special", n_rows),
        )
    )
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != n_rows:
        raise _damaged(path, f"the sentence offsets do not go from 0 to its {n_rows} rows")
    if np.any(np.diff(offsets) <= 0):
        raise DamagedError(f"{path}: the sentence offsets do not ascend; extract again")
    for name, rows in (("missing", missing), ("special", special)):
        if len(rows) and (rows[0] < 0 or rows[-1] >= n_rows or np.any(np.diff(rows) <= 0)):
            raise _damaged(path, f"/{name} does not ascend between 0 and {n_rows - 1}")
    widths = {layer: found.shape[1] for layer, found in layers.items()}
    _check_checksums(checksums, widths, n_rows, len(shards), path)
    return Contents(metadata, widths, n_rows, checksums, shards, offsets, missing, special)


def _metadata(file: h5py.File, path: str | Path) -> dict[str, Any]:
    metadata = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in file.attrs.items()
    }
    for name, value in metadata.items():
        if not isinstance(value, str | int | float | bool):
            raise _damaged(path, f"its attribute {name!r} is not text or a number")
    for name in TEXTS:
        if not isinstance(metadata.get(name), str):
            raise _damaged(path, f"its attribute {name!r} is missing or not text")
    for name in COUNTS:
        if type(metadata.get(name, 0)) is not int or metadata.get(name, 0) < 0:
            raise _damaged(path, f"its attribute {name!r} is not a count")
    if metadata["dtype"] not in STORED_AS:
        raise _damaged(path, f"its dtype {metadata['dtype']!r} is none of {', '.join(STORED_AS)}")
    return metadata


def _json(file: h5py.File, name: str, path: str | Path) -> Any:
    found = dataset(file, name, path)
    if found.shape != () or not is_text(found):
        raise _damaged(path, f"/{name} is not one text")
    return parse_json(found[()])


def _is_shard(shard: Any) -> bool:
    return (
        isinstance(shard, dict)
        and isinstance(shard.get("file"), str)
        and SHARD_NAME.fullmatch(shard["file"]) is not None
        and type(shard.get("bytes")) is int
    )


def _layers(
    file: h5py.File, path: str | Path, dtype: str, virtual: bool
) -> dict[int, h5py.Dataset]:
    """The datasets of the layers, ascending, when all have the same number of rows."""
    group = file.get("layers")
    if not isinstance(group, h5py.Group):
        raise _damaged(path, "/layers is missing")
    check_links(group, path)
    layers = {}
    for name in group:
        where = f"{path}: layer {name}"
        if not re.fullmatch(r"0|[1-9][0-9]{0,8}", name):
            raise DamagedError(f"{where}: a layer is called by its number; extract again")
        found = dataset(group, name, path, virtual=virtual)
        if found.ndim != 2 or 0 in found.shape or found.dtype != STORED_AS[dtype]:
            raise DamagedError(
                f"{where}: is {found.dtype} of shape {found.shape}, not {STORED_AS[dtype]} of "
                "shape (rows, neurons); extract again"
            )
        if found.chunks and found.chunks[1] != found.shape[1]:
            raise DamagedError(f"{where}: its chunks are not of whole rows; extract again")
        layers[int(name)] = found
    if not layers:
        raise _damaged(path, "it has no layers")
    lengths = {layer: found.shape[0] for layer, found in layers.items()}
    if len(set(lengths.values())) > 1:
        each = ", ".join(f"layer {layer} {n}" for layer, n in sorted(lengths.items()))
        raise _damaged(path, f"its layers have different numbers of rows ({each})")
    return dict(sorted(layers.items()))


def _rows(file: h5py.File, name: str, path: str | Path, most: int) -> np.ndarray:
    """Numbers of rows; shape (at most ``most``,)."""
    found = dataset(file, name, path)
    if found.ndim != 1 or found.shape[0] > most or found.dtype != np.int64:
        raise _damaged(
            path, f"/{name} is {found.dtype} of shape {found.shape}, not at most {most} row numbers"
        )
    return found[:]


def _check_checksums(
    checksums: Any, widths: Mapping[int, int], n_rows: int, n_shards: int, path: str | Path
) -> None:
    layers = {str(layer) for layer in widths}
    whole = isinstance(checksums, list) and all(
        isinstance(run, dict)
        and type(run.get("rows")) is int
        and run["rows"] > 0
        and isinstance(run.get("layers"), dict)
        and run["layers"].keys() == layers
        for run in checksums
    )
    if not whole or sum(run["rows"] for run in checksums) != n_rows:
        raise _damaged(path, f"its checksums are not of its {n_rows} rows and {len(layers)} layers")
    if n_shards and len(checksums) != n_shards:
        raise DamagedError(f"{path}: its rows are not those of its shards; extract again")
