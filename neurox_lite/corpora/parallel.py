"""Reading NeuroX's format: a file of words and a file of labels, line by line the same shape."""

from __future__ import annotations

from pathlib import Path

from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.text_files import open_text
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
    sentences = _split_lines(text_path)
    labels = _split_lines(labels_path)
    if len(sentences) != len(labels):
        raise InputError(
            f"{text_path} has {len(sentences)} lines but {labels_path} has {len(labels)}; "
            "give one line of labels per sentence"
        )
    for number, (words, tags) in enumerate(zip(sentences, labels, strict=True), start=1):
        if len(words) != len(tags):
            raise InputError(
                f"{text_path}: line {number} has {len(words)} words but line {number} of "
                f"{labels_path} has {len(tags)} labels; give one label per word"
            )
    return TaggedCorpus(
        tuple(filter(None, sentences)), {layer: tuple(filter(None, labels))}, source=str(text_path)
    )


def _split_lines(path: str | Path) -> list[tuple[str, ...]]:
    """Words per line, without the blank lines at the end."""
    return [tuple(line.split()) for line in open_text(path).read().rstrip().split("\n")]
