"""Descriptors of sentences that a corpus offers by itself: keywords and noun phrases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from neurox_lite.corpora.tagged_corpus import TaggedCorpus

UPOS = "upos"
NOUNS, IN_PHRASES = ("NOUN", "PROPN"), ("ADJ", "NOUN", "PROPN", "NUM")
OPEN = ("NOUN", "PROPN", "VERB", "ADJ", "ADV", "INTJ")
"""Parts of speech of keywords, where the corpus has universal ones."""

MOST_SHARE = 0.2
"""Words in more sentences than this share are no keywords, where parts of speech are not known."""

MOST_WORDS = 4
"""Of a noun phrase."""


def corpus_descriptors(corpus: TaggedCorpus, sentences: Sequence[int]) -> list[tuple[str, ...]]:
    """Of each of some sentences its keywords and noun phrases, in lower case.

    With universal parts of speech keywords are words of open classes, and noun phrases runs of up
    to four adjectives, numerals and nouns that end in a noun; without them keywords are the words
    with a letter that not more than a fifth of the sentences have.
    """
    words = [[word.lower() for word in corpus.sentences[number]] for number in sentences]
    if UPOS in corpus.tags:
        rows = corpus.tags[UPOS]
        return [
            tuple(dict.fromkeys(_of_tagged(own, rows[number])))
            for own, number in zip(words, sentences, strict=True)
        ]
    counts = Counter(word for own in words for word in set(own))
    most = max(1, MOST_SHARE * len(words))
    return [
        tuple(
            dict.fromkeys(
                word for word in own if counts[word] <= most and any(map(str.isalpha, word))
            )
        )
        for own in words
    ]


def _of_tagged(words: Sequence[str], labels: Sequence[str]) -> Iterator[str]:
    run: list[int] = []
    for place, label in enumerate(labels):
        if label in OPEN:
            yield words[place]
        run = [*run, place] if label in IN_PHRASES else []
        if len(run) > 1 and label in NOUNS:
            yield " ".join(words[each] for each in run[-MOST_WORDS:])


def numbered(
    found: Sequence[Sequence[str]], least: int
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Descriptors of at least so many sentences, by name, and pairs of sentence and descriptor."""
    counts = Counter(name for own in found for name in set(own))
    names = tuple(sorted(name for name, count in counts.items() if count >= least))
    number = {name: place for place, name in enumerate(names)}
    pairs = [
        (sentence, number[name])
        for sentence, own in enumerate(found)
        for name in dict.fromkeys(own)
        if name in number
    ]
    rows, columns = np.array(pairs, dtype=int).reshape(-1, 2).T
    return names, rows, columns
