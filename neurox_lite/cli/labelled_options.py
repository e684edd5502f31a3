"""Options of the commands that fit a probe on labelled words, or rank neurons by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurox_lite.cli.corpus_options import LabelOptions, ReadingOptions, WordOptions
from neurox_lite.cli.parsing import by_split
from neurox_lite.public_names import public_name, without_split

if TYPE_CHECKING:
    from neurox_lite.activations.labelled_splits import LabelledSplits
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.corpora.tagged_corpus import TaggedCorpus


MinCount = Annotated[
    int | None, typer.Option("--min-count", help="Leave out classes with fewer words in train.")
]


@dataclass(frozen=True, kw_only=True)
class LabelledOptions:
    """The labelled words that a probe is fitted on or a ranking made of, beside corpus and tag."""

    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            help="Distinguish only this label from all others, such as NOUN from not NOUN.",
        ),
    ] = None
    reading: ReadingOptions
    rules: LabelOptions
    by_position: Annotated[
        bool,
        typer.Option(
            "--by-position",
            help="Match the words of store and corpus by position, such as those of a NeuroX file.",
        ),
    ] = False
    min_count: MinCount = None
    words: WordOptions

    def subject(self, tag: str | None) -> str | None:
        """What a figure is of, as ``NOUN of upos``."""
        return tag if self.label is None else f"{self.label} of {tag}"

    def read(self, corpus: list[str] | None, tag: str, seed: int) -> TaggedCorpus:
        """The corpus, with the labels that the rules make."""
        from neurox_lite.corpora.reading import read_splits

        # Refused before a long corpus is read.
        rules, _ = self.rules.rules(), self.words.selection()
        read = read_splits(
            by_split(corpus),
            labels=by_split(self.reading.labels),
            match=self.rules.match,
            seed=seed,
            **self.reading.of_corpus(),
        )
        return rules.apply(read, tag)

    def splits(
        self,
        store: ActivationStore,
        corpus: TaggedCorpus,
        tag: str,
        *,
        layers: list[int] | None,
        seed: int,
        numeric: bool = False,
    ) -> LabelledSplits:
        """The words chosen, with their activations."""
        from neurox_lite.activations.selected_splits import selected_splits

        return selected_splits(
            store,
            corpus,
            tag,
            self.words.selection(),
            label=self.label,
            layers=layers,
            min_count=self.min_count,
            seed=seed,
            numeric=numeric,
            by_position=self.by_position,
        )

    def provenance(self, corpus: list[str], tag: str | None) -> dict[str, Any]:
        """What decided the labels and words of a result: the options given."""
        groups = (self.reading, self.rules, self.words)
        given = {"tag": tag, "label": self.label, "by_position": self.by_position}
        given |= {"min_count": self.min_count} | {k: v for g in groups for k, v in vars(g).items()}
        chosen: dict[str, Any] = {name: value for name, value in given.items() if value}
        chosen["corpus"] = [_name_of(file) for file in corpus]
        if self.reading.labels:
            chosen["labels"] = [_name_of(file) for file in self.reading.labels]
        if self.words.words_from:
            chosen["words_from"] = public_name(self.words.words_from)
        return chosen


def _name_of(file: str) -> str:
    """``"train=/where/a"`` -> ``"train=a"``."""
    path = without_split(file)
    return file.removesuffix(path) + public_name(path)
