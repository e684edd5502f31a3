"""Is a store still what was written? Read it whole, once, and say everything that is wrong."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np

from neurox_lite.activations.store import BLOCK_ROWS, ActivationStore, hash_content
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError


def verify(store: ActivationStore) -> list[str]:
    """Compare a store with its checksums and look for activations that cannot be right.

    Streams every layer once; memory is a few blocks of rows.

    Returns
    -------
    list of str
        One line per problem, naming the layer; empty when there is none.
    """
    problems = _check_words(store) + _check_attributes(store)
    for layer in store.space.layers:
        problems += [f"layer {layer}: {problem}" for problem in _check_layer(store, layer)]
    return problems


def _check_words(store: ActivationStore) -> list[str]:
    offsets, tokens = store.sentence_offsets, store.tokens()
    if len(tokens) != store.n_tokens or offsets[0] != 0 or offsets[-1] != store.n_tokens:
        return [
            f"{len(tokens)} words and offsets up to {offsets[-1]} for {store.n_tokens} rows of "
            "activations"
        ]
    if np.any(np.diff(offsets) <= 0):
        return ["the sentence offsets do not ascend"]
    sentences = [tokens[first:last] for first, last in pairwise(offsets)]
    try:
        words_hash = TaggedCorpus(sentences).without_rows(store.special).words_hash
    except InputError as error:
        return [f"the words are damaged ({error})"]
    if words_hash != store.metadata["corpus_hash"]:
        return ["the words are not those of the corpus it was made from (their hashes differ)"]
    return []


def _check_attributes(store: ActivationStore) -> list[str]:
    problems = []
    lost = store.metadata["n_truncated_words"] + store.metadata["n_dropped_words"]
    if len(store.missing) != lost:
        problems.append(
            f"{len(store.missing)} words are marked as without activations, {lost} were counted"
        )
    checked = {str(layer) for layer in store.space.layers}
    checksums = store.metadata["checksums"]
    if any(set(run["layers"]) != checked for run in checksums):
        problems.append("the checksums are of other layers than those in the file")
    if sum(run["rows"] for run in checksums) != store.n_tokens:
        problems.append("the checksums are of another number of rows")
    if hash_content(store.metadata, store.metadata["checksums"]) != store.content_hash:
        problems.append("the attributes were changed after it was written")
    return problems


def _check_layer(store: ActivationStore, layer: int) -> list[str]:
    missing = np.zeros(store.n_tokens, dtype=bool)
    missing[store.missing] = True
    n_nan = n_infinite = n_filled = 0
    all_zero = True
    problems = []
    first = 0
    for run in store.metadata["checksums"]:
        digest = hashlib.sha256()
        last = first + run["rows"]
        for start in range(first, last, BLOCK_ROWS):
            stored = store.stored(layer, start, min(start + BLOCK_ROWS, last))
            block = store.decoded(stored)
            digest.update(stored.tobytes())
            absent = missing[start : start + len(block)]
            present = block[~absent]
            n_nan += int(np.isnan(present).any(axis=1).sum())
            n_infinite += int(np.isinf(present).any(axis=1).sum())
            n_filled += int((~np.isnan(block[absent])).any(axis=1).sum())
            all_zero = all_zero and not present.any()
        if digest.hexdigest() != run["layers"].get(str(layer)):
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
    if all_zero:
        problems.append("all activations are zero")
    return problems
