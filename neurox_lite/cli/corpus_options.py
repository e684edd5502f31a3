"""Options of the commands that read a corpus: how, what of its labels, which of its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.parsing import where_of

if TYPE_CHECKING:
    from neurox_lite.corpora.label_rules import LabelRules
    from neurox_lite.corpora.word_selection import WordSelection


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """How the files of a corpus are read."""

    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--labels",
            metavar="FILE|SPLIT=FILE",
            help="Files of labels for parallel text or sentences, given like --corpus.",
        ),
    ] = None
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="conllu, columns, parallel, sentences, text, csv or tsv; inferred from the "
            "file name if not given.",
        ),
    ] = None
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            help="Names of all columns, such as word,_,xpos,ner (_: ignored, ...: any number); or "
            "conll2000, conll2003, conll2012, germeval or multiconer.",
        ),
    ] = None
    comment: Annotated[
        str | None,
        typer.Option("--comment", help="How comments begin in a file of columns, such as '# '."),
    ] = None
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            metavar="words|raw",
            help="For CoNLL-U: join words by spaces, or read the text as written.",
        ),
    ] = None
    text_column: Annotated[
        str | None,
        typer.Option("--text-column", help="For CSV and TSV: the column with the sentences."),
    ] = None
    label_column: Annotated[
        str | None,
        typer.Option(
            "--label-column", help="For CSV and TSV: the column with their labels, the --tag."
        ),
    ] = None
    skip_bad_lines: Annotated[
        bool,
        typer.Option(
            "--skip-bad-lines", help="Leave out sentences with bad lines, and list the lines."
        ),
    ] = False

    def of_corpus(self) -> dict[str, Any]:
        """The options of :func:`neurox_lite.read_corpus`."""
        return {name: value for name, value in vars(self).items() if name != "labels"}


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """What is made of the labels of a corpus."""

    match: Annotated[
        str | None,
        typer.Option(
            "--match",
            metavar="REGEX",
            help="Add labels called 'match': whether the regular expression matches the whole "
            "word.",
        ),
    ] = None
    strip_bio: Annotated[
        bool, typer.Option("--strip-bio", help="Turn the labels B-PER and I-PER into PER.")
    ] = False
    label_map: Annotated[
        list[str] | None,
        typer.Option(
            "--label-map",
            metavar="REGEX=LABEL",
            help="Change labels that the regular expression matches as a whole, such as "
            "'nsubj:.*=nsubj'; of several, the first that matches.",
        ),
    ] = None

    def rules(self) -> LabelRules:
        from neurox_lite.corpora.label_rules import LabelRules

        return LabelRules(self.strip_bio, list(self.label_map or ()))


@dataclass(frozen=True, kw_only=True)
class WordOptions:
    """Which words are used."""

    words: Annotated[
        str | None,
        typer.Option(
            "--words",
            metavar="REGEX",
            help="Use only words that the regular expression matches as a whole.",
        ),
    ] = None
    words_from: Annotated[
        str | None,
        typer.Option(
            "--words-from", metavar="FILE", help="Use only the words in a file, one per line."
        ),
    ] = None
    min_frequency: Annotated[
        int,
        typer.Option(
            "--min-frequency", help="Use only words that occur at least this often in train."
        ),
    ] = 0
    max_frequency: Annotated[
        int | None,
        typer.Option(
            "--max-frequency", help="Use only words that occur at most this often in train."
        ),
    ] = None
    disjoint: Annotated[
        str | None,
        typer.Option(
            "--disjoint",
            metavar="sentences|types",
            help="Leave out words so that splits share no sentence, or no word type either.",
        ),
    ] = None
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="TAG=LABEL,...",
            help="Use only words with one of these labels of another tag, such as upos=NOUN,PROPN.",
        ),
    ] = None
    balance: Annotated[
        str | None,
        typer.Option(
            "--balance",
            metavar="under|over",
            help="Give train equally many words of each class, by drawing fewer or repeating some.",
        ),
    ] = None

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
