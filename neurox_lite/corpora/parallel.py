"""Reading a file of sentences and a file of labels: NeuroX's, a label per word, or per sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from sys import intern
from typing import Any

from neurox_lite.arguments import expect
from neurox_lite.corpora.bad_lines import BadLines
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.text_files import open_text, split_words
from neurox_lite.errors import InputError

Row = tuple[tuple[str, ...], tuple[str, ...]]
"""Words of a sentence, and as many labels."""


def read_parallel(
    text_path: str | Path,
    labels_path: str | Path,
    tag: str = "label",
    *,
    skip_bad_lines: bool = False,
) -> TaggedCorpus:
    """Read one sentence per line from one file and its words' labels from another.

    Whitespace separates words and labels. A line that is blank in both files is skipped.

    Parameters
    ----------
    text_path, labels_path : str or Path
        Read as gzip when the name ends in ``.gz``.
    tag : str
        What to call the labels.
    skip_bad_lines : bool
        Leave out lines that differ in words, and list them in ``skipped``.

    Returns
    -------
    TaggedCorpus

    Raises
    ------
    InputError
        When a file cannot be read, or the files differ in lines or a line in words.
    """
    bad = BadLines(text_path, skip_bad_lines)
    rows: list[Row] = []
    for number, (words, tags) in enumerate(_parallel_lines(text_path, labels_path), start=1):
        if len(words) != len(tags):
            bad.found_in(
                f"{text_path}: line {number} has {len(words)} words but line {number} of "
                f"{labels_path} has {len(tags)} labels; give one label per word"
            )
        elif words:
            rows.append((words, tags))
    return _corpus(rows, tag, bad)


def read_sentences(
    text_path: str | Path,
    labels_path: str | Path,
    tag: str = "label",
    *,
    skip_bad_lines: bool = False,
) -> TaggedCorpus:
    """Read one sentence per line from one file and the sentence's label from the other.

    The label is the whole line, blanks within it as single spaces, and is given to every word. All
    else is as in :func:`read_parallel`; a bad line is blank in one file.
    """
    bad = BadLines(text_path, skip_bad_lines)
    rows: list[Row] = []
    for number, (words, label) in enumerate(_parallel_lines(text_path, labels_path), start=1):
        if bool(words) != bool(label):
            blank = labels_path if words else text_path
            bad.found_in(f"{blank}: line {number} is blank; give each sentence its label")
        elif words:
            rows.append((words, (intern(" ".join(label)),) * len(words)))
    return _corpus(rows, tag, bad, sentence_tags=(tag,))


def _corpus(rows: Sequence[Row], tag: str, bad: BadLines, **options: Any) -> TaggedCorpus:
    expect(tag, str, "tag", "a name, as a string")
    bad.check_rest(len(rows))
    sentences, labels = tuple(zip(*rows, strict=True)) or ((), ())
    tags, source = {tag: labels}, str(bad.path)
    return TaggedCorpus(sentences, tags, source=source, skipped=tuple(bad.found), **options)


def _parallel_lines(text_path: str | Path, labels_path: str | Path) -> Iterator[Row]:
    """The words of the lines of both files, which have as many."""
    sentences, labels = _split_lines(text_path), _split_lines(labels_path)
    if len(sentences) != len(labels):
        raise InputError(
            f"{text_path} has {len(sentences)} lines but {labels_path} has {len(labels)}; "
            "give one line of labels per sentence"
        )
    return zip(sentences, labels, strict=True)


def _split_lines(path: str | Path) -> list[tuple[str, ...]]:
    """Words per line, without the blank lines at the end."""
    with open_text(path) as file:
        lines = [split_words(line, f"{path}: line {n}") for n, line in enumerate(file, start=1)]
    while lines and not lines[-1]:
        lines.pop()
    return lines
