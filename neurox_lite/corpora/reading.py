"""Reading a corpus, whose format is inferred from the name of its file."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neurox_lite.arguments import as_path
from neurox_lite.choices import did_you_mean
from neurox_lite.corpora.annotation import annotate, read_text
from neurox_lite.corpora.columns import read_columns
from neurox_lite.corpora.conllu import read_conllu
from neurox_lite.corpora.csv_table import read_csv
from neurox_lite.corpora.parallel import read_parallel, read_sentences
from neurox_lite.corpora.splits import SPLITS
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.text_files import format_of_name
from neurox_lite.errors import InputError

logger = logging.getLogger(__name__)

LISTED = 20
"""Bad lines that are logged; the corpus has all of them."""

FORMATS = ("conllu", "columns", "parallel", "sentences", "text", "csv", "tsv")

TAKEN_BY = {
    "labels": ("parallel", "sentences"),
    "columns": ("columns",),
    "comment": ("columns",),
    "text": ("conllu",),
    "text_column": ("csv", "tsv"),
    "label_column": ("csv", "tsv"),
}
"""Options and the formats that they are of."""


def read_corpus(
    path: str | Path,
    *,
    format: str | None = None,
    labels: str | Path | None = None,
    columns: str | Sequence[str] | None = None,
    comment: str | None = None,
    text: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    skip_bad_lines: bool = False,
    words_only: bool = False,
) -> TaggedCorpus:
    """Read a corpus in any of the formats this package knows.

    Parameters
    ----------
    path : str or Path
        Read as gzip when its name ends in ``.gz``.
    format : {"conllu", "columns", "parallel", "sentences", "text", "csv", "tsv"}, optional
        Inferred from the name when it ends in ``.conllu``, ``.conll``, ``.columns``, ``.csv`` or
        ``.tsv``, before any ``.gz``; else from the options that are given.
    labels : str or Path, optional
        The file of labels: of parallel text one per word, of sentences one per line.
    columns : str or sequence of str, optional
        Of columns: their names, or the name of a format; see
        :func:`neurox_lite.corpora.columns.read_columns`.
    comment : str, optional
        Of columns: how comment lines begin; see there.
    text : {"words", "raw"}, optional
        Of CoNLL-U: what a model reads; see :func:`neurox_lite.read_conllu`.
    text_column, label_column : str, optional
        Of csv and tsv; see :func:`neurox_lite.corpora.csv_table.read_csv`.
    skip_bad_lines : bool
        Leave out sentences with a line that is not of the format, and list them in ``skipped``.
    words_only : bool
        Leave out the labels, which take many times the memory of the words and which extraction
        does not need.

    Returns
    -------
    TaggedCorpus

    Raises
    ------
    InputError
        When the format is unknown, cannot be inferred or does not go with another option, or the
        file is not in it.
    """
    given: dict[str, Any] = {
        "labels": labels,
        "columns": columns,
        "comment": comment,
        "text": None if text == "words" else text,
        "text_column": text_column,
        "label_column": label_column,
    }
    given = {name: value for name, value in given.items() if value is not None}
    format = format or _format_of(as_path(path), given)
    if format not in FORMATS:
        raise InputError(
            f"{path}: unknown format '{format}'; use one of {', '.join(FORMATS)}"
            f"{did_you_mean(format, FORMATS)}"
        )
    for name in given:
        if format not in TAKEN_BY[name]:
            what = "file of labels" if name == "labels" else name
            raise InputError(
                f"{path}: format '{format}' takes no {what} "
                f"({_option(name)}), but {given[name]} was given; leave it out or give format "
                f"'{TAKEN_BY[name][0]}'"
            )
    if format == "text":
        return read_text(path)
    if format in ("parallel", "sentences"):
        if labels is None:
            raise InputError(f"{path}: format '{format}' needs a file of labels; give labels")
        read_lines = read_parallel if format == "parallel" else read_sentences
        corpus = read_lines(path, labels, skip_bad_lines=skip_bad_lines)
        return corpus.words_only() if words_only else corpus
    if format in ("csv", "tsv"):
        if text_column is None:
            raise InputError(
                f"{path}: format '{format}' needs text_column= (--text-column), the column of the "
                "sentences; give it"
            )
        corpus = read_csv(path, **given, skip_bad_lines=skip_bad_lines)
        return corpus.words_only() if words_only else corpus
    read = read_conllu if format == "conllu" else read_columns
    return read(path, **given, words_only=words_only, skip_bad_lines=skip_bad_lines)


def read_splits(
    corpus: str | Mapping[str, str],
    *,
    format: str | None = None,
    labels: str | Mapping[str, str] | None = None,
    match: str | None = None,
    seed: int = 0,
    **options: Any,
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
    **options
        Of :func:`read_corpus`, the same for all files.

    Raises
    ------
    InputError
        When a split is missing or unknown, or a file cannot be read.
    """
    read = read_files(corpus, format=format, labels=labels, **options)
    if not read.splits:
        read = read.with_random_split(seed)
    elif "dev" not in read.splits:
        read = read.with_dev_from_train(seed)
    return read if match is None else annotate(read, "match", match)


def read_files(
    corpus: str | Mapping[str, str],
    *,
    labels: str | Mapping[str, str] | None = None,
    **options: Any,
) -> TaggedCorpus:
    """Read one file, or join one file per split, as :func:`read_splits` but without splitting."""
    if not isinstance(corpus, Mapping):
        as_path(corpus, "corpus")
        if isinstance(labels, Mapping):
            raise InputError(f"{corpus}: one corpus file takes one label file")
        return _logged(read_corpus(corpus, labels=labels, **options))
    given = [split for split in SPLITS if split in corpus]
    if len(given) < len(corpus) or not {"train", "test"} <= set(given):
        raise InputError(
            f"corpus files for {', '.join(corpus) or 'nothing'}: give one file for each of "
            f"{', '.join(SPLITS)}, for train and test, or a single file to be split at random"
        )
    if labels is not None and (not isinstance(labels, Mapping) or set(labels) != set(given)):
        raise InputError(f"give one label file for each of {', '.join(given)}")
    label_files = labels if isinstance(labels, Mapping) else dict.fromkeys(given)
    parts = {
        split: read_corpus(corpus[split], labels=label_files[split], **options) for split in given
    }
    return _logged(TaggedCorpus.from_splits(parts))


def _logged(corpus: TaggedCorpus) -> TaggedCorpus:
    if corpus.skipped:
        logger.warning(
            "%d sentences with bad lines are left out: %s",
            len(corpus.skipped),
            " | ".join(corpus.skipped[:LISTED])
            + (" | ..." if len(corpus.skipped) > LISTED else ""),
        )
    return corpus


def _format_of(path: Path, given: Mapping[str, Any]) -> str:
    if (format := format_of_name(path)) is not None:
        return format
    for option in given:
        return TAKEN_BY[option][0]
    raise InputError(
        f"{path}: the name does not tell the format; give format= (--format), "
        f"one of {', '.join(FORMATS)}"
    )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
