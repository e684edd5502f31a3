"""Which words to analyse, by the word itself and how often it occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from neurox_lite.arguments import expect, strings, whole_number
from neurox_lite.choices import did_you_mean, listed
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.whole_words import whole_word
from neurox_lite.errors import InputError
from neurox_lite.labels import UNLABELLED


def word_filter(
    corpus: TaggedCorpus,
    *,
    pattern: str | None = None,
    words: Iterable[str] | None = None,
    min_frequency: int = 0,
    max_frequency: int | None = None,
    where: Mapping[str, str | Sequence[str]] | None = None,
) -> np.ndarray:
    """Find the words that pass every filter given; upper and lower case differ.

    Parameters
    ----------
    corpus : TaggedCorpus
    pattern : str, optional
        A regular expression that must match the whole word.
    words : set or list of str, optional
        The words to keep.
    min_frequency, max_frequency : int
        How often the word must occur in train, or in the whole corpus when it has no splits;
        by default any number of times. ``min_frequency=1`` leaves out the words of dev and test
        that are not seen in train, ``max_frequency=0`` all others.
    where : mapping from tag to labels, optional
        The labels a word must have, such as ``{"upos": ["NOUN", "PROPN"]}`` or ``{"upos":
        "NOUN,PROPN"}``; of every tag one of them.

    Returns
    -------
    (n_words,) bool array
        True for the words to keep.

    Raises
    ------
    InputError
        When the pattern is not a regular expression, the frequencies are not a range, the corpus
        lacks a tag or label of ``where``, or no word passes.
    """
    expect(corpus, TaggedCorpus, "corpus", "a TaggedCorpus, such as nx.read_corpus(path)")
    words = None if words is None else frozenset(strings(words, "words"))
    check_filter(pattern, min_frequency, max_frequency)
    where = expect({} if where is None else where, Mapping, "where", "a dict from tag to labels")
    kept = _frequencies(corpus)
    if pattern is not None:
        expression = whole_word(pattern, "word filter")
        kept = {word: n for word, n in kept.items() if expression.fullmatch(word)}
    if words is not None:
        kept = {word: n for word, n in kept.items() if word in words}
    most = float("inf") if max_frequency is None else max_frequency
    kept = {word: n for word, n in kept.items() if min_frequency <= n <= most}
    passes = np.fromiter((word in kept for word in corpus.words()), bool, corpus.n_words)
    for tag, values in where.items():
        labels = corpus.labels(tag)
        passes &= np.isin(labels, _named_labels(labels, values, f"{corpus.source}: '{tag}'"))
    if not passes.any():
        raise InputError(
            f"{corpus.source}: no word passes the word filter; give a pattern, words or "
            "frequencies that some word has"
        )
    return passes


def check_filter(pattern: str | None, min_frequency: int, max_frequency: int | None) -> None:
    """Refuse, before any corpus is read, what :func:`word_filter` cannot use.

    It is a pattern that is not a regular expression, or frequencies that are not a range.
    """
    if pattern is not None:
        whole_word(pattern, "word filter")
    whole_number(min_frequency, "min_frequency", least=0)
    if max_frequency is not None and whole_number(max_frequency, "max_frequency") < min_frequency:
        raise InputError(
            f"max_frequency is {max_frequency}; give at least min_frequency, {min_frequency}"
        )


def _named_labels(labels: np.ndarray, values: str | Sequence[str], where: str) -> list[str]:
    """The labels that a text with commas, or a list, names; a label may itself be a comma."""
    known = set(labels.tolist()) - {UNLABELLED}
    if isinstance(values, str):
        values = [values] if values in known else [value.strip() for value in values.split(",")]
    values = strings(values, where)
    for value in values:
        if value not in known:
            raise InputError(
                f"{where}: no word is labelled '{value}'; its labels are: {listed(sorted(known))}"
                f"{did_you_mean(value, known)}"
            )
    return values


def _frequencies(corpus: TaggedCorpus) -> dict[str, int]:
    """How often every word of the corpus occurs in train, or at all without splits."""
    words = corpus.words()
    if not corpus.splits:
        return Counter(words)
    in_train: Counter[str] = Counter()
    for sentence, split in zip(corpus.sentences, corpus.splits, strict=True):
        if split == "train":
            in_train.update(sentence)
    return {word: in_train[word] for word in dict.fromkeys(words)}
