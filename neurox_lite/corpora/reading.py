"""Reading a corpus whose format is told from its file's name."""

from __future__ import annotations

from pathlib import Path

from neurox_lite.corpora.annotation import read_text
from neurox_lite.corpora.columns import read_columns
from neurox_lite.corpora.conllu import read_conllu
from neurox_lite.corpora.parallel import read_parallel
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

FORMATS = ("conllu", "columns", "parallel", "text")

FORMAT_OF_SUFFIX = {
    ".conllu": "conllu",
    ".conll": "columns",
    ".columns": "columns",
}
"""Other names, ``.txt`` above all, are used for columns as well as for text."""


def read_corpus(
    path: str | Path, *, format: str | None = None, labels: str | Path | None = None
) -> TaggedCorpus:
    """Read a corpus in any of the formats this package knows.

    Parameters
    ----------
    path : str or Path
        Read as gzip when its name ends in ``.gz``.
    format : {"conllu", "columns", "parallel", "text"}, optional
        Told from the name when it ends in ``.conllu``, ``.conll`` or ``.columns``, before any
        ``.gz``; a file of another name that comes with ``labels`` is parallel.
    labels : str or Path, optional
        The file of labels of parallel text.

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
    if format == "parallel":
        if labels is None:
            raise InputError(f"{path}: parallel text needs its file of labels; give labels")
        return read_parallel(path, labels)
    if labels is not None:
        raise InputError(
            f"{path}: format '{format}' takes no file of labels, but {labels} was given; "
            "leave it out or give format 'parallel'"
        )
    return {"conllu": read_conllu, "columns": read_columns, "text": read_text}[format](path)


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
