"""Concepts of the words of a corpus: labels, forms, positions, neighbours, and what was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array, csr_array

from neurox_lite.arguments import expect, strings, whole_number
from neurox_lite.choices import did_you_mean
from neurox_lite.corpora.tagged_corpus import POSITION, TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.labels import UNLABELLED
from neurox_lite.showing import short_repr

WORD = "word"
MIN_COUNT = 20
FROM_START = ("first", "second", "third")
BEYOND = (10, 20, 40)
"""Positions that have a concept of their own, and those that are shared by all words after."""


@dataclass(frozen=True)
class Concepts:
    """Which words have which concepts.

    Attributes
    ----------
    names : (n_concepts,) tuple of str
        As ``upos=NOUN``, ``word=people``, ``position=first``, ``latest:Number=Plur``,
        ``previous:upos=DET``.
    has : (n_words, n_concepts) sparse bool array by rows
        5 bytes for each concept that a word has: some 30 in a treebank, 150 bytes a word, where a
        full matrix has a byte for each of some thousand concepts.
    """

    names: tuple[str, ...]
    has: csr_array

    __repr__ = short_repr

    def __len__(self) -> int:
        return len(self.names)

    @property
    def n_words(self) -> int:
        return self.has.shape[0]

    def take(self, words: np.ndarray) -> Concepts:
        """The concepts of some of the words, of int or bool array ``words``."""
        return Concepts(self.names, self.has[words])

    def of(self, name: str) -> np.ndarray:
        """Which words have a concept; (n_words,) bool array.

        Raises
        ------
        InputError
            When there is no such concept.
        """
        if name not in self._numbers:
            hint = did_you_mean(name, self.names)
            raise InputError(f"no concept '{name}'; concepts are named as '{self.names[0]}'{hint}")
        found = np.zeros(self.n_words, bool)
        found[self.words_of(self._numbers[name])] = True
        return found

    def words_of(self, number: int) -> np.ndarray:
        """Numbers of the words that have a concept, given by its number."""
        start, end = self._by_concept.indptr[number : number + 2]
        return self._by_concept.indices[start:end]

    @cached_property
    def counts(self) -> np.ndarray:
        """Words of each concept; (n_concepts,)."""
        return np.diff(self._by_concept.indptr)

    @cached_property
    def as_numbers(self) -> csr_array:
        """``has`` in float32, whose products count fastest, and exactly up to 16 million words."""
        return self.has.astype(np.float32, copy=False)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def _by_concept(self) -> csc_array:
        return self.has.tocsc()


class _Kind(NamedTuple):
    """Concepts of which a word has one at most: its number, or -1, for each word."""

    names: list[str]
    numbers: np.ndarray


def concepts_of(
    corpus: TaggedCorpus,
    *,
    tags: Sequence[str] | None = None,
    min_count: int = MIN_COUNT,
    words: np.ndarray | None = None,
) -> Concepts:
    """The concepts of the words of a corpus.

    They are the labels of the tags, ``upos=NOUN``; the forms of words in lower case,
    ``word=people``; positions, ``position=first``, ``second``, ``third``, ``last`` and
    ``position>10``, ``>20``, ``>40`` (after so many words); what has been read so far, of tags that
    only some words have: ``first:Number=Plur`` and ``latest:Number=Plur``, where the first, and the
    latest, word of the sentence with a Number, up to the word itself, is plural; and, of labels and
    forms, those of the words before and after in the sentence, ``previous:upos=DET`` and
    ``next:word=of``. A tag of the corpus that is called ``word`` or ``position`` takes the place of
    these.

    Left out are concepts of fewer than ``min_count`` words, or of all; and of those with exactly
    the same words all but the first: labels before forms, positions, what has been read and
    neighbours, then by name, whatever its case.

    Parameters
    ----------
    corpus : TaggedCorpus
    tags : list of str, optional
        By default all tags of the corpus. Those whose labels are of sentences have no neighbours.
    min_count : int
    words : (n_words,) int array, optional
        Numbers of the words whose concepts are asked, ascending, and among which are counted; by
        default all.

    Raises
    ------
    InputError
        When the corpus has no such tag, or no concept is left.
    """
    expect(corpus, TaggedCorpus, "corpus", "a TaggedCorpus, such as nx.read_corpus(path)")
    min_count = whole_number(min_count, "min_count", least=1)
    tags = None if tags is None else sorted(set(strings(tags, "tags")), key=_as_people_sort)
    words = np.arange(corpus.n_words) if words is None else words
    found = find_concepts(corpus, words, tags=tags, min_count=min_count)
    if not len(found):
        raise InputError(
            f"{corpus.source}: none of its labels and forms is of {min_count} words or more, but "
            "not of all; lower min_count or give more sentences"
        )
    return found


def find_concepts(
    corpus: TaggedCorpus,
    words: np.ndarray,
    *,
    tags: Sequence[str] | None = None,
    min_count: int = MIN_COUNT,
) -> Concepts:
    """As :func:`concepts_of`, or none."""
    tags = sorted(corpus.tags, key=_as_people_sort) if tags is None else tags
    names: dict[str, np.ndarray] = {}
    seen: set[bytes] = set()
    for kind in _kinds(corpus, tags):
        for name, of_concept in _frequent(kind, words, min_count):
            key = of_concept.tobytes()
            if key not in seen and name not in names:
                seen.add(key)
                names[name] = of_concept
    ends = np.cumsum([0, *map(len, names.values())], dtype=np.int32)
    places = np.concatenate([np.zeros(0, np.int32), *names.values()])
    shape = len(words), len(names)
    by_concept = csc_array((np.ones(len(places), bool), places, ends), shape=shape)
    return Concepts(tuple(names), by_concept.tocsr())


def _as_people_sort(tag: str) -> tuple[str, str]:
    """So that of the same words `lemma` is named, and not a treebank's own `LId`."""
    return tag.casefold(), tag


def _frequent(kind: _Kind, words: np.ndarray, least: int) -> Iterator[tuple[str, np.ndarray]]:
    """Concepts of at least so many words and not of all, by name, and the places of the words."""
    numbers = kind.numbers[words]
    counts = np.bincount(numbers + 1, minlength=len(kind.names) + 1)
    ends = np.cumsum(counts)
    order = np.argsort(numbers, kind="stable").astype(np.int32)
    kept = np.flatnonzero((counts[1:] >= least) & (counts[1:] < len(words))).tolist()
    for number in sorted(kept, key=kind.names.__getitem__):
        yield kind.names[number], order[ends[number] : ends[number + 1]]


def _kinds(corpus: TaggedCorpus, tags: Sequence[str]) -> Iterator[_Kind]:
    """Labels, forms, positions, and those of neighbours, in the order in which they are named."""
    of_words, of_tags = [], []
    for tag in tags:
        # Not by ``labels``, whose array takes 4 bytes for each character of the longest label.
        rows = corpus.tags.get(tag)
        labels = corpus.labels(tag).tolist() if rows is None else chain.from_iterable(rows)
        kind = _kind_of(tag, labels)
        yield kind
        of_tags.append(kind)
        if tag not in corpus.sentence_tags:
            of_words.append(kind)
    if WORD not in corpus.tags:
        kind = _kind_of(WORD, (word.lower() for word in corpus.words()))
        of_words.append(kind)
        yield kind
    starts, lasts = corpus.sentence_offsets[:-1], corpus.sentence_offsets[1:] - 1
    if POSITION not in corpus.tags:
        yield from _positions(np.arange(corpus.n_words), starts, lasts)
    for tag, kind in zip(tags, of_tags, strict=True):
        if tag not in corpus.sentence_tags and (kind.numbers < 0).any():
            yield from _read_so_far(kind, starts, lasts)
    for before, shift, ends in (("previous", 1, starts), ("next", -1, lasts)):
        for names, numbers in of_words:
            shifted = np.roll(numbers, shift)
            shifted[ends] = -1
            yield _Kind([f"{before}:{name}" for name in names], shifted)


def _kind_of(name: str, labels: Iterable[str]) -> _Kind:
    known = {UNLABELLED: -1}
    numbers = np.fromiter((known.setdefault(each, len(known) - 1) for each in labels), np.int32)
    return _Kind([f"{name}={label}" for label in list(known)[1:]], numbers)


def _read_so_far(kind: _Kind, starts: np.ndarray, lasts: np.ndarray) -> Iterator[_Kind]:
    """The first label of the sentence and the latest one, up to each word."""
    words, is_labelled = np.arange(len(kind.numbers)), kind.numbers >= 0
    start_of = np.repeat(starts, lasts - starts + 1)
    latest = np.maximum.accumulate(np.where(is_labelled, words, -1))
    # From behind: the next word with a label, from the start of the sentence on.
    coming = np.minimum.accumulate(np.where(is_labelled, words, len(words))[::-1])[::-1]
    first = coming[start_of]
    for before, word, is_read in (
        ("first", first, first <= words),
        ("latest", latest, latest >= start_of),
    ):
        numbers = np.where(is_read, kind.numbers[np.where(is_read, word, 0)], -1)
        yield _Kind([f"{before}:{name}" for name in kind.names], numbers.astype(np.int32))


def _positions(words: np.ndarray, starts: np.ndarray, lasts: np.ndarray) -> Iterator[_Kind]:
    before = words - np.repeat(starts, lasts - starts + 1)
    places = {f"={name}": before == place for place, name in enumerate(FROM_START)}
    places["=last"] = np.isin(words, lasts)
    places |= {f">{n_words}": before >= n_words for n_words in BEYOND}
    for name, has in places.items():
        yield _Kind([POSITION + name], has.astype(np.int32) - 1)
