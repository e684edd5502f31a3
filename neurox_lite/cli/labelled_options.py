"""Options of the commands that fit a probe on labelled words, or rank neurons by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurox_lite.cli.corpus_options import (
    ByPosition,
    LabelOptions,
    ReadingOptions,
    WordOptions,
    name_of,
)
from neurox_lite.cli.output import Label, MinCount, by_split
from neurox_lite.public_names import public_name

if TYPE_CHECKING:
    from neurox_lite.activations.labelled_splits import LabelledSplits
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.corpora.tagged_corpus import TaggedCorpus


@dataclass(frozen=True, kw_only=True)
class LabelledOptions:
    """The labelled words that a probe is fitted on or a ranking made of, beside corpus and tag."""

    label: Label = None
    reading: ReadingOptions
    rules: LabelOptions
    by_position: ByPosition = False
    min_count: MinCount = None
    words: WordOptions

    def subject(self, tag: str | None) -> str | None:
        """What a figure is of, as ``NOUN of upos``."""
        return tag if self.label is None else f"{self.label} of {tag}"

    def read(self, corpus: list[str] | None, tag: str, seed: int) -> TaggedCorpus:
        """The corpus, with the labels that the rules make."""
        from neurox_lite.corpora.reading import read_splits

        rules = self.rules.rules()  # refused before a long corpus is read
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
        from neurox_lite.cli.labelled import chosen_splits

        return chosen_splits(
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
        chosen["corpus"] = [name_of(file) for file in corpus]
        if self.reading.labels:
            chosen["labels"] = [name_of(file) for file in self.reading.labels]
        if self.words.words_from:
            chosen["words_from"] = public_name(self.words.words_from)
        return chosen
