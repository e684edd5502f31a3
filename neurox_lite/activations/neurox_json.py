"""NeuroX's JSON lines: one sentence per line, every activation a number in text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neurox_lite.activations.neurox_store import (
    arrays_of,
    check_neurox_name,
    store_sentences,
    words_of,
)
from neurox_lite.activations.store import ActivationStore
from neurox_lite.errors import InputError
from neurox_lite.files import atomic_write
from neurox_lite.input_files import lines_of_input, parse_json


def read_neurox_json(
    path: str | Path, out: str | Path, *, model: str = "unknown", overwrite: bool = False
) -> ActivationStore:
    """Make a float32 store from a file of JSON lines of NeuroX.

    Lines are ``{"linex_index": 0, "features": [{"token": "a", "layers": [{"index": 0, "values":
    [...]}, ...]}, ...]}``. The file is read twice, one line in memory at a time: a store wants all
    words first. All else is as in :func:`read_neurox_hdf5`.

    Raises
    ------
    InputError
        When the file is missing, a line is not JSON or of another form, lines or words differ in
        their layers, or ``out`` exists.
    """
    return store_sentences(
        out,
        [words for words, _ in _sentences(path)],
        (array for _, array in _sentences(path)),
        source=path,
        dtype="float32",
        model=model,
        overwrite=overwrite,
    )


def _sentences(path: str | Path) -> Iterator[tuple[list[str], np.ndarray]]:
    """Words and (n_layers, n_words, width) activations of one line after the other."""
    first: tuple[list[Any], int] | None = None
    for number, record in enumerate(_records(path), start=1):
        where = f"{path}: line {number}"
        words, layers, array = _parse(record, number, where)
        found = (layers, array.shape[2])
        first = first or found
        if found != first:
            raise InputError(
                f"{where}: has layers {layers} of {found[1]} neurons, but the first line has "
                f"{first[0]} of {first[1]}; make the file again"
            )
        yield words, array


def _records(path: str | Path) -> Iterator[Any]:
    for number, line in enumerate(lines_of_input(path), start=1):
        yield _record(line, f"{path}: line {number}")


def _record(line: bytes, where: str) -> Any:
    try:
        return parse_json(line, allow_nan=True)
    except ValueError as error:
        raise InputError(
            f"{where}: not JSON in UTF-8 ({error}); the file is damaged or cut short, make it again"
        ) from None


def _parse(record: Any, number: int, where: str) -> tuple[list[str], list[Any], np.ndarray]:
    """Words, indices of the layers, and activations of a line."""
    try:
        index, features = record["linex_index"], record["features"]
        words = [feature["token"] for feature in features]
        layers = [[layer["index"] for layer in feature["layers"]] for feature in features]
        values = [[layer["values"] for layer in feature["layers"]] for feature in features]
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{where}: not a line that NeuroX writes ({error}); it has linex_index and features, "
            "a feature has token and layers, a layer has index and values"
        ) from None
    if index != number - 1:
        raise InputError(
            f"{where}: linex_index is {index!r}, not {number - 1}; lines are missing or in another "
            "order, make the file again"
        )
    if not all(isinstance(word, str) for word in words):
        raise InputError(f"{where}: a token is not text; make the file again")
    array = _as_array(values)
    if array is None or any(found != layers[0] for found in layers):
        raise InputError(
            f"{where}: needs words that all have the same layers, of equally many numbers; "
            "make the file again"
        )
    return words, layers[0], array.swapaxes(0, 1)


def _as_array(values: list[list[list[float]]]) -> np.ndarray | None:
    """Nested numbers as a float32 array, or None when they are not a box of numbers."""
    try:
        array = np.array(values)
    except ValueError:
        return None
    if array.ndim != 3 or array.size == 0 or array.dtype.kind not in "fi":
        return None
    with np.errstate(over="ignore"):  # an infinite activation is refused when it is written
        return array.astype(np.float32)


def write_neurox_json(store: ActivationStore, out: str | Path, *, overwrite: bool = False) -> Path:
    """Write a store as JSON lines of NeuroX, one sentence in memory at a time.

    A number has as many digits as it takes to read the same float32 back; NeuroX itself keeps
    eight decimal places. The file appears only when it is complete.

    Raises
    ------
    InputError
        When the layers differ in width, a word has no activation, the name does not end in
        ``.json``, or the file exists.
    """
    check_neurox_name(out, ".json")
    if len(store.missing):
        raise InputError(
            f"{store.path}: {len(store.missing)} words have no activations and JSON has no NaN; "
            "convert to .hdf5 instead"
        )
    with (
        atomic_write(out, overwrite) as partial,
        partial.open("w", encoding="utf-8", newline="\n") as file,
    ):
        sentences = zip(words_of(store), arrays_of(store), strict=True)
        for number, (words, array) in enumerate(sentences):
            if not np.isfinite(array).all():
                raise InputError(
                    f"{store.path}: sentence {number + 1}: has NaN or infinite activations; "
                    "extract again"
                )
            file.write(json.dumps(_line(number, words, array)) + "\n")
    return Path(out)


def _line(number: int, words: list[str], array: np.ndarray) -> dict[str, Any]:
    """A sentence as NeuroX writes it, from (n_layers, n_words, width) activations."""
    features = []
    for word, layers in zip(words, _shortest(array).swapaxes(0, 1).tolist(), strict=True):
        of_layers = [{"index": i, "values": values} for i, values in enumerate(layers)]
        features.append({"token": word, "layers": of_layers})
    return {"linex_index": number, "features": features}


def _shortest(array: np.ndarray) -> np.ndarray:
    """float64 numbers with few digits that round to these float32 numbers; same shape."""
    exact = array.astype(np.float32)
    short = exact.astype(str).astype(np.float64)
    # Rounding twice, to float64 and then to float32, can miss by one unit in a few numbers.
    return np.where(short.astype(np.float32) == exact, short, exact.astype(np.float64))
