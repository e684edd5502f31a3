"""Labelled words of a store, as the commands that fit or test a probe choose them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurox_lite.activations.labelled import LabelledSplits, labelled_splits
from neurox_lite.activations.store import ActivationStore
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.word_selection import WordSelection


def chosen_splits(
    store: ActivationStore,
    corpus: TaggedCorpus,
    tag: str,
    words: WordSelection,
    *,
    label: str | None = None,
    layers: list[int] | None,
    min_count: int | None,
    seed: int,
    numeric: bool = False,
) -> LabelledSplits:
    """:func:`labelled_splits` of the words that were chosen; of a pooled store, the sentences.

    With a ``label`` that one is told from all others. Rare classes are then part of the others,
    unless ``min_count`` leaves them out.
    """
    if store.metadata.get("pooling"):
        corpus = corpus.by_sentence()
    keep = words.mask(corpus, seed)
    if label is None:
        return labelled_splits(
            store, corpus, tag, layers=layers, min_count=min_count, keep=keep, numeric=numeric
        )
    left_out = {}
    binary = corpus.against_rest(tag, label)
    if min_count is not None:
        # The words that --one-vs-rest fits its probes on, of which this is one.
        every = labelled_splits(store, corpus, tag, min_count=min_count, keep=keep)
        left_out = every.left_out
        keep &= ~np.isin(corpus.labels(tag), list(left_out))
    splits = labelled_splits(store, binary, tag, layers=layers, min_count=min_count, keep=keep)
    return replace(splits, left_out=left_out)
