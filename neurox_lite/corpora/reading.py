"""Reading a corpus whose format is told from its file's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from neurox_lite.corpora.annotation import annotate, read_text
from neurox_lite.corpora.columns import read_columns
from neurox_lite.corpora.conllu import read_conllu
from neurox_lite.corpora.parallel import read_parallel, read_sentences
from neurox_lite.corpora.tagged_corpus import SPLITS, TaggedCorpus
from neurox_lite.errors import InputError

FORMATS = ("conllu", "columns", "parallel", "sentences", "text")

FORMAT_OF_SUFFIX = {
    ".conllu": "conllu",
    ".conll": "columns",
    ".columns": "columns",
}
"""Other names, ``.txt`` above all, are used for columns as well as for text."""


def read_corpus(
    path: str | Path,
    *,
    format: str | None = None,
    labels: str | Path | None = None,
    words_only: bool = False,
) -> TaggedCorpus:
    """Read a corpus in any of the formats this package knows.

    Parameters
    ----------
    path : str or Path
        Read as gzip when its name ends in ``.gz``.
    format : {"conllu", "columns", "parallel", "sentences", "text"}, optional
        Told from the name when it ends in ``.conllu``, ``.conll`` or ``.columns``, before any
        ``.gz``; a file of another name that comes with ``labels`` is parallel.
    labels : str or Path, optional
        The file of labels: of parallel text one per word, of sentences one per line.
    words_only : bool
        Leave out the labels, which take many times the memory of the words and which extraction
        does not need.

    Returns
    -------
    TaggedCorpus

    Raises
    ------
    InputError
        When the format is unknown or cannot be told, does not go with ``labels``, or the file
        is not in it.
    """
    format = format or _format_of(Path(path), has_labels=labels is not None)
    if format not in FORMATS:
        raise InputError(f"{path}: unknown format '{format}'; use one of {', '.join(FORMATS)}")
    if format in ("parallel", "sentences"):
        if labels is None:
            raise InputError(f"{path}: format '{format}' needs a file of labels; give labels")
        corpus = (read_parallel if format == "parallel" else read_sentences)(path, labels)
        return corpus.words_only() if words_only else corpus
    if labels is not None:
        raise InputError(
            f"{path}: format '{format}' takes no file of labels, but {labels} was given; "
            "leave it out or give format 'parallel'"
        )
    if format == "text":
        return read_text(path)
    return {"conllu": read_conllu, "columns": read_columns}[format](path, words_only=words_only)


def read_splits(
    corpus: str | Mapping[str, str],
    *,
    format: str | None = None,
    labels: str | Mapping[str, str] | None = None,
    match: str | None = None,
    seed: int = 0,
) -> TaggedCorpus:
    """Read a corpus with train, dev and test from one file or from one file per split.

    Parameters
    ----------
    corpus : path, or mapping from split to path
        A single file is split at random, by sentence, 80 / 10 / 10. Where there are files for train
        and test only, a tenth of the sentences of train becomes dev.
    format : str, optional
        As in :func:`read_corpus`, the same for all files.
    labels : path, or mapping from split to path, optional
        The label files of parallel text.
    match : str, optional
        A regular expression; adds the labels ``match``: does it match the whole word?
    seed : int
        Of the random split.

    Raises
    ------
    InputError
        When a split is missing or unknown, or a file cannot be read.
    """
    read = read_files(corpus, format=format, labels=labels)
    if not read.splits:
        read = read.with_random_split(seed)
    elif "dev" not in read.splits:
        read = read.with_dev_from_train(seed)
    return read if match is None else annotate(read, "match", match)


def read_files(
    corpus: str | Mapping[str, str],
    *,
    format: str | None = None,
    labels: str | Mapping[str, str] | None = None,
    words_only: bool = False,
) -> TaggedCorpus:
    """Read one file, or join one file per split, as :func:`read_splits` but without splitting."""
    if not isinstance(corpus, Mapping):
        if isinstance(labels, Mapping):
            raise InputError(f"{corpus}: one corpus file takes one label file")
        return read_corpus(corpus, format=format, labels=labels, words_only=words_only)
    given = [split for split in SPLITS if split in corpus]
    if len(given) < len(corpus) or not {"train", "test"} <= set(given):
        raise InputError(
            f"corpus files for {', '.join(corpus) or 'nothing'}: give one file for each of "
            f"{', '.join(SPLITS)}, for train and test, or a single file to be split at random"
        )
    if labels is not None and (isinstance(labels, str) or set(labels) != set(given)):
        raise InputError(f"give one label file for each of {', '.join(given)}")
    label_files = labels if isinstance(labels, Mapping) else dict.fromkeys(given)
    parts = {
        split: read_corpus(
            corpus[split], format=format, labels=label_files[split], words_only=words_only
        )
        for split in given
    }
    return TaggedCorpus.from_splits(parts)


def _format_of(path: Path, has_labels: bool) -> str:
    name = path.with_suffix("") if path.suffix == ".gz" else path
    if name.suffix in FORMAT_OF_SUFFIX:
        return FORMAT_OF_SUFFIX[name.suffix]
    if has_labels:
        return "parallel"
    raise InputError(
        f"{path}: the name does not tell the format; give format= (--format), "
        f"one of {', '.join(FORMATS)}"
    )
