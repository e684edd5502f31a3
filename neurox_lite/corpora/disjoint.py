"""Splits that share nothing: words whose sentence, or whose type, another split has are left out.

A probe that is tested on sentences or words it was trained on may have learnt them by heart.
"""

from __future__ import annotations

import numpy as np

from neurox_lite.choices import did_you_mean
from neurox_lite.corpora.splits import SPLITS, draw_splits
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

DISJOINT = ("sentences", "types")


def find_disjoint_words(corpus: TaggedCorpus, by: str, seed: int = 0) -> np.ndarray:
    """Find the words to keep so that no two splits share a sentence, or a word type either.

    Parameters
    ----------
    corpus : TaggedCorpus
        With splits.
    by : {"sentences", "types"}
        ``"sentences"`` leaves out the sentences of dev and test whose text train has too, and
        those of test that dev has. ``"types"`` also draws every word type of the corpus to one
        split (80 % of the types to train, 10 % to dev, 10 % to test) and keeps a word only in
        the split of its type; equal types are equal strings.
    seed : int
        Of the draw; which type goes where does not depend on the order of the words.

    Returns
    -------
    (n_words,) bool array
        True for the words to keep.

    Raises
    ------
    InputError
        When ``by`` is something else or the corpus has no splits.
    """
    check_disjoint(by)
    if not corpus.splits:
        raise InputError(f"{corpus.source}: no splits to keep apart; call with_random_split()")
    lengths = np.diff(corpus.sentence_offsets)
    kept = np.repeat(_new_in_their_split(corpus), lengths)
    if by == "types":
        words = corpus.words()
        split_of_type = draw_splits(words, seed)
        split_of_word = np.repeat(np.asarray(corpus.splits), lengths)
        kept &= np.array([split_of_type[word] for word in words]) == split_of_word
    return kept


def check_disjoint(by: str | None) -> None:
    """Raise InputError unless ``by`` is None or one of ``DISJOINT``."""
    if by is not None and by not in DISJOINT:
        raise InputError(
            f"disjoint is '{by}'; give {' or '.join(DISJOINT)}{did_you_mean(by, DISJOINT)}"
        )


def _new_in_their_split(corpus: TaggedCorpus) -> np.ndarray:
    """Which sentences have a text that no earlier split has; shape (n_sentences,)."""
    texts = [" ".join(words) for words in corpus.sentences]
    first: dict[str, str] = {}
    for split in SPLITS:
        own = (text for text, s in zip(texts, corpus.splits, strict=True) if s == split)
        for text in own:
            first.setdefault(text, split)
    return np.array([first[text] == s for text, s in zip(texts, corpus.splits, strict=True)])
