"""What NeuroX's two formats share: sentences as (n_layers, n_words, width) arrays of a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.progress import tqdm


def store_sentences(
    out: str | Path,
    words: Sequence[Sequence[str]],
    arrays: Iterable[np.ndarray],
    *,
    source: str | Path,
    dtype: str,
    model: str,
    overwrite: bool,
) -> ActivationStore:
    """Write a store from NeuroX's sentences, one at a time.

    A word that is NaN in every layer is stored as a word without an activation.

    Parameters
    ----------
    out : path
        The store; it appears only when it is complete.
    words : sequence of sequences of str
    arrays : iterable of (n_layers, n_words, width) arrays
        One per sentence; layers are numbered from 0 in this order.
    source : path
        The file they come from, for errors: an empty word, an activation that is NaN or infinite.
    dtype : {"float32", "float16"}
    model : str
    overwrite : bool
    """
    for number, sentence in enumerate(words, start=1):
        _check_words(sentence, f"{source}: sentence {number}")
    corpus = TaggedCorpus(words, source=str(source))
    metadata = {
        "model": model,
        "revision": "",
        "tokenizer": "",
        "site": "hidden_states",
        "aggregation": "unknown",
    }
    n_missing = 0
    with open_writer(out, corpus, dtype=dtype, metadata=metadata, overwrite=overwrite) as writer:
        for array in tqdm(arrays, "convert", len(words), unit="sentence", disable=None, delay=2):
            missing = np.flatnonzero(np.isnan(array).all(axis=(0, 2))).tolist()
            n_missing += len(missing)
            try:
                writer.append(dict(enumerate(array.astype(np.float32))), missing)
            except InputError as error:
                raise InputError(f"{source}: {error}") from None
        writer.finish({"n_truncated_words": 0, "n_dropped_words": n_missing})
    return ActivationStore(out)


def _check_words(words: Sequence[str], where: str) -> None:
    for position, word in enumerate(words, start=1):
        if not word or word.isspace():
            raise InputError(
                f"{where}: word {position} is empty; NeuroX writes that for a blank line and for a "
                "word its tokenizer drops: remove it from the text and extract again"
            )
        try:
            word.encode()
        except UnicodeEncodeError:
            raise InputError(
                f"{where}: word {position}, {word!r}, is not valid Unicode; correct the file"
            ) from None


def check_neurox_name(out: str | Path, suffix: str) -> None:
    """Raise InputError unless a file to write has the suffix that NeuroX's loader wants."""
    if Path(out).suffix != suffix:
        raise InputError(f"{out}: NeuroX reads this format from names in {suffix} only; use that")


def words_of(store: ActivationStore) -> list[list[str]]:
    """The words of a store, sentence by sentence."""
    tokens = store.words()
    return [tokens[first:last] for first, last in pairwise(store.sentence_offsets)]


def arrays_of(store: ActivationStore) -> Iterator[np.ndarray]:
    """The activations of a store, one (n_layers, n_words, width) array per sentence.

    float16 stays float16, everything else is float32; words without an activation are NaN. Layers
    that differ in width are an InputError, since NeuroX keeps them in one array.
    """
    if len(set(store.space.widths)) > 1:
        raise InputError(
            f"{store.path}: its layers have {', '.join(map(str, store.space.widths))} neurons, and "
            "NeuroX needs the same number in each; extract layers of one width with --layers"
        )
    X = store.matrix()
    offsets = store.sentence_offsets.tolist()
    spans = tqdm(
        pairwise(offsets), "convert", len(offsets) - 1, unit="sentence", disable=None, delay=2
    )
    for first, last in spans:
        by_word = X[first:last].reshape(last - first, len(store.space.layers), -1)
        yield by_word.swapaxes(0, 1)
