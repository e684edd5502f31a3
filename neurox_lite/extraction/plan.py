"""The corpus as the model will read it: inputs, and the row that each of their words fills."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import starmap

import numpy as np

from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.extraction.model_input import ModelInput


class _Ragged:
    """Many short runs of integers in one array, as a list of lists would be far larger."""

    def __init__(self) -> None:
        self.values = array("i")
        self.ends = array("q", [0])

    def append(self, values: Iterable[int]) -> None:
        self.values.extend(values)
        self.ends.append(len(self.values))

    def runs(self, first: int, last: int) -> list[np.ndarray]:
        """The runs numbered ``first`` to ``last - 1``."""
        ends = self.ends[first : last + 1]
        values = np.array(self.values[ends[0] : ends[-1]], dtype=np.int64)
        return np.split(values, np.array(ends[1:-1]) - ends[0]) if last > first else []


@dataclass
class Plan:
    """All inputs of a corpus, in compact arrays; made by ``plan_corpus``.

    Attributes
    ----------
    corpus : TaggedCorpus
        One word per row: the words, and special tokens where they are stored.
    special : (n_special,) int array
        Rows that are special tokens, ascending.
    n_truncated, n_dropped : array of int
        Words of each sentence that have no activation, by cause.
    n_words, n_unknown, n_split : array of int
        Words of each sentence: all, those that hold the tokenizer's unknown token, those that are
        several subwords.
    n_unknown_source : array of int
        Words of each source sentence that hold the unknown token, of a decoder.
    warnings : list of str
        What a user should know before the model runs.
    """

    corpus: TaggedCorpus
    special: np.ndarray
    n_truncated: array = field(default_factory=lambda: array("i"))
    n_dropped: array = field(default_factory=lambda: array("i"))
    n_words: array = field(default_factory=lambda: array("i"))
    n_unknown: array = field(default_factory=lambda: array("i"))
    n_split: array = field(default_factory=lambda: array("i"))
    n_shared: array = field(default_factory=lambda: array("i"))
    n_unknown_source: array = field(default_factory=lambda: array("i"))
    warnings: list[str] = field(default_factory=list)
    _first_input: array = field(default_factory=lambda: array("q", [0]))
    _fields: dict[str, _Ragged] = field(
        default_factory=lambda: {name: _Ragged() for name in ModelInput.__annotations__}
    )

    def add(self, inputs: list[dict[str, Sequence[int]]]) -> None:
        """Append the inputs of the next sentence, each a value per field of ModelInput."""
        inputs = [item for item in inputs if item["rows"]]
        for item in inputs:
            for name, ragged in self._fields.items():
                ragged.append(item[name])
        self._first_input.append(self._first_input[-1] + len(inputs))

    def inputs(self, sentences: range) -> list[ModelInput]:
        """The inputs of neighbouring sentences."""
        first, last = self._first_input[sentences.start], self._first_input[sentences.stop]
        runs = (ragged.runs(first, last) for ragged in self._fields.values())
        return list(starmap(ModelInput, zip(*runs, strict=True)))
