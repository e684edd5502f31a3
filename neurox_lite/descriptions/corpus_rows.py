"""Activations of the words of a corpus, each sentence once, in blocks of whole sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurox_lite.activations.access import (
    column_blocks,
    layers_of,
    require_finite,
    space_of,
    take_rows,
)
from neurox_lite.activations.inputs import validate_activations
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.store import ActivationStore
from neurox_lite.arguments import expect
from neurox_lite.corpora.splits import draw_splits
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.neurons import Layers, NeuronSpace
from neurox_lite.showing import short_repr

BLOCK_ROWS = 4096
"""Rows of a block, unless one sentence has more."""


@dataclass(frozen=True)
class CorpusRows:
    """Rows of activations, and which words of which sentences they are.

    Attributes
    ----------
    X : (n_rows, n_neurons) array, tensor or store's matrix
    corpus : TaggedCorpus
    words : (n_rows,) int array
        Numbers of the words in the corpus, ascending.
    sentences : (n_kept,) int array
        Numbers of the sentences in the corpus, ascending.
    starts : (n_kept + 1,) int array
        First row of each sentence, and the number of rows.
    """

    X: Any
    corpus: TaggedCorpus
    words: np.ndarray
    sentences: np.ndarray
    starts: np.ndarray

    __repr__ = short_repr

    def __len__(self) -> int:
        return len(self.words)

    @property
    def space(self) -> NeuronSpace:
        return space_of(self.X)

    def layer(self, layer: int) -> Any:
        """The activations of one layer, (n_rows, width), not copied."""
        return layers_of(self.X, self.space, [layer])

    def spans(self, n_rows: int = BLOCK_ROWS) -> Iterator[slice]:
        """Neighbouring sentences, by their place in ``sentences``, of at most so many rows."""
        first = 0
        while first < len(self.sentences):
            end = int(np.searchsorted(self.starts, self.starts[first] + n_rows, side="right")) - 1
            end = max(end, first + 1)
            yield slice(first, end)
            first = end

    def rows_of(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of some sentences, by their places, ascending; and the first of each among these."""
        lengths = np.diff(self.starts)
        is_taken = np.zeros(len(lengths), bool)
        is_taken[places] = True
        starts = np.concatenate([[0], np.cumsum(lengths[places])])
        return np.flatnonzero(np.repeat(is_taken, lengths)), starts

    def around(self, rows: np.ndarray, radius: int) -> np.ndarray:
        """Rows of the words so far before and after others in the sentence, -1 where none is.

        (n, 2 radius + 1) of (n,) rows; a word without activation has none.
        """
        places = np.searchsorted(self.starts, rows, side="right") - 1
        wanted = self.words[rows][:, None] + np.arange(-radius, radius + 1)
        found = np.searchsorted(self.words, wanted).clip(max=len(self) - 1)
        first, stop = self.starts[places][:, None], self.starts[places + 1][:, None]
        is_there = (self.words[found] == wanted) & (first <= found) & (found < stop)
        return np.where(is_there, found, -1)

    def columns(self, columns: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Some columns, ascending, each once: its number, and (n_rows,) float64 activations."""
        space = self.space
        for layer in space.layers:
            first, stop = space.columns(layer).start, space.columns(layer).stop
            own = np.unique(columns[(columns >= first) & (columns < stop)]) - first
            if len(own):
                for start, block in column_blocks(self.layer(layer), space.select([layer])):
                    for column in own[(own >= start) & (own < start + block.shape[1])].tolist():
                        yield first + column, block[:, column - start].astype(np.float64)

    def halves(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Places of the sentences of two halves, drawn by their words, in whatever order."""
        texts = [" ".join(self.corpus.sentences[number]) for number in self.sentences.tolist()]
        drawn = draw_splits(texts, seed, (0.5, 0.0, 0.5))
        is_first = np.array([drawn[text] == "train" for text in texts])
        return np.flatnonzero(is_first), np.flatnonzero(~is_first)

    def draw(self, seed: int) -> np.ndarray:
        """A random number for each sentence, the same wherever in the corpus it stands."""
        texts = [tuple(self.corpus.sentences[number]) for number in self.sentences.tolist()]
        order = sorted(range(len(texts)), key=texts.__getitem__)
        found = np.empty(len(texts))
        found[order] = np.random.default_rng(seed).random(len(texts))
        return found

    def sentence_of(self, rows: np.ndarray) -> np.ndarray:
        """Number of the sentence of each row in the corpus, -1 for the row -1."""
        places = np.searchsorted(self.starts, rows, side="right") - 1
        return np.where(rows < 0, -1, self.sentences[places])


def corpus_rows(activations: Any, corpus: TaggedCorpus, layers: Layers = None) -> CorpusRows:
    """The words of a corpus that have activations; of equal sentences the first.

    Parameters
    ----------
    activations : ActivationStore, or (n_words, n_neurons) array, tensor or store's matrix
        A store made from ``corpus``, or a row for each of its words.
    corpus : TaggedCorpus
    layers : int, several ints or "all", optional
        Of a store; all by default.

    Raises
    ------
    InputError
        When the store was made from another corpus or has a row per sentence, there is not one row
        per word, or an activation of an array is NaN or infinite.
    """
    expect(corpus, TaggedCorpus, "corpus", "a TaggedCorpus, such as nx.read_corpus(path)")
    words = np.arange(corpus.n_words)
    if isinstance(activations, ActivationMatrix):
        store, layers = activations.store, activations.space.layers
        if len(activations) != store.n_rows:
            raise InputError(
                f"{store.path}: {len(activations)} of its {store.n_rows} rows; give all, as "
                "store.matrix()"
            )
        activations = store
    if isinstance(activations, ActivationStore):
        store = activations
        if store.metadata.get("pooling"):
            raise InputError(
                f"{store.path}: has a row per sentence, and it takes words to say what a neuron "
                "is about; extract without pooling"
            )
        store.check_corpus(corpus.words_hash, corpus.source)
        rows = store.word_rows
        has_activation = ~np.isin(rows, store.missing)
        X: Any = ActivationMatrix(store, store.matrix(layers).space, rows)
    else:
        X = validate_activations(activations)
        if layers is not None:
            X = layers_of(X, space_of(X), space_of(X).select(layers).layers)
        if len(X) != corpus.n_words:
            raise InputError(
                f"activations of {len(X)} words, but {corpus.source} has {corpus.n_words}; give a "
                "row for each word"
            )
        require_finite(X)
        has_activation = np.ones(len(words), bool)
    first = {tuple(one): number for number, one in reversed(list(enumerate(corpus.sentences)))}
    is_first = np.zeros(len(corpus), bool)
    is_first[list(first.values())] = True
    is_used = has_activation & np.repeat(is_first, np.diff(corpus.sentence_offsets))
    words = words[is_used]
    of_sentence = np.searchsorted(corpus.sentence_offsets, words, side="right") - 1
    sentences, starts = np.unique(of_sentence, return_index=True)
    return CorpusRows(
        take_rows(X, np.flatnonzero(is_used)),
        corpus,
        words,
        sentences,
        np.append(starts, len(words)),
    )
