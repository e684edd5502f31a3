"""What the sentences, labels and splits of a corpus may be."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neurox_lite.arguments import shown
from neurox_lite.choices import did_you_mean
from neurox_lite.corpora.splits import SPLITS
from neurox_lite.errors import InputError
from neurox_lite.labels import UNLABELLED, is_missing
from neurox_lite.showing import some

MAX_WORDS = 1_000_000
"""Words of a sentence; a model reads some thousands at most."""

Rows = Sequence[Sequence[str]]

MOST_TAGS = 40
"""Tags that ``print`` names; a treebank has some twenty."""


class Tags(dict[str, Rows]):
    """Labels by tag; printed are the tags, each with its number of labels, and not every word's."""

    def __repr__(self) -> str:
        return f"{{{some(map(_counted, self.items()), MOST_TAGS) if self else ''}}}"


def _counted(tag: tuple[str, Rows]) -> str:
    name, rows = tag
    n_labels = len(set().union(*rows) - {UNLABELLED})
    return f"{name!r}: {n_labels} label{'' if n_labels == 1 else 's'}"


def too_many_words() -> str:
    """What is wrong with a sentence of more than ``MAX_WORDS`` words."""
    return f"more than {MAX_WORDS:,} words, the most that a sentence may have"


def validate_sentences(given: Any, source: str) -> Rows:
    """Sentences of words; lists and tuples stay as they are.

    Raises InputError when there is none, or one is empty, too long, or has something else in it.
    """
    sentences = _nested(given, f"{source}: sentences", "words", "[['Dogs', 'bark']]")
    if not sentences:
        raise InputError(f"{source}: no sentences; give a file with at least one")
    are_strings = _are_strings(sentences)
    for number, words in enumerate(sentences, start=1):
        if not words:
            raise InputError(f"{source}: sentence {number} has no words; remove it")
        if len(words) > MAX_WORDS:
            raise InputError(f"{source}: sentence {number} has {too_many_words()}; split it")
        for word in words:
            if not are_strings and not isinstance(word, str):
                raise InputError(
                    f"{source}: sentence {number} has the word {shown(word)}; words are "
                    "strings, as str(word)"
                )
            if not word or word.isspace():
                raise InputError(
                    f"{source}: sentence {number} has an empty word; remove or name it"
                )
    return sentences


def validate_tags(given: Any, sentences: Rows, source: str) -> Tags:
    """Labels by tag, one string per word; what is no label becomes the empty string.

    Raises InputError for anything else, or another number of labels.
    """
    if not isinstance(given, Mapping):
        raise InputError(
            f"{source}: tags are {shown(given)}; give a dict from the name of a tag to its labels"
        )
    changed = {}
    for tag, rows in given.items():
        if not isinstance(tag, str) or not tag:
            raise InputError(f"{source}: tag {shown(tag)}; name tags by strings")
        labels = _validate_labels(rows, tag, sentences, source)
        if labels is not rows:
            changed[tag] = labels
    return Tags({**given, **changed})


def _validate_labels(given: Any, tag: str, sentences: Rows, source: str) -> Rows:
    rows = _nested(given, f"{source}: tag '{tag}'", "labels", "[['NOUN', 'VERB']]")
    _check_lengths(rows, tag, sentences, source)
    if _are_strings(rows) and not any(map(str.isspace, set().union(*rows))):
        return rows
    found = []
    for number, row in enumerate(rows, start=1):
        labels = tuple(UNLABELLED if is_missing(label) else label for label in row)
        for label in labels:
            if not isinstance(label, str):
                raise InputError(
                    f"{source}: sentence {number} has the label {shown(label)} in tag "
                    f"'{tag}'; labels are strings, as str(label), or None for no label"
                )
        found.append(labels)
    return tuple(found)


def _check_lengths(rows: Rows, tag: str, sentences: Rows, source: str) -> None:
    if len(rows) != len(sentences):
        raise InputError(
            f"{source}: {len(sentences)} sentences but {len(rows)} label lines in "
            f"tag '{tag}'; give one line of labels per sentence"
        )
    if list(map(len, rows)) == list(map(len, sentences)):
        return
    for number, (words, labels) in enumerate(zip(sentences, rows, strict=True), start=1):
        if len(words) != len(labels):
            raise InputError(
                f"{source}: sentence {number} has {len(words)} words but {len(labels)} "
                f"labels in tag '{tag}'; give one label per word"
            )


def validate_splits(given: Any, n_sentences: int, source: str) -> Sequence[str]:
    """The split of every sentence, or nothing.

    Raises InputError when there is another number of them, or one is unknown.
    """
    splits: Sequence[str] = given
    if not isinstance(given, list | tuple):
        splits = tuple(as_list(given, f"{source}: splits", "split names, one a sentence"))
    if splits and len(splits) != n_sentences:
        raise InputError(
            f"{source}: {n_sentences} sentences but {len(splits)} splits; "
            "give one split per sentence"
        )
    unknown = [split for split in splits if split not in SPLITS]
    if unknown:
        raise InputError(
            f"{source}: unknown split '{unknown[0]}'; use {', '.join(SPLITS)}"
            f"{did_you_mean(unknown[0], SPLITS)}"
        )
    return splits


def as_list(values: Any, what: str, of: str) -> list[Any]:
    """What is in a sequence, an array or a column of pandas.

    Raises InputError for a string, and what has no order or length of its own: dict, generator.
    """
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        return list(values)
    if hasattr(values, "tolist") and getattr(values, "ndim", None):
        return values.tolist()
    raise InputError(f"{what}: {shown(values)}; give a list of {of}")


def _nested(rows: Any, what: str, of: str, example: str) -> Sequence[Sequence[Any]]:
    """Sentences, each a sequence; lists and tuples stay as they are."""
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


def _are_strings(rows: Iterable[Sequence[Any]]) -> bool:
    """Whether rows hold strings only."""
    try:
        deque(map("".join, rows), maxlen=0)  # the fastest way to tell
    except TypeError:
        return False
    return True
