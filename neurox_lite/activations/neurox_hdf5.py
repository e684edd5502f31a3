"""NeuroX's HDF5 files: a dataset per sentence, and the sentences' texts in one JSON string."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurox_lite.activations.hdf5 import new_hdf5
from neurox_lite.activations.neurox_store import (
    arrays_of,
    check_neurox_name,
    store_sentences,
    words_of,
)
from neurox_lite.activations.safe_hdf5 import (
    MOST_PACKED,
    check_inside,
    check_links,
    filters_of,
    one_line,
    open_hdf5,
)
from neurox_lite.activations.separate_process import in_separate_process
from neurox_lite.activations.store import ActivationStore
from neurox_lite.errors import InputError
from neurox_lite.files import atomic_write
from neurox_lite.input_files import parse_json

INDEX = "sentence_to_index"
OCCURRENCE = " (Occurrence "
AGAIN = "make the file again"

KNOWN_FILTERS = {
    *(h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32),
    *(h5py.h5z.FILTER_SZIP, h5py.h5z.FILTER_LZF),
}
MOST_BYTES = 16 << 30
"""Activations of a sentence, which are in memory at once."""


def read_neurox_hdf5(
    path: str | Path, out: str | Path, *, model: str = "unknown", overwrite: bool = False
) -> ActivationStore:
    """Make a store from an HDF5 file of NeuroX, one sentence in memory at a time.

    Sentences are in the order of their numbers. The " (Occurrence 2)" that NeuroX adds to the text
    of a sentence it has seen before is taken off again. float16 stays float16, float64 becomes
    float32. A word that is NaN in every layer is stored as a word without an activation.

    Parameters
    ----------
    path : path
        Datasets "0", "1", ... of shape (n_layers, n_words, width), and ``sentence_to_index``.
    out : path
        The store; it appears only when it is complete.
    model : str
        Name of the model, which the file does not hold.
    overwrite : bool
        Replace an existing store.

    Returns
    -------
    ActivationStore
        Open for reading; layers are numbered from 0 in the order of the file.

    Raises
    ------
    InputError
        When the file is missing, damaged or of another form, its texts are fewer than its
        sentences or do not fit their activations, or ``out`` exists.
    """
    for _ in in_separate_process(check_neurox_hdf5, Path(path)):
        pass
    with open_hdf5(path) as file:
        keys = _keys_in_order(file, path)
        dtype = _check_datasets(file, len(keys), path)
        words = [
            _words(key, file[str(number)].shape[1], f"{path}: sentence {number + 1}")
            for number, key in enumerate(keys)
        ]
        _check_occurrences(words, keys, path)
        return store_sentences(
            out,
            words,
            (_read(file, number, path) for number in range(len(keys))),
            source=path,
            dtype=dtype,
            model=model,
            overwrite=overwrite,
        )


def check_neurox_hdf5(path: str) -> Iterator[dict[str, Any]]:
    """Check a file as far as it goes without its activations.

    Reads what HDF5 may hang or crash on, so it is called in a process of its own. Yields what is
    being done; raises InputError when something is wrong.
    """
    yield {"at": "its beginning"}
    with open_hdf5(path) as file, one_line(path):
        check_links(file, path)
        if INDEX in file:
            check_inside(file[INDEX], f"{path}: {INDEX}", most_packed=MOST_PACKED)
        keys = _keys_in_order(file, path)
        for number in range(len(keys)):
            yield {"at": f"sentence {number + 1}"}
            if isinstance(file.get(str(number)), h5py.Dataset):
                _check_stored(file[str(number)], f"{path}: sentence {number + 1}")
        _check_datasets(file, len(keys), path)


def _check_stored(dataset: h5py.Dataset, where: str) -> None:
    """Refuse a sentence whose activations are elsewhere, or unpack to more than anyone stored."""
    check_inside(dataset, where, most_packed=MOST_PACKED)
    filters = filters_of(dataset)
    if not filters <= KNOWN_FILTERS:
        raise InputError(
            f"{where}: is packed in a way that HDF5 does not know; unpack it with "
            "'h5repack -f NONE'"
        )
    packed = dataset.id.get_storage_size() * (MOST_PACKED if filters else 1)
    if packed < dataset.nbytes:
        raise InputError(
            f"{where}: has {dataset.id.get_storage_size()} bytes, too few for its shape "
            f"{dataset.shape}; {AGAIN}"
        )
    if dataset.nbytes > MOST_BYTES:
        raise InputError(
            f"{where}: has {dataset.nbytes / 2**30:.0f} GiB of activations; a sentence has at most "
            f"{MOST_BYTES >> 30}"
        )
    if dataset.chunks:
        dataset.id.chunk_iter(lambda chunk: None)


def _keys_in_order(file: h5py.File, path: str | Path) -> list[str]:
    """The texts in ``sentence_to_index`` by the number they point to."""
    try:
        number_of = parse_json(file[INDEX][0])
        text_of = {str(number): text for text, number in number_of.items()}
    except (KeyError, ValueError, TypeError, AttributeError, OSError):
        raise InputError(
            f"{path}: has no {INDEX} that maps each sentence to its number; give a file that "
            "NeuroX wrote"
        ) from None
    n_datasets = sum(name.isdecimal() for name in file)
    if len(number_of) < n_datasets:
        raise InputError(
            f"{path}: {n_datasets} sentences have activations but {len(number_of)} have a text in "
            f"{INDEX}, where equal sentences are one; which activations belong to "
            "which is lost: extract again"
        )
    names = [str(number) for number in range(len(number_of))]
    if set(text_of) != set(names):
        raise InputError(
            f"{path}: {INDEX} does not number its {len(names)} sentences from 0 to "
            f"{len(names) - 1}, each once; {AGAIN}"
        )
    return [text_of[name] for name in names]


def _check_datasets(file: h5py.File, n_sentences: int, path: str | Path) -> str:
    """Check the shape and type of every sentence without reading it; give the common dtype."""
    first: tuple[int, int, np.dtype] | None = None
    for number in range(n_sentences):
        where = f"{path}: sentence {number + 1} (dataset '{number}')"
        dataset = file.get(str(number))
        if not isinstance(dataset, h5py.Dataset):
            raise InputError(f"{where}: is missing; the file is incomplete, {AGAIN}")
        if dataset.ndim != 3 or 0 in dataset.shape or dataset.dtype.kind != "f":
            raise InputError(
                f"{where}: is {dataset.dtype} of shape {dataset.shape}, not floating-point numbers "
                f"of shape (layers, words, neurons); {AGAIN}"
            )
        found = (dataset.shape[0], dataset.shape[2], dataset.dtype)
        first = first or found
        if found != first:
            raise InputError(
                f"{where}: has {_shown(found)}, but the first sentence has {_shown(first)}; {AGAIN}"
            )
    return "float16" if first and first[2] == np.float16 else "float32"


def _shown(form: tuple[int, int, np.dtype]) -> str:
    return f"{form[0]} layers of {form[1]} neurons in {form[2]}"


def _words(key: str, n_words: int, where: str) -> list[str]:
    """The words of a sentence from its text in ``sentence_to_index``.

    " (Occurrence 2)" counts as two words, so the number of words that have activations tells
    whether NeuroX added it or the sentence itself ends like that.
    """
    words = key.split(" ")
    if len(words) == n_words:
        return words
    text = key.rpartition(OCCURRENCE)[0].split(" ")
    if len(text) == len(words) - 2 == n_words:
        return text
    raise InputError(
        f"{where}: its text {key!r} has {len(words)} words, its activations are of {n_words} "
        f"(NeuroX cuts what its model cannot take); {AGAIN}"
    )


def _check_occurrences(words: list[list[str]], keys: list[str], path: str | Path) -> None:
    """Refuse texts that NeuroX would not have given to these sentences."""
    expected = sentence_keys(map(" ".join, words))
    for number, (key, should_be) in enumerate(zip(keys, expected, strict=True), start=1):
        if key != should_be:
            raise InputError(
                f"{path}: sentence {number}: its text is {key!r}, but NeuroX calls a sentence of "
                f"its number of words and place {should_be!r}; {AGAIN}"
            )


def _read(file: h5py.File, number: int, path: str | Path) -> np.ndarray:
    with one_line(f"{path}: sentence {number + 1}"):
        return file[str(number)][:]


def sentence_keys(texts: Iterable[str]) -> Iterator[str]:
    """What NeuroX calls sentences in ``sentence_to_index``: a repeated text gets a number."""
    taken: set[str] = set()
    last: dict[str, int] = {}
    for text in texts:
        key, number = text, last.get(text, 1)
        while key in taken:
            number += 1
            key = f"{text}{OCCURRENCE}{number})"
        last[text] = number
        taken.add(key)
        yield key


def write_neurox_hdf5(store: ActivationStore, out: str | Path, *, overwrite: bool = False) -> Path:
    """Write a store as an HDF5 file of NeuroX, one sentence in memory at a time.

    float16 stays float16, bfloat16 becomes float32, words without an activation are NaN. The file
    appears only when it is complete.

    Raises
    ------
    InputError
        When the layers differ in width, a word has a space, the name does not end in ``.hdf5``, or
        the file exists.
    """
    check_neurox_name(out, ".hdf5")
    sentences = words_of(store)
    for number, words in enumerate(sentences, start=1):
        spaced = next((word for word in words if " " in word), None)
        if spaced:
            raise InputError(
                f"{store.path}: sentence {number}: the word {spaced!r} has a space, which "
                "separates words in this format; convert to .json instead"
            )
    with atomic_write(out, overwrite) as partial, new_hdf5(partial) as (file, _):
        for number, array in enumerate(arrays_of(store)):
            file[str(number)] = array
        keys = sentence_keys(map(" ".join, sentences))
        index = {key: str(number) for number, key in enumerate(keys)}
        file.create_dataset(INDEX, data=[json.dumps(index)], dtype=h5py.string_dtype())
    return Path(out)
