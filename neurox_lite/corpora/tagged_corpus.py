"""Sentences of words with named tags: what every stage analyses.

One class, and long since every stage asks it something; what it may hold is checked in
`corpus_checks`, how it is split stands in `splits`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import chain, islice
from typing import Any

import numpy as np

from neurox_lite.arguments import shown
from neurox_lite.choices import did_you_mean, listed
from neurox_lite.corpora.corpus_checks import validate_sentences, validate_splits, validate_tags
from neurox_lite.corpora.corpus_hash import hash_rows
from neurox_lite.corpora.sentence_text import SentenceText, join_words
from neurox_lite.corpora.splits import SHARES, SPLITS, split_at_random, take_dev_from_train
from neurox_lite.errors import InputError
from neurox_lite.labels import UNLABELLED
from neurox_lite.results.html import as_html
from neurox_lite.showing import short_repr, some, summary

POSITION = "position"
"""Labels every corpus has: the number of words before a word in its sentence."""


@dataclass(frozen=True)
class TaggedCorpus:
    """Sentences of words, named tags, and a split per sentence.

    A corpus is immutable; the ``with_...`` methods return another one that shares the words. What
    is asked of it is computed once: its offsets and hashes, and per tag asked for an array of
    n_words times the longest label (4 bytes a character). Arrays and lists it gives are the
    caller's, but for ``sentence_offsets``, which is read-only; copies and pickles leave out what
    was computed.

    Parameters
    ----------
    sentences : sequence of sequences of str
        The words. A model reads a sentence as its words joined by single spaces, unless there are
        ``texts``.
    tags : mapping from tag name to labels
        Labels, which are strings, in the same nesting as ``sentences``. The empty string is "no
        label", and so are blank ones, None, NaN and pandas' NA, which become it.
    splits : sequence of str, optional
        ``"train"``, ``"dev"`` or ``"test"`` per sentence; empty when the corpus is not split.
    source : str
        What error messages call this corpus, usually a file name.
    texts : sequence of SentenceText, optional
        Every sentence as it was written, with the places of its words in it.
    sentence_tags : sequence of str
        Tags whose labels are of whole sentences; each word of a sentence has its label.
    skipped : sequence of str
        What was left out of a file because of bad lines: file, line and what is wrong.

    Raises
    ------
    InputError
        When there is no sentence, a sentence or word is empty, a word or label is not a string, a
        sentence or row of labels is one string, or words, labels and splits differ in number.
    """

    sentences: Sequence[Sequence[str]]
    tags: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    splits: Sequence[str] = ()
    source: str = "corpus"
    texts: Sequence[SentenceText] = ()
    sentence_tags: Sequence[str] = ()
    skipped: Sequence[str] = ()

    def __post_init__(self) -> None:
        sentences = validate_sentences(self.sentences, self.source)
        tags = validate_tags(self.tags, sentences, self.source)
        splits = validate_splits(self.splits, len(sentences), self.source)
        for name, value in {"sentences": sentences, "tags": tags, "splits": splits}.items():
            object.__setattr__(self, name, value)
        if self.texts and [len(text.spans) for text in self.texts] != list(map(len, sentences)):
            raise InputError(
                f"{self.source}: the texts have other numbers of words than the sentences; give "
                "every word its place"
            )

    def __getstate__(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}

    __repr__ = short_repr

    def __str__(self) -> str:
        counts = Counter(self.splits)
        splits = [f"{split} {counts[split]}" for split in SPLITS if split in counts]
        facts = {
            "sentences": len(self),
            "words": self.n_words,
            "splits": f"({', '.join(splits)})" if splits else None,
        }
        return summary(f"TaggedCorpus {self.source}", facts, [f"tags {some(self.tags)}"])

    def _repr_html_(self) -> str:
        """What ``print`` says, and the first words with their labels."""
        first = (
            [word, *(labels[0][place] for labels in self.tags.values())]
            for place, word in enumerate(self.sentences[0])
        )
        return as_html(self, [["word", *self.tags], *first], self.n_words)

    def __len__(self) -> int:
        return len(self.sentences)

    @property
    def n_words(self) -> int:
        """Number of words, the rows of every activation matrix made from this corpus."""
        return int(self.sentence_offsets[-1])

    @cached_property
    def sentence_offsets(self) -> np.ndarray:
        """First row of each sentence, and the number of rows; shape (n_sentences + 1,)."""
        offsets = np.zeros(len(self.sentences) + 1, np.int64)
        np.cumsum([len(words) for words in self.sentences], out=offsets[1:])
        offsets.flags.writeable = False
        return offsets

    def words(self) -> list[str]:
        """All words in order; length n_words."""
        return list(chain.from_iterable(self.sentences))

    def text(self, sentence: int) -> str:
        """What the tokenizer sees of a sentence: its words joined by single spaces, or its text."""
        return self.texts[sentence].text if self.texts else " ".join(self.sentences[sentence])

    def sentence_text(self, sentence: int) -> SentenceText:
        """:meth:`text` of a sentence, and where its words are in it."""
        return self.texts[sentence] if self.texts else join_words(self.sentences[sentence])

    def labels(self, tag: str) -> np.ndarray:
        """One label per word, shape (n_words,); ``""`` where a word has none.

        ``"position"`` counts the words before each in its sentence, from ``"0"``, unless the
        corpus has a tag of that name.

        Raises
        ------
        InputError
            When the corpus has no such tag.
        """
        if not isinstance(tag, str):
            raise InputError(f"{self.source}: tag {shown(tag)}; tags are named by strings")
        if tag not in self._labels:
            self._labels[tag] = self._read_labels(tag)
        return self._labels[tag].copy()

    @cached_property
    def _labels(self) -> dict[str, np.ndarray]:
        """By tag, those that were asked for."""
        return {}

    def _read_labels(self, tag: str) -> np.ndarray:
        if tag == POSITION and tag not in self.tags:
            return np.array([str(i) for words in self.sentences for i in range(len(words))])
        if tag not in self.tags:
            known = [*sorted(self.tags.keys() - {POSITION}), POSITION]
            raise InputError(
                f"{self.source}: no labels called '{tag}'; this corpus has: {', '.join(known)}"
                f"{did_you_mean(tag, known)}"
            )
        return np.array(list(chain.from_iterable(self.tags[tag])), dtype=str)

    def rows(self, split: str) -> np.ndarray:
        """Row numbers of the words of a split, ascending; shape (n_words_in_split,).

        Raises
        ------
        InputError
            When the corpus is not split or the split is empty.
        """
        if split not in self.splits:
            have = ", ".join(s for s in SPLITS if s in self.splits) or "none"
            raise InputError(
                f"{self.source}: no sentences in split '{split}' (splits present: {have}); "
                "give a file for it or call with_random_split()"
            )
        lengths = np.diff(self.sentence_offsets)
        return np.flatnonzero(np.repeat(np.asarray(self.splits) == split, lengths))

    def with_tags(self, tag: str, rows: Sequence[Sequence[str]]) -> TaggedCorpus:
        """The same corpus with one more tag."""
        others = tuple(name for name in self.sentence_tags if name != tag)
        return replace(self, tags={**self.tags, tag: rows}, sentence_tags=others)

    def against_rest(self, tag: str, label: str) -> TaggedCorpus:
        """The same corpus with one label of a tag against all others, which become ``not LABEL``.

        Raises
        ------
        InputError
            When the corpus has no such tag, or the tag no such label.
        """
        label = str(label)
        labels = self.labels(tag)
        if label not in labels:
            known = sorted(set(labels.tolist()) - {UNLABELLED})
            raise InputError(
                f"{self.source}: no label '{label}' in '{tag}'; it has: {listed(known)}"
                f"{did_you_mean(label, known)}"
            )
        flat = iter(labels.tolist())
        binary = tuple(
            tuple(own if own in (label, UNLABELLED) else rest_of(label) for own in islice(flat, n))
            for n in np.diff(self.sentence_offsets)
        )
        return replace(self, tags={**self.tags, tag: binary})

    def section(self, sentences: range) -> TaggedCorpus:
        """The words of some neighbouring sentences, without labels."""
        part = slice(sentences.start, sentences.stop)
        return TaggedCorpus(self.sentences[part], source=self.source, texts=self.texts[part])

    def select(self, sentences: Sequence[int]) -> TaggedCorpus:
        """Some sentences, in this order, with all that is known of them."""

        def of(rows: Sequence[Any]) -> list[Any]:
            return [rows[number] for number in sentences]

        return replace(
            self,
            sentences=of(self.sentences),
            tags={tag: of(rows) for tag, rows in self.tags.items()},
            splits=of(self.splits) if self.splits else (),
            texts=of(self.texts) if self.texts else (),
        )

    def words_only(self) -> TaggedCorpus:
        """The sentences without labels and splits, which take several times the memory."""
        return replace(self, tags={}, splits=(), sentence_tags=())

    def without_rows(self, rows: np.ndarray) -> TaggedCorpus:
        """The words of all rows but these, without labels."""
        if not len(rows):
            return self
        left_out = set(rows.tolist())
        numbered = iter(range(self.n_words))
        sentences = [
            [word for word, row in zip(words, numbered, strict=False) if row not in left_out]
            for words in self.sentences
        ]
        return TaggedCorpus(sentences, source=self.source)

    def by_sentence(self) -> TaggedCorpus:
        """Every sentence as a single word: its text.

        Tags whose label is the same for all words of every sentence are kept, as the
        sentence's label; other tags are left out.
        """
        tags = {
            tag: tuple((row[0],) for row in rows)
            for tag, rows in self.tags.items()
            if all(len(set(row)) == 1 for row in rows)
        }
        texts = tuple((self.text(i),) for i in range(len(self)))
        return replace(self, sentences=texts, tags=tags, texts=())

    def with_random_split(
        self, seed: int = 0, shares: tuple[float, float, float] = SHARES
    ) -> TaggedCorpus:
        """Split into train, dev and test by sentence; equal sentences stay together.

        Parameters
        ----------
        seed : int
        shares : three floats
            Shares of train, dev and test; they add up to 1.

        Raises
        ------
        InputError
            When the shares do not add up to 1 or a split would be empty.
        """
        splits = split_at_random(self.sentences, seed, shares, self.source)
        return replace(self, splits=splits)

    def with_dev_from_train(self, seed: int = 0) -> TaggedCorpus:
        """Make a tenth of the train sentences dev; equal sentences stay together.

        Raises
        ------
        InputError
            When train is too small.
        """
        splits = take_dev_from_train(self.sentences, self.splits, seed, self.source)
        return replace(self, splits=splits)

    @cached_property
    def words_hash(self) -> str:
        """SHA-256 of the words and sentence boundaries; what an activation store depends on."""
        return hash_rows(self.sentences)

    @cached_property
    def text_hash(self) -> str:
        """SHA-256 of the texts and the places of words in them; "" where words are joined."""
        if not self.texts:
            return ""
        return hash_rows(
            [[text, *(f"{start}-{end}" for start, end in spans)] for text, spans in self.texts]
        )

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of words, labels and splits; what a fitted result depends on."""
        by_tag = [hash_rows(self.tags[name]) for name in sorted(self.tags)]
        return hash_rows([[self.words_hash], sorted(self.tags), by_tag, list(self.splits)])

    @classmethod
    def from_splits(cls, parts: Mapping[str, TaggedCorpus]) -> TaggedCorpus:
        """Join one corpus per split, such as the three files of a treebank.

        A tag missing from one part is filled with "no label" there, since a rare feature may
        not occur in a small file.
        """
        by_tag = sorted({tag for part in parts.values() for tag in part.tags})
        return cls(
            sentences=tuple(s for part in parts.values() for s in part.sentences),
            tags={
                tag: tuple(row for part in parts.values() for row in _tag_or_empty(part, tag))
                for tag in by_tag
            },
            splits=tuple(name for name, part in parts.items() for _ in part.sentences),
            source=" + ".join(part.source for part in parts.values()),
            texts=tuple(text for part in parts.values() for text in part.texts),
            sentence_tags=tuple(
                dict.fromkeys(tag for part in parts.values() for tag in part.sentence_tags)
            ),
            skipped=tuple(line for part in parts.values() for line in part.skipped),
        )


def rest_of(label: str) -> str:
    """The label of all words without this one, where it stands against the rest."""
    return f"not {label}"


def _tag_or_empty(corpus: TaggedCorpus, tag: str) -> Iterable[Sequence[str]]:
    if tag in corpus.tags:
        return corpus.tags[tag]
    return ([UNLABELLED] * len(words) for words in corpus.sentences)
