"""Between activation stores and NeuroX's files, and from a store to a single file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neurox_lite.activations.checks import verify
from neurox_lite.activations.checksums import has_checksums
from neurox_lite.activations.matrix import BLOCK_ROWS
from neurox_lite.activations.neurox_hdf5 import INDEX, read_neurox_hdf5, write_neurox_hdf5
from neurox_lite.activations.neurox_json import read_neurox_json, write_neurox_json
from neurox_lite.activations.neurox_store import words_of
from neurox_lite.activations.safe_hdf5 import one_line, open_hdf5
from neurox_lite.activations.separate_process import in_separate_process
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.structure import COUNTS, FORMAT
from neurox_lite.activations.writer import open_writer
from neurox_lite.arguments import as_path
from neurox_lite.choices import did_you_mean
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.files import require_absent
from neurox_lite.locks import real_path
from neurox_lite.outputs import refuse_input

logger = logging.getLogger(__name__)

UNKNOWN = "unknown"
READERS = {"hdf5": read_neurox_hdf5, "json": read_neurox_json}
WRITERS = {".hdf5": write_neurox_hdf5, ".json": write_neurox_json}

OF_WRITER = (
    *("format", "format_version", "package_version", "dtype", "corpus_hash"),
    *("checksums", "content_hash", *COUNTS),
)
"""Attributes of a store that its writer sets."""


def convert(
    source: str | Path,
    out: str | Path,
    to: str | None = None,
    model: str = UNKNOWN,
    overwrite: bool = False,
) -> Path:
    """Convert a NeuroX file to a store, a store to a NeuroX file, or a store to one HDF5 file.

    What ``source`` is, is inferred from its content, and JSON lines from their name. Activations
    are never in memory whole.

    Parameters
    ----------
    source : path
        An activation store, an HDF5 file of NeuroX, or JSON lines of NeuroX (``.json``,
        ``.jsonl``).
    out : path
        The store; or a name in ``.hdf5`` or ``.json`` for NeuroX.
    to : {"store", "neurox"}, optional
        By default a store becomes a NeuroX file and a NeuroX file becomes a store.
    model : str
        What to call the model of a NeuroX file, which does not hold its name.
    overwrite : bool
        Replace an existing ``out``.

    Returns
    -------
    Path
        ``out``.

    Raises
    ------
    InputError
        When ``source`` is none of these or damaged, holds what the other format cannot, ``out``
        exists, or a file would be replaced by its own conversion.
    """
    source, out = as_path(source, "source"), as_path(out, "out")
    require_absent(out, overwrite)
    if to not in (None, "store", "neurox"):
        raise InputError(
            f"cannot convert to '{to}'; use store or neurox{did_you_mean(to, ('store', 'neurox'))}"
        )
    kind = _kind(source)
    to = to or ("neurox" if kind == "store" else "store")
    if kind == "store":
        if model != UNKNOWN:
            raise InputError(f"{source}: is a store and names its model; leave out --model")
        if to == "store":
            if real_path(out) == real_path(source):
                logger.warning("%s: the store is replaced by its copy", out)
            return _copy(source, out, overwrite)
        refuse_input(out, source)
        return _to_neurox(source, out, overwrite)
    if to == "neurox":
        raise InputError(f"{source}: is a NeuroX file already; convert it to a store first")
    refuse_input(out, source)
    READERS[kind](source, out, model=model, overwrite=overwrite).close()
    return out


def _kind(source: Path) -> str:
    """``"store"``, or ``"hdf5"`` or ``"json"`` of NeuroX."""
    if not source.exists():
        raise InputError(f"{source}: no such file; check the path")
    if source.is_dir():
        return "store"
    if source.suffix in (".json", ".jsonl"):
        return "json"
    if has_checksums(source):
        return "store"
    kinds = [event["kind"] for event in in_separate_process(look_at_kind, source)]
    if kinds:
        return kinds[0]
    raise InputError(
        f"{source}: neither an activation store nor a file of NeuroX, which has {INDEX}; "
        "give one of these"
    )


def look_at_kind(path: str) -> Iterator[dict[str, Any]]:
    """Yield the kind of an HDF5 file, if it has one; called in a process of its own."""
    with open_hdf5(path) as file, one_line(path):
        kind = file.attrs.get("format")
        if isinstance(kind, str) and kind == FORMAT:
            yield {"kind": "store"}
        elif INDEX in file:
            yield {"kind": "hdf5"}


def _to_neurox(source: Path, out: Path, overwrite: bool) -> Path:
    if out.suffix not in WRITERS:
        raise InputError(
            f"{out}: a NeuroX file is called .hdf5 or .json; use one of these, or --to store to "
            "copy the store"
        )
    with ActivationStore(source) as store:
        return WRITERS[out.suffix](store, out, overwrite=overwrite)


def _copy(source: Path, out: Path, overwrite: bool) -> Path:
    """Write a store again as one HDF5 file, by blocks of rows."""
    with ActivationStore(source) as store:
        problems = verify(store)  # the copy's checksums would vouch for damaged activations
        if problems:
            raise InputError(f"{source}: {problems[0]}; extract again")
        corpus = TaggedCorpus(words_of(store), source=str(source))
        metadata = {k: v for k, v in store.metadata.items() if k not in OF_WRITER}
        counts = {k: store.metadata.get(k, 0) for k in COUNTS}
        with open_writer(
            out,
            corpus,
            dtype=store.metadata["dtype"],
            metadata=metadata,
            special=store.special,
            overwrite=overwrite,
        ) as writer:
            missing = store.missing
            for start in range(0, store.n_rows, BLOCK_ROWS):
                here = missing[(missing >= start) & (missing < start + BLOCK_ROWS)] - start
                rows = slice(start, start + BLOCK_ROWS)
                layers = {layer: store.layer(layer)[rows] for layer in store.space.layers}
                writer.append(layers, here.tolist())
            writer.finish(counts)
    return out
