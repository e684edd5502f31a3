"""Of all neurons the sentences and words at which they are largest and smallest: the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neurox_lite.activations.negligible import is_negligible
from neurox_lite.descriptions.distribution import CATEGORIES
from neurox_lite.descriptions.example_levels import activations_of
from neurox_lite.descriptions.neuron_exemplars import Example, NeuronExemplars, OneSign, TopWord
from neurox_lite.errors import InputError
from neurox_lite.intervals import Interval
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.results.arrays import reading_with_arrays, write_with_arrays
from neurox_lite.results.html import MOST_ROWS, as_html
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, some, summary

NAME, KIND = "exemplars", "exemplars"


@dataclass(frozen=True, eq=False)
class Exemplars:
    """Of every neuron the sentences and words at which it is largest and smallest.

    Made by :func:`~neurox_lite.descriptions.exemplars`; :meth:`of` shows one neuron. In arrays the
    second axis has the highest and the lowest.

    Attributes
    ----------
    space : NeuronSpace
    source : str
        The corpus.
    n_sentences, n_words : int
        That were read, each sentence once.
    sentences : tuple of tuples of str
        Those that are an example of some neuron.
    forms, labels : tuples of str
        Word forms, and their parts of speech.
    counts : tuple of int
        Their occurrences.
    common : dict of int to tuple of str
        By layer, words that too many neurons like, which are left out.
    arrays : dict of str to array
        ``values``, ``examples`` and ``places``, (n_neurons, 2, n_examples): activation, number in
        ``sentences`` (-1 for none) and number of the word in it. ``levels``, (n_neurons, 2,
        n_examples, 31) int8, of the words from 15 before that word to 15 after: their activation is
        ``medians + levels * scales``, both (n_neurons,); -128 where there is no word, or none with
        activation. The same with ``quantile_`` before. ``words``, (n_neurons, 2, n_words): number
        in ``forms``; ``word_means``, ``word_lows`` and ``word_highs``. ``histogram``, (n_neurons,
        n_bins). ``smallest``, ``largest``, ``sparseness``, ``of_position``, ``of_word``,
        ``categories``: (n_neurons,). ``columns``, if these are some of the neurons only.
    """

    space: NeuronSpace
    source: str
    n_sentences: int
    n_words: int
    sentences: tuple[tuple[str, ...], ...]
    forms: tuple[str, ...]
    labels: tuple[str, ...]
    counts: tuple[int, ...]
    common: Mapping[int, tuple[str, ...]]
    arrays: Mapping[str, np.ndarray]

    __repr__ = short_repr
    to_pandas = as_pandas

    def _repr_html_(self) -> str:
        return as_html(self, self._table(self.columns[:MOST_ROWS].tolist()), len(self))

    def __len__(self) -> int:
        return len(self.arrays["categories"])

    @property
    def columns(self) -> np.ndarray:
        """Of the neurons that these are, ascending: a row of each array for each; (n_neurons,)."""
        found = self.arrays.get("columns")
        return np.arange(len(self)) if found is None else found

    def __str__(self) -> str:
        facts = {"neurons": len(self), "sentences": self.n_sentences, "words": self.n_words}
        counts = np.bincount(self.arrays["categories"], minlength=len(CATEGORIES))
        categories = ", ".join(
            f"{name} {n}" for name, n in zip(CATEGORIES, counts, strict=True) if n
        )
        small = [f"negligible {some(self.negligible)}"] if self.negligible else []
        return summary(
            f"Exemplars of {self.space.model} in {self.source}", facts, [categories, *small]
        )

    @cached_property
    def negligible(self) -> list[Neuron]:
        """Neurons that vary by less than 1e-12 of what others of their layer do.

        In the model's sums that is lost, so that it cannot read them.
        """
        layers = np.repeat(self.space.layers, self.space.widths)[self.columns]
        found = is_negligible(self.arrays["smallest"], self.arrays["largest"], layers)
        return self.space.neurons(self.columns[found])

    def of(self, neuron: Any) -> NeuronExemplars:
        """Those of one neuron, given as ``"3:17"``, :class:`~neurox_lite.Neuron` or column."""
        columns = self.space.columns_of(neuron)
        if len(columns) != 1:
            raise InputError(f"{len(columns)} neurons; give one, such as '3:17'")
        (column,) = columns.tolist()
        row = int(np.searchsorted(self.columns, column))
        if row == len(self) or self.columns[row] != column:
            raise InputError(
                f"neuron {self.space.neuron(column)} is none of the {len(self)} of these "
                "exemplars; give it to exemplars"
            )
        own = {name: array[row] for name, array in self.arrays.items()}
        highest, lowest = (
            OneSign(
                self._examples(own, sign, ""),
                self._examples(own, sign, "quantile_"),
                self._words(own, sign),
            )
            for sign in range(2)
        )
        return NeuronExemplars(
            self.space.neuron(column),
            CATEGORIES[own["categories"]],
            float(own["sparseness"]),
            float(own["of_position"]),
            float(own["of_word"]),
            float(own["smallest"]),
            float(own["largest"]),
            tuple(own["histogram"].tolist()),
            highest,
            lowest,
        )

    def _examples(
        self, own: Mapping[str, np.ndarray], sign: int, before: str
    ) -> tuple[Example, ...]:
        parts = (own[f"{before}{name}"][sign] for name in ("values", "examples", "places"))
        examples = []
        for rank, (value, number, place) in enumerate(zip(*parts, strict=True)):
            if number >= 0:
                words = self.sentences[number]
                activations: tuple[float | None, ...] = ()
                if f"{before}levels" in own:  # not in files of before
                    levels, scale = own[f"{before}levels"][sign, rank], float(own["scales"])
                    median = float(own["medians"])
                    activations = activations_of(levels, median, scale, int(place), len(words))
                examples.append(Example(words, int(place), float(value), activations))
        return tuple(examples)

    def _words(self, own: Mapping[str, np.ndarray], sign: int) -> tuple[TopWord, ...]:
        parts = (own[name][sign] for name in ("words", "word_means", "word_lows", "word_highs"))
        return tuple(
            TopWord(
                self.forms[number],
                self.labels[number] if self.labels else "",
                self.counts[number],
                Interval(float(mean), float(low), float(high)),
            )
            for number, mean, low, high in zip(*parts, strict=True)
            if number >= 0
        )

    def table(self) -> Table:
        """A header and a row per neuron: category, sparseness, words and first sentence by sign."""
        return self._table(self.columns.tolist())

    def _table(self, columns: Iterable[int]) -> Table:
        sides = ("highest", "lowest")
        names = [f"{side} {what}" for side in sides for what in ("activation", "words", "sentence")]
        rows: Table = [["neuron", "category", "sparseness", *names]]
        for column in columns:
            own = self.of(column)
            cells: list[Any] = []
            for side in (own.highest, own.lowest):
                first = side.examples[0] if side.examples else None
                cells += [
                    first.value if first else None,
                    " ".join(word.form for word in side.words[:5]),
                    " ".join(first.words) if first else None,
                ]
            rows.append([str(own.neuron), own.category, own.sparseness, *cells])
        return rows

    def save(self, folder: str | Path) -> None:
        """Write ``exemplars.json`` and ``exemplars.safetensors``."""
        fields = ("source", "n_sentences", "n_words", "sentences", "forms", "labels", "counts")
        data = {name: getattr(self, name) for name in fields}
        common = {str(layer): words for layer, words in self.common.items()}
        head = {"kind": KIND, "space": self.space.to_dict(), "common": common}
        write_with_arrays(folder, NAME, {**head, **data}, dict(self.arrays))

    @classmethod
    def load(cls, folder: str | Path) -> Exemplars:
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            When a file is missing, damaged or holds something else.
        """
        with reading_with_arrays(folder, NAME) as (data, read):
            arrays = read()
            return cls(
                NeuronSpace.from_dict(data["space"]),
                data["source"],
                data["n_sentences"],
                data["n_words"],
                tuple(map(tuple, data["sentences"])),
                tuple(data["forms"]),
                tuple(data["labels"]),
                tuple(data["counts"]),
                {int(layer): tuple(words) for layer, words in data["common"].items()},
                arrays,
            )
