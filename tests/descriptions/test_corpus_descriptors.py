"""Keywords and noun phrases.

`neurox_lite.descriptions.corpus_descriptors`
"""

from __future__ import annotations

import numpy as np

from neurox_lite import TaggedCorpus
from neurox_lite.descriptions.corpus_descriptors import corpus_descriptors, numbered

SENTENCES = [
    ["The", "fresh", "Bread", "smells", "good", "."],
    ["A", "New", "York", "city", "street"],
    ["the", "."],
]
UPOS = [
    ["DET", "ADJ", "NOUN", "VERB", "ADJ", "PUNCT"],
    ["DET", "PROPN", "PROPN", "NOUN", "NOUN"],
    ["DET", "PUNCT"],
]


def test_keywords_and_noun_phrases_of_a_tagged_corpus():
    corpus = TaggedCorpus(SENTENCES, {"upos": UPOS})
    assert corpus_descriptors(corpus, [0, 2]) == [
        ("fresh", "bread", "fresh bread", "smells", "good"),
        (),
    ]
    (street,) = corpus_descriptors(corpus, [1])
    assert street == (
        "new", "york", "new york", "city", "new york city", "street", "new york city street"
    )  # fmt: skip


def test_without_parts_of_speech_rare_words_are_keywords():
    others = [["the", f"word{number}", "7"] for number in range(8)]
    corpus = TaggedCorpus([*SENTENCES, *others])
    first, *_ = corpus_descriptors(corpus, range(len(corpus)))
    assert first == ("fresh", "bread", "smells", "good")


def test_numbered_are_those_of_enough_sentences():
    names, sentences, numbers = numbered([("b", "a", "b"), (), ("a", "c"), ("b",)], 2)
    assert names == ("a", "b")
    pairs = set(zip(sentences.tolist(), numbers.tolist(), strict=True))
    assert pairs == {(0, 1), (0, 0), (2, 0), (3, 1)}
    names, sentences, numbers = numbered([(), ()], 1)
    assert names == () and not len(np.concatenate([sentences, numbers]))
