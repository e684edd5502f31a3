"""Labelled words of a store, as the commands that fit or test a probe choose them."""

from __future__ import annotations

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
    layers: list[int] | None,
    min_count: int | None,
    seed: int,
) -> LabelledSplits:
    """:func:`labelled_splits` of the words that were chosen; of a pooled store, the sentences."""
    if store.metadata.get("pooling"):
        corpus = corpus.by_sentence()
    keep = words.mask(corpus, seed)
    return labelled_splits(store, corpus, tag, layers=layers, min_count=min_count, keep=keep)
