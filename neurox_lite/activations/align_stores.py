"""The same words of several stores, row by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.store import ActivationStore
from neurox_lite.arguments import one_or_more
from neurox_lite.errors import InputError
from neurox_lite.neurons import Layers


def align_stores(
    stores: Sequence[ActivationStore], layers: Layers = None
) -> list[ActivationMatrix]:
    """Matrices over the same words, one per store; nothing is read from the layers.

    The stores may be of different models and tokenizers, and may have rows of special tokens,
    which are left out. So is, in all of them, a word that has no activation in one.

    Parameters
    ----------
    stores : sequence of ActivationStore
        Made from the same corpus.
    layers : int, several ints or "all", optional
        Which layers of every store; all by default.

    Raises
    ------
    InputError
        When there is no store, two differ in their words or sentences, one lacks a layer, or no
        word has an activation in all of them.
    """
    stores = one_or_more(
        stores, ActivationStore, "stores", "a list of stores, opened by nx.ActivationStore(path)"
    )
    for store in stores[1:]:
        _check_same_words(stores[0], store)
    rows = [store.word_rows for store in stores]
    present = np.ones(len(rows[0]), dtype=bool)
    for store, its_rows in zip(stores, rows, strict=True):
        present &= ~np.isin(its_rows, store.missing)
    if not present.any():
        raise InputError(f"{stores[0].path}: no word has an activation in all stores")
    return [
        _matrix(store, layers, its_rows[present])
        for store, its_rows in zip(stores, rows, strict=True)
    ]


def _matrix(store: ActivationStore, layers: Layers, rows: np.ndarray) -> ActivationMatrix:
    try:
        return store.matrix(layers, rows)
    except InputError as error:
        raise InputError(f"{store.path}: {error}") from None


def _check_same_words(first: ActivationStore, store: ActivationStore) -> None:
    """Raise InputError that names the first word, or sentence, in which a store differs."""
    if store.metadata["corpus_hash"] == first.metadata["corpus_hash"]:
        return
    again = "extract both from the same corpus"
    expected, found = _words(first), _words(store)
    for number, (word, other) in enumerate(zip(expected, found, strict=False)):
        if word != other:
            raise InputError(
                f"{store.path}: word {number} is '{other}' and '{word}' in {first.path}; {again}"
            )
    if len(expected) != len(found):
        raise InputError(
            f"{store.path}: {len(found)} words, and {len(expected)} in {first.path}; {again}"
        )
    raise InputError(
        f"{store.path}: the words of {first.path} in other sentences, which changes their "
        f"activations; {again}"
    )


def _words(store: ActivationStore) -> list[str]:
    tokens = store.words()
    return [tokens[row] for row in store.word_rows]
