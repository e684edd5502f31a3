"""Labelled words of a store, as the commands that fit or test a probe choose them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from neurox_lite.activations.labelled_splits import LabelledSplits, labelled_splits
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
    by_position: bool = False,
) -> LabelledSplits:
    """:func:`labelled_splits` of the words that were chosen; of a pooled store, the sentences.

    With a ``label`` that one is told from all others. Rare classes are then part of the others,
    unless ``min_count`` leaves them out.
    """
    if store.metadata.get("pooling"):
        corpus = corpus.by_sentence()
    keep = words.mask(corpus, seed)
    options: dict[str, Any] = {"balance": words.balance, "by_position": by_position, "seed": seed}
    options |= {"layers": layers, "min_count": min_count}
    if label is None:
        return labelled_splits(store, corpus, tag, keep=keep, numeric=numeric, **options)
    left_out = {}
    binary = corpus.against_rest(tag, label)
    if min_count is not None:
        # The words that --one-vs-rest fits its probes on, of which this is one.
        left_out = labelled_splits(store, corpus, tag, keep=keep, **options).left_out
        keep &= ~np.isin(corpus.labels(tag), list(left_out))
    splits = labelled_splits(store, binary, tag, keep=keep, **options)
    return replace(splits, left_out=left_out)
