"""Options of the commands that read a corpus: how, which labels, which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.output import (
    Disjoint,
    Format,
    Labels,
    Match,
    MaxFrequency,
    MinFrequency,
    Words,
    WordsFrom,
    by_split,
)
from neurox_lite.errors import InputError
from neurox_lite.public_names import public_name

if TYPE_CHECKING:
    from neurox_lite.corpora.label_rules import LabelRules
    from neurox_lite.corpora.tagged_corpus import TaggedCorpus
    from neurox_lite.corpora.word_selection import WordSelection

Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        help="Names of all columns, as word,_,xpos,ner (_: ignored, ...: any number); or "
        "conll2000, conll2003, conll2012, germeval or multiconer.",
    ),
]
Comment = Annotated[
    str | None,
    typer.Option("--comment", help="How comments in a file of columns begin, as '# '."),
]
Text = Annotated[
    str | None,
    typer.Option(
        "--text", metavar="words|raw", help="Of CoNLL-U: join words by spaces, or read as written."
    ),
]
TextColumn = Annotated[
    str | None,
    typer.Option("--text-column", help="Of CSV and TSV: the column of the sentences."),
]
LabelColumn = Annotated[
    str | None,
    typer.Option("--label-column", help="Of CSV and TSV: the column of their labels, the --tag."),
]
SkipBadLines = Annotated[
    bool,
    typer.Option("--skip-bad-lines", help="Leave out sentences with bad lines, and list these."),
]
StripBio = Annotated[
    bool, typer.Option("--strip-bio", help="Make PER of the labels B-PER and I-PER.")
]
LabelMap = Annotated[
    list[str] | None,
    typer.Option(
        "--label-map",
        metavar="REGEX=LABEL",
        help="Change labels that the regular expression matches as a whole, as 'nsubj:.*=nsubj'; "
        "of several the first that matches.",
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="TAG=LABEL,...",
        help="Use only words whose other tag is one of these, as upos=NOUN,PROPN.",
    ),
]
Balance = Annotated[
    str | None,
    typer.Option(
        "--balance",
        metavar="under|over",
        help="Give train equally many words of each class: draw fewer, or repeat.",
    ),
]
ByPosition = Annotated[
    bool,
    typer.Option(
        "--by-position",
        help="Match words of store and corpus by their place, as those of a NeuroX file.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """How files of a corpus are read."""

    labels: Labels = None
    format: Format = None
    columns: Columns = None
    comment: Comment = None
    text: Text = None
    text_column: TextColumn = None
    label_column: LabelColumn = None
    skip_bad_lines: SkipBadLines = False

    def of_corpus(self) -> dict[str, Any]:
        """The options of :func:`neurox_lite.read_corpus`."""
        return {name: value for name, value in vars(self).items() if name != "labels"}


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """What is made of the labels of a corpus."""

    match: Match = None
    strip_bio: StripBio = False
    label_map: LabelMap = None

    def rules(self) -> LabelRules:
        from neurox_lite.corpora.label_rules import LabelRules

        return LabelRules(self.strip_bio, list(self.label_map or ()))


@dataclass(frozen=True, kw_only=True)
class WordOptions:
    """Which words are used."""

    words: Words = None
    words_from: WordsFrom = None
    min_frequency: MinFrequency = 0
    max_frequency: MaxFrequency = None
    disjoint: Disjoint = None
    where: Where = None
    balance: Balance = None

    def selection(self) -> WordSelection:
        from neurox_lite.corpora.word_selection import WordSelection

        return WordSelection(
            self.words,
            self.words_from,
            self.min_frequency,
            self.max_frequency,
            self.disjoint,
            where_of(self.where or ()),
            self.balance,
        )


READING = ("columns", "comment", "text", "text_column", "label_column", "skip_bad_lines")
RULES = ("strip_bio", "label_map")
WORDS = ("words", "words_from", "min_frequency", "max_frequency", "disjoint", "where", "balance")
OF_CORPUS = (
    *("label", "labels", "format", "match", "min_count", "by_position"),
    *(*READING, *RULES, *WORDS),
)
"""Parameters of the commands that take labelled words, beside the corpus and the tag."""


def reading(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options of :func:`neurox_lite.read_corpus` among the parameters of a command."""
    return {name: params[name] for name in ("format", *READING) if name in params}


def label_rules(params: Mapping[str, Any]) -> LabelRules:
    """The rules for labels among the parameters of a command."""
    from neurox_lite.corpora.label_rules import LabelRules

    return LabelRules(params["strip_bio"], list(params["label_map"] or ()))


def word_selection(params: Mapping[str, Any]) -> WordSelection:
    """The words that the parameters of a command choose."""
    from neurox_lite.corpora.word_selection import WordSelection

    return WordSelection(
        params["words"],
        params["words_from"],
        params["min_frequency"],
        params["max_frequency"],
        params["disjoint"],
        where_of(params["where"] or ()),
        params["balance"],
    )


def read_labelled(params: Mapping[str, Any]) -> TaggedCorpus:
    """The corpus that the parameters of a command name, with the labels that its rules make."""
    from neurox_lite.corpora.reading import read_splits

    rules = label_rules(params)  # refused before a long corpus is read
    corpus = read_splits(
        by_split(params["corpus"]),
        labels=by_split(params["labels"]),
        match=params["match"],
        seed=params["seed"],
        **reading(params),
    )
    return rules.apply(corpus, params["tag"])


def chosen_labels(params: Mapping[str, Any]) -> dict[str, Any]:
    """What decided the labels and words of a result: the options given, for its provenance."""
    chosen = {name: value for name in ("tag", *OF_CORPUS) if (value := params.get(name))}
    for name in ("corpus", "labels"):
        if params[name]:
            chosen[name] = [name_of(value) for value in params[name]]
    if params["words_from"]:
        chosen["words_from"] = public_name(params["words_from"])
    return chosen


def name_of(file: str) -> str:
    """``"train=/where/a"`` -> ``"train=a"``."""
    split = next((s for s in ("train=", "dev=", "test=") if file.startswith(s)), "")
    return split + public_name(file.removeprefix(split))


def skipped_lines(corpus: TaggedCorpus) -> dict[str, Any]:
    """What a command shows of bad lines; nothing when there are none."""
    return {"skipped lines": list(corpus.skipped)} if corpus.skipped else {}


def where_of(values: Any) -> dict[str, str | list[str]]:
    """``["upos=NOUN,PROPN"]`` -> ``{"upos": "NOUN,PROPN"}``."""
    pairs = [value.partition("=") for value in values]
    for value, (tag, separator, labels) in zip(values, pairs, strict=True):
        if not (separator and tag and labels):
            raise InputError(f"--where {value}: give TAG=LABEL, as upos=NOUN or upos=NOUN,PROPN")
    where: dict[str, str | list[str]] = {tag: labels for tag, _, labels in pairs}
    if len(where) < len(pairs):
        raise InputError(
            f"--where {' '.join(values)}: a tag is given twice; separate its labels by commas"
        )
    return where
