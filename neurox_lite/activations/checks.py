"""Is a store still what was written? Read it whole, once, and say everything that is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neurox_lite.activations.checks_without_checksums import (
    OTHER_WORDS,
    check_without_checksums,
    hash_words,
)
from neurox_lite.activations.checksums import DamagedError, check_end, has_checksums, read_checksums
from neurox_lite.activations.matrix import BLOCK_ROWS
from neurox_lite.activations.separate_process import in_separate_process
from neurox_lite.activations.store import IN_FOLDER, ActivationStore
from neurox_lite.activations.structure import COUNTS, hash_content
from neurox_lite.errors import InputError


def verify(store: ActivationStore) -> list[str]:
    """Compare a store with its checksums and look for activations that cannot be right.

    Streams every layer once; memory is a few blocks of rows.

    Returns
    -------
    list of str
        One line per problem, naming the layer; empty when there is none.
    """
    found = [problem for _, problems in _checks(store) for problem in problems]
    return list(dict.fromkeys(found))


def verify_file(path: str | Path) -> list[str]:
    """As :func:`verify`, of a store that may be too damaged to be opened.

    It is read in another process, since HDF5 can hang or crash on such a file.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        When there is no store there, or a file that cannot be told from one that never was.
    """
    problems: list[str] = []
    path = Path(path)
    try:
        for event in in_separate_process(_verify, path):
            problems += event.get("problems", [])
    except DamagedError as error:
        problems.append(_without(path, error))
    except InputError as error:
        if not problems:
            raise
        problems.append(_without(path, error))
    return list(dict.fromkeys(problems))


def _verify(path: str) -> Iterator[dict[str, Any]]:
    """What :func:`verify_file` does in the other process: problems, and what it is doing."""
    yield {"at": "its beginning"}
    file = Path(path) / IN_FOLDER if Path(path).is_dir() else Path(path)
    yield {"problems": _damage(file) if file.exists() else []}
    with ActivationStore(path, check=False) as store:
        for at, problems in _checks(store):
            yield {"at": at, "problems": problems}


def _without(path: str | Path, error: InputError) -> str:
    return str(error).removeprefix(f"{path}: ")


def _damage(file: Path) -> list[str]:
    """What a file's own checksums say of all but its activations."""
    try:
        if has_checksums(file):
            read_checksums(file)
        else:
            check_end(file)
    except DamagedError as error:
        return [str(error)]
    return []


def _checks(store: ActivationStore) -> Iterator[tuple[str, list[str]]]:
    """What is done next, and the problems found in what was done."""
    yield "the words", []
    yield "the shards", _check_words(store) + _check_attributes(store)
    if store.path.is_dir():  # else the file is looked at already
        for file in store.files:
            yield from _check_shard(file.path)
    for layer in store.space.layers:
        yield from _check_layer(store, layer)


def _check_shard(path: Path) -> Iterator[tuple[str, list[str]]]:
    yield path.name, []
    problems = _damage(path)
    try:
        if not problems and not has_checksums(path):
            for event in check_without_checksums(str(path)):
                yield event["at"], []
    except InputError as error:
        problems = [str(error)]
    yield path.name, problems


def _check_words(store: ActivationStore) -> list[str]:
    try:
        words_hash = hash_words(store.words(), store.sentence_offsets, store.special)
    except InputError as error:
        return [f"the words are damaged ({error})"]
    return [OTHER_WORDS] if words_hash != store.metadata["corpus_hash"] else []


def _check_attributes(store: ActivationStore) -> list[str]:
    problems = []
    lost = sum(store.metadata.get(name, 0) for name in COUNTS)
    if len(store.missing) != lost:
        problems.append(
            f"{len(store.missing)} words are marked as without activations, {lost} were counted"
        )
    if hash_content(store.metadata, store.metadata["checksums"]) != store.content_hash:
        problems.append("the attributes were changed after it was written")
    return problems


def _check_layer(store: ActivationStore, layer: int) -> Iterator[tuple[str, list[str]]]:
    missing = np.zeros(store.n_rows, dtype=bool)
    missing[store.missing] = True
    n_present = n_nan = n_infinite = n_filled = 0
    all_zero = True
    problems = []
    first = 0
    for run in store.metadata["checksums"]:
        digest = hashlib.sha256()
        readable = True
        last = first + run["rows"]
        for start in range(first, last, BLOCK_ROWS):
            end = min(start + BLOCK_ROWS, last)
            yield f"layer {layer}, rows {start} to {end - 1}", []
            try:
                stored = store.stored(layer, start, end, check=False)
            except InputError as error:
                readable = False
                yield f"layer {layer}", [str(error)]
                continue
            block = store.decoded(stored)
            digest.update(stored.tobytes())
            absent = missing[start : start + len(block)]
            present = block[~absent]
            n_present += len(present)
            n_nan += int(np.isnan(present).any(axis=1).sum())
            n_infinite += int(np.isinf(present).any(axis=1).sum())
            n_filled += int((~np.isnan(block[absent])).any(axis=1).sum())
            all_zero = all_zero and not present.any()
        if readable and digest.hexdigest() != run["layers"][str(layer)]:
            problems.append(
                f"its bytes in rows {first} to {last - 1} are not those that were written (the "
                "checksum differs)"
            )
        first = last
    if n_nan:
        problems.append(f"{n_nan} words have NaN and are not marked as without activations")
    if n_infinite:
        problems.append(f"{n_infinite} words have infinite activations")
    if n_filled:
        problems.append(f"{n_filled} words marked as without activations have some")
    if n_present and all_zero:
        problems.append("all activations are zero")
    yield f"layer {layer}", [f"layer {layer}: {problem}" for problem in problems]
