"""Sentences of words with named tags: what every stage analyses."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import chain, islice
from typing import Any

import numpy as np

from neurox_lite.arguments import numbers, shown
from neurox_lite.choices import did_you_mean, listed
from neurox_lite.corpora.sentence_text import SentenceText, join_words
from neurox_lite.errors import InputError
from neurox_lite.labels import UNLABELLED, is_missing
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, some, summary

MAX_WORDS = 1_000_000
"""Words of a sentence; a model reads some thousands at most."""

SPLITS = ("train", "dev", "test")
SHARES = (0.8, 0.1, 0.1)

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
        label", and so are None, NaN and pandas' NA, which become it.
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
        When there is no sentence, a sentence or word is empty, a word or label is no string, a
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
        sentences = _nested(self.sentences, f"{self.source}: sentences", "words")
        object.__setattr__(self, "sentences", sentences)
        if not sentences:
            raise InputError(f"{self.source}: no sentences; give a file with at least one")
        are_strings = _are_strings(sentences)
        for number, words in enumerate(sentences, start=1):
            if not words:
                raise InputError(f"{self.source}: sentence {number} has no words; remove it")
            if len(words) > MAX_WORDS:
                raise InputError(
                    f"{self.source}: sentence {number} has {too_many_words()}; split it"
                )
            for word in words:
                if not are_strings and not isinstance(word, str):
                    raise InputError(
                        f"{self.source}: sentence {number} has the word {shown(word)}; words are "
                        "strings, as str(word)"
                    )
                if not word or word.isspace():
                    raise InputError(
                        f"{self.source}: sentence {number} has an empty word; remove or name it"
                    )
        self._check_tags()
        if isinstance(self.splits, str) or not isinstance(self.splits, list | tuple):
            splits = as_list(self.splits, f"{self.source}: splits", "split names, one a sentence")
            object.__setattr__(self, "splits", tuple(splits))
        if self.splits and len(self.splits) != len(self.sentences):
            raise InputError(
                f"{self.source}: {len(self.sentences)} sentences but {len(self.splits)} splits; "
                "give one split per sentence"
            )
        if self.texts and [len(text.spans) for text in self.texts] != list(
            map(len, self.sentences)
        ):
            raise InputError(
                f"{self.source}: the texts have other numbers of words than the sentences; give "
                "every word its place"
            )
        unknown = [split for split in self.splits if split not in SPLITS]
        if unknown:
            raise InputError(
                f"{self.source}: unknown split '{unknown[0]}'; use {', '.join(SPLITS)}"
                f"{did_you_mean(unknown[0], SPLITS)}"
            )

    def _check_tags(self) -> None:
        """Check all labels, and make what is no label the empty string."""
        if not isinstance(self.tags, Mapping):
            raise InputError(
                f"{self.source}: tags are {shown(self.tags)}; give a dict from the name of a tag "
                "to its labels"
            )
        changed = {}
        for tag, given in self.tags.items():
            if not isinstance(tag, str) or not tag:
                raise InputError(f"{self.source}: tag {shown(tag)}; name tags by strings")
            rows = _nested(given, f"{self.source}: tag '{tag}'", "labels")
            self._check_lengths(tag, rows)
            if not _are_strings(rows):
                rows = tuple(self._as_labels(tag, n, row) for n, row in enumerate(rows, start=1))
            if rows is not given:
                changed[tag] = rows
        if changed:
            object.__setattr__(self, "tags", {**self.tags, **changed})

    def _as_labels(self, tag: str, number: int, row: Sequence[Any]) -> Sequence[str]:
        if _are_strings([row]):
            return row
        labels = tuple(UNLABELLED if is_missing(label) else label for label in row)
        for label in labels:
            if not isinstance(label, str):
                raise InputError(
                    f"{self.source}: sentence {number} has the label {shown(label)} in tag "
                    f"'{tag}'; labels are strings, as str(label), or None for no label"
                )
        return labels

    def _check_lengths(self, tag: str, rows: Sequence[Sequence[str]]) -> None:
        if len(rows) != len(self.sentences):
            raise InputError(
                f"{self.source}: {len(self.sentences)} sentences but {len(rows)} label lines in "
                f"tag '{tag}'; give one line of labels per sentence"
            )
        if list(map(len, rows)) == list(map(len, self.sentences)):
            return
        for number, (words, labels) in enumerate(zip(self.sentences, rows, strict=True), start=1):
            if len(words) != len(labels):
                raise InputError(
                    f"{self.source}: sentence {number} has {len(words)} words but {len(labels)} "
                    f"labels in tag '{tag}'; give one label per word"
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
        """The same corpus with one label of a tag told from all others, as ``not LABEL``.

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
        seed, found = validate_seed(seed), numbers(shares, "shares")
        if len(found) != 3 or not min(found) >= 0 or not np.isclose(sum(found), 1):
            raise InputError(
                f"{self.source}: the shares {found} do not add up to 1; "
                "give those of train, dev and test, such as (0.8, 0.1, 0.1)"
            )
        train, dev, test = found
        shares = (train, dev, test)
        # By their words, so that the split is the same however the text is read.
        texts = [" ".join(words) for words in self.sentences]
        split_of = draw_splits(texts, seed, shares)
        splits = tuple(split_of[text] for text in texts)
        missing = [s for s, share in zip(SPLITS, shares, strict=True) if share and s not in splits]
        if missing:
            raise InputError(
                f"{self.source}: {len(split_of)} distinct sentences are too few to split into "
                "train, dev and test; give more sentences or separate files"
            )
        return replace(self, splits=splits)

    def with_dev_from_train(self, seed: int = 0) -> TaggedCorpus:
        """Make a tenth of the train sentences dev; equal sentences stay together.

        Raises
        ------
        InputError
            When train is too small.
        """
        seed = validate_seed(seed)
        is_train = [split == "train" for split in self.splits]
        texts = [
            " ".join(words) if here else ""
            for words, here in zip(self.sentences, is_train, strict=True)
        ]
        drawn = draw_splits((text for text in texts if text), seed, (0.9, 0.1, 0.0))
        if "dev" not in drawn.values() or "train" not in drawn.values():
            raise InputError(
                f"{self.source}: train is too small to take dev from it; give dev=FILE"
            )
        splits = tuple(
            drawn[text] if here else split
            for text, here, split in zip(texts, is_train, self.splits, strict=True)
        )
        return replace(self, splits=splits)

    @cached_property
    def words_hash(self) -> str:
        """SHA-256 of the words and sentence boundaries; what an activation store depends on."""
        return _hash(self.sentences)

    @cached_property
    def text_hash(self) -> str:
        """SHA-256 of the texts and the places of words in them; "" where words are joined."""
        if not self.texts:
            return ""
        return _hash(
            [[text, *(f"{start}-{end}" for start, end in spans)] for text, spans in self.texts]
        )

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of words, labels and splits; what a fitted result depends on."""
        by_tag = [_hash(self.tags[name]) for name in sorted(self.tags)]
        return _hash([[self.words_hash], sorted(self.tags), by_tag, list(self.splits)])

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


def too_many_words() -> str:
    """What is wrong with a sentence of more than ``MAX_WORDS`` words."""
    return f"more than {MAX_WORDS:,} words, the most that a sentence may have"


def _nested(rows: Any, what: str, of: str) -> Sequence[Sequence[Any]]:
    """Sentences, each a sequence; lists and tuples stay as they are."""
    example = {"words": "[['Dogs', 'bark']]", "labels": "[['NOUN', 'VERB']]"}[of]
    wanted = f"{of} of each sentence, as {example}"
    if not isinstance(rows, list | tuple):
        is_array = hasattr(rows, "tolist") and getattr(rows, "ndim", 0) == 2
        rows = tuple(rows.tolist() if is_array else as_list(rows, what, wanted))
    if not set(map(type, rows)) <= {list, tuple}:
        rows = tuple(
            row
            if isinstance(row, list | tuple)
            else tuple(as_list(row, f"{what}: number {number}", wanted))
            for number, row in enumerate(rows, start=1)
        )
    return rows


def as_list(values: Any, what: str, wanted: str) -> list[Any]:
    """What is in a sequence, an array or a column of pandas.

    Raises
    ------
    InputError
        When it is a string or has no order or length of its own, as a dict, table or generator.
    """
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        return list(values)
    if hasattr(values, "tolist") and getattr(values, "ndim", None):
        return values.tolist()
    raise InputError(f"{what}: {shown(values)}; give a list of {wanted}")


def _are_strings(rows: Iterable[Sequence[Any]]) -> bool:
    """Whether rows hold strings only."""
    try:
        deque(map("".join, rows), maxlen=0)  # the fastest way to tell
    except TypeError:
        return False
    return True


def rest_of(label: str) -> str:
    """What words without this label are labelled, where it is told from all others."""
    return f"not {label}"


def draw_splits(
    items: Iterable[str], seed: int, shares: tuple[float, float, float] = SHARES
) -> dict[str, str]:
    """Draw every distinct string to a split; their order and number do not matter."""
    distinct = sorted(set(items))
    order = np.random.default_rng(seed).permutation(len(distinct))
    ends = np.round(np.cumsum(shares) * len(distinct)).astype(int)
    return {
        distinct[index]: SPLITS[int(np.searchsorted(ends, position, side="right"))]
        for position, index in enumerate(order)
    }


def _tag_or_empty(corpus: TaggedCorpus, tag: str) -> Iterable[Sequence[str]]:
    if tag in corpus.tags:
        return corpus.tags[tag]
    return ([UNLABELLED] * len(words) for words in corpus.sentences)


def _hash(rows: Sequence[Sequence[str]]) -> str:
    """Hash nested strings unambiguously: every string is preceded by its length."""
    # Each distinct string is encoded once: a treebank has fifty tags of a few labels each.
    framed = {item: b"%d:%b" % (len(item.encode()), item.encode()) for item in set().union(*rows)}
    digest = hashlib.sha256()
    for row in rows:
        digest.update(b"[%d]" % len(row))
        digest.update(b"".join(map(framed.__getitem__, row)))
    return digest.hexdigest()
