"""Reading a file of sentences and a file of labels: NeuroX's, a label per word, or per sentence."""

from __future__ import annotations

from pathlib import Path

from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.text_files import open_text, split_words
from neurox_lite.errors import InputError


def read_parallel(
    text_path: str | Path, labels_path: str | Path, layer: str = "label"
) -> TaggedCorpus:
    """Read one sentence per line from one file and its words' labels from another.

    Whitespace separates words and labels. A line that is blank in both files is skipped.

    Parameters
    ----------
    text_path, labels_path : str or Path
        Read as gzip when the name ends in ``.gz``.
    layer : str
        What to call the labels.

    Returns
    -------
    TaggedCorpus

    Raises
    ------
    InputError
        When a file cannot be read, or the files differ in lines or a line in words.
    """
    sentences, labels = _parallel_lines(text_path, labels_path)
    for number, (words, tags) in enumerate(zip(sentences, labels, strict=True), start=1):
        if len(words) != len(tags):
            raise InputError(
                f"{text_path}: line {number} has {len(words)} words but line {number} of "
                f"{labels_path} has {len(tags)} labels; give one label per word"
            )
    return TaggedCorpus(
        tuple(filter(None, sentences)), {layer: tuple(filter(None, labels))}, source=str(text_path)
    )


def read_sentences(
    text_path: str | Path, labels_path: str | Path, layer: str = "label"
) -> TaggedCorpus:
    """Read one sentence per line from one file and the sentence's label from the other.

    The label is the whole line, blanks within it as single spaces, and is given to every word. A
    line that is blank in both files is skipped.

    Parameters
    ----------
    text_path, labels_path, layer
        As of :func:`read_parallel`.

    Raises
    ------
    InputError
        When a file cannot be read, the files differ in lines, or one line of the two is blank.
    """
    sentences, labels = _parallel_lines(text_path, labels_path)
    for number, (words, label) in enumerate(zip(sentences, labels, strict=True), start=1):
        if bool(words) != bool(label):
            blank = labels_path if words else text_path
            raise InputError(f"{blank}: line {number} is blank; give each sentence its label")
    tags = tuple(
        (" ".join(label),) * len(words) for words, label in zip(sentences, labels, strict=True)
    )
    return TaggedCorpus(
        tuple(filter(None, sentences)), {layer: tuple(filter(None, tags))}, source=str(text_path)
    )


def _parallel_lines(
    text_path: str | Path, labels_path: str | Path
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The words of the lines of both files, which have as many."""
    sentences, labels = _split_lines(text_path), _split_lines(labels_path)
    if len(sentences) != len(labels):
        raise InputError(
            f"{text_path} has {len(sentences)} lines but {labels_path} has {len(labels)}; "
            "give one line of labels per sentence"
        )
    return sentences, labels


def _split_lines(path: str | Path) -> list[tuple[str, ...]]:
    """Words per line, without the blank lines at the end."""
    with open_text(path) as file:
        lines = [split_words(line, f"{path}: line {n}") for n, line in enumerate(file, start=1)]
    while lines and not lines[-1]:
        lines.pop()
    return lines
