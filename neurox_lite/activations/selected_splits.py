"""Labelled words of a store, of those that filters choose; of one label and all others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from neurox_lite.activations.labelled_splits import LabelledSplits, labelled_splits
from neurox_lite.activations.store import ActivationStore
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.neurons import Layers


def selected_splits(
    store: ActivationStore,
    corpus: TaggedCorpus,
    tag: str,
    words: WordSelection | None = None,
    *,
    label: str | None = None,
    layers: Layers = None,
    min_count: int | None = None,
    seed: int = 0,
    numeric: bool = False,
    by_position: bool = False,
) -> LabelledSplits:
    """:func:`labelled_splits` of the words that are chosen; of a pooled store, the sentences.

    Parameters
    ----------
    store, corpus, tag, layers, min_count, seed, numeric, by_position
        As in :func:`labelled_splits`.
    words : WordSelection, optional
        All words by default.
    label : str, optional
        The labels are this one and ``not`` this one. Rare classes are part of the latter, unless
        ``min_count`` leaves them out.

    Raises
    ------
    InputError
        As :func:`labelled_splits`, when no word passes the filters or no word has the label.
    """
    words = WordSelection() if words is None else words
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
