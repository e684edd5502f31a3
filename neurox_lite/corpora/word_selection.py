"""The words a user chooses, as options of a command or keys of a job."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neurox_lite.corpora.balance import check_balance
from neurox_lite.corpora.disjoint import check_disjoint, find_disjoint_words
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.text_files import open_text
from neurox_lite.corpora.word_filter import check_filter, word_filter
from neurox_lite.errors import InputError


@dataclass(frozen=True)
class WordSelection:
    """Word filters and how far the splits are kept apart; by default all words.

    Attributes
    ----------
    pattern : str, optional
        As in :func:`neurox_lite.word_filter`.
    file : str, optional
        A file with the words to keep, one per line.
    min_frequency, max_frequency : int
        As in :func:`neurox_lite.word_filter`.
    disjoint : {"sentences", "types"}, optional
        As in :func:`neurox_lite.labelled_splits`.
    where : dict
        As in :func:`neurox_lite.word_filter`.
    balance : {"under", "over"}, optional
        As in :func:`neurox_lite.labelled_splits`; not part of :meth:`mask`.

    Raises
    ------
    InputError
        When an option has no such value.
    """

    pattern: str | None = None
    file: str | None = None
    min_frequency: int = 0
    max_frequency: int | None = None
    disjoint: str | None = None
    where: dict[str, str | list[str]] = field(default_factory=dict)
    balance: str | None = None

    def __post_init__(self) -> None:
        check_filter(self.pattern, self.min_frequency, self.max_frequency)
        check_disjoint(self.disjoint)
        check_balance(self.balance)

    def mask(self, corpus: TaggedCorpus, seed: int) -> np.ndarray:
        """Which words of a corpus are chosen, at least one; shape (n_words,), bool."""
        kept = word_filter(
            corpus,
            pattern=self.pattern,
            words=None if self.file is None else _read_words(self.file),
            min_frequency=self.min_frequency,
            max_frequency=self.max_frequency,
            where=self.where,
        )
        if self.disjoint is not None:
            kept &= find_disjoint_words(corpus, self.disjoint, seed)
        return kept


def _read_words(path: str) -> set[str]:
    with open_text(path) as file:
        words = {line.strip() for line in file} - {""}
    if not words:
        raise InputError(f"{path}: no words; give one per line")
    return words
