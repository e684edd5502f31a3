"""Half of the sentences of a corpus, and a neuron's exemplars in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from neurox_lite.descriptions.concepts import Concepts
from neurox_lite.descriptions.corpus_rows import CorpusRows
from neurox_lite.descriptions.top_sentences import first_extreme
from neurox_lite.showing import short_repr

LENGTHS = 10
"""Groups of sentences by length in which exemplars are looked for."""


@dataclass(frozen=True, eq=False)
class Half:
    """Half of the sentences: their rows, and what descriptors these have.

    ``starts`` has the first row of each sentence; ``groups`` sentences of about the same length, in
    a random order, by which the first of tied ones are taken; ``of_words`` and ``of_sentences``
    which descriptors each row and each sentence has.
    """

    rows: np.ndarray
    starts: np.ndarray
    groups: list[np.ndarray]
    of_words: csr_array
    of_sentences: csr_array

    __repr__ = short_repr

    @property
    def n_sentences(self) -> int:
        return len(self.starts) - 1

    @property
    def sentences(self) -> np.ndarray:
        """Number of each row's sentence."""
        return np.repeat(np.arange(self.n_sentences), np.diff(self.starts))

    @property
    def weights(self) -> np.ndarray:
        """How likely each row is, if a word is drawn from each sentence."""
        lengths = np.diff(self.starts)
        return np.repeat(1 / lengths, lengths)


@dataclass(frozen=True, eq=False)
class HalfExemplars:
    """Sentences of a half, and in each the row at which a neuron is largest."""

    sentences: np.ndarray
    rows: np.ndarray

    __repr__ = short_repr


def half_of(
    rows: CorpusRows, places: np.ndarray, concepts: Concepts, has: csr_array, draw: np.ndarray
) -> Half:
    """Some sentences by their places; ``draw`` decides between those of one length."""
    own, starts = rows.rows_of(places)
    by_length = np.lexsort((draw[places], np.diff(starts)))
    groups = [
        group[np.argsort(draw[places[group]])]
        for group in np.array_split(by_length, LENGTHS)
        if len(group)
    ]
    return Half(own, starts, groups, concepts.has[own], has[places])


def n_taken(group: np.ndarray, share: float) -> int:
    """How many exemplars a group of sentences has."""
    return max(1, round(share * len(group)))


def exemplars_in(values: np.ndarray, half: Half, share: float) -> HalfExemplars:
    """The sentences with the largest activations of about their length.

    Not those where a neuron is as in most of that length: one that is 0 but for a few sentences has
    these only.
    """
    maxima = np.maximum.reduceat(values, half.starts[:-1])
    taken = []
    for group in half.groups:
        order = np.argsort(-maxima[group], kind="stable")
        own = group[order[: n_taken(group, share)]]
        taken.append(own[maxima[own] > np.median(maxima[group])])
    sentences = np.sort(np.concatenate(taken))
    columns = np.zeros(len(sentences), int)
    rows = first_extreme(values[:, None], half.starts, sentences, columns, 1)
    return HalfExemplars(sentences, rows)
