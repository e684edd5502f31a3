"""The sentences that move each neuron most, kept while activations are streamed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


class TopSentences:
    """For each neuron of a layer the sentences with its largest activations, or its smallest.

    Of a sentence counts its largest (smallest) activation, and the first word that has it; of
    sentences that are tied, the one that came first. Memory: 24 bytes for each sentence and neuron.

    Parameters
    ----------
    n_neurons : int
    n_sentences : int
        Kept for each neuron.
    sign : {1, -1}

    Attributes
    ----------
    values : (n_sentences, n_neurons) float64 array
        From the largest (smallest) on; NaN where there are fewer sentences.
    rows : (n_sentences, n_neurons) int array
        Rows of the words, -1 where there are fewer sentences.
    """

    def __init__(self, n_neurons: int, n_sentences: int, sign: int):
        self._sign = sign
        self._best = np.full((n_sentences, n_neurons), -np.inf)
        self.rows = np.full((n_sentences, n_neurons), -1)

    @property
    def values(self) -> np.ndarray:
        return np.where(self.rows < 0, np.nan, self._sign * self._best)

    def add(self, block: np.ndarray, starts: np.ndarray, first_row: int) -> None:
        """See further sentences.

        Parameters
        ----------
        block : (n_rows, n_neurons) array
        starts : (n_block_sentences + 1,) int array
            First row of each sentence in the block, and the number of its rows.
        first_row : int
            Number of the block's first row.
        """
        extremes = self._sign * sentence_extremes(block, starts, self._sign)
        is_better = extremes > self._best[-1]
        while len(columns := np.flatnonzero(is_better.any(0))):
            sentences = is_better[:, columns].argmax(0)
            found = first_extreme(block, starts, sentences, columns, self._sign)
            self._insert(columns, extremes[sentences, columns], first_row + found)
            is_better[sentences, columns] = False
            is_better[:, columns] &= extremes[:, columns] > self._best[-1, columns]

    def _insert(self, columns: np.ndarray, values: np.ndarray, rows: np.ndarray) -> None:
        """Put one value for each of some columns where it belongs, after those that are equal."""
        best, kept = self._best[:, columns], self.rows[:, columns]
        before = best >= values
        is_place = ~before & np.vstack([np.ones_like(before[:1]), before[:-1]])
        for old, new, into in ((best, values, self._best), (kept, rows, self.rows)):
            shifted = np.vstack([old[:1], old[:-1]])
            into[:, columns] = np.where(before, old, np.where(is_place, new, shifted))


def sentence_extremes(block: np.ndarray, starts: np.ndarray, sign: int) -> np.ndarray:
    """The largest (smallest) activation in each sentence, (n_sentences, n_neurons)."""
    found = np.empty((len(starts) - 1, block.shape[1]), block.dtype)
    # Several times as fast as reduceat, which goes through the rows of a sentence one by one.
    reduce = np.maximum.reduce if sign > 0 else np.minimum.reduce
    for number, (first, last) in enumerate(pairwise(starts.tolist())):
        reduce(block[first:last], axis=0, out=found[number])
    return found


def first_extreme(
    block: np.ndarray, starts: np.ndarray, sentences: np.ndarray, columns: np.ndarray, sign: int
) -> np.ndarray:
    """The row of the block at which a neuron is largest (smallest) in a sentence, (n,).

    Parameters
    ----------
    block : (n_rows, n_neurons) array
    starts : (n_block_sentences + 1,) int array
    sentences, columns : (n,) int arrays
        One neuron in one sentence each.
    sign : {1, -1}
    """
    lengths = np.diff(starts)[sentences]
    within = np.arange(lengths.max(initial=1))
    is_in = within < lengths[:, None]
    rows = starts[sentences][:, None] + np.where(is_in, within, 0)
    values = np.where(is_in, sign * block[rows, columns[:, None]], -np.inf)
    return np.asarray(starts[sentences] + values.argmax(1))
