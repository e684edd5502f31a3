"""The sentences that move each neuron most, kept while activations are streamed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


class TopSentences:
    """For each neuron of a layer the sentences with its largest activations, or its smallest.

    Of a sentence counts its largest (smallest) activation, and the first word that has it; of
    sentences that are tied, the one that came first. Memory: 16 bytes for each sentence and neuron.

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
        self._n_seen = 0
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
        first = 0
        while first < len(starts) - 1:
            # At first a few, since a word is only looked at if it exceeds what is kept so far.
            last = min(len(starts) - 1, first + max(self._n_seen, len(self._best)))
            part = slice(starts[first], starts[last])
            self._add(block[part], starts[first : last + 1] - part.start, first_row + part.start)
            self._n_seen += last - first
            first = last

    def _add(self, block: np.ndarray, starts: np.ndarray, first_row: int) -> None:
        least = (self._sign * self._best[-1]).astype(block.dtype)
        is_better = block > least if self._sign > 0 else block < least
        rows, columns = np.divmod(np.flatnonzero(is_better), block.shape[1])
        values = self._sign * block[rows, columns].astype(np.float64)
        # Of the words of a sentence the best, and of those that are tied the first.
        pairs = columns * len(starts) + np.searchsorted(starts, rows, side="right")
        order = np.lexsort((-values, pairs))
        order = order[is_first_of_run(pairs[order])]
        self._merge(values[order], first_row + rows[order], columns[order])

    def _merge(self, values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> None:
        """Put sentences, in their order for each column, after those kept that are as good."""
        n_kept, own = len(self._best), np.unique(columns)
        columns = np.concatenate([np.tile(own, n_kept), columns])
        values = np.concatenate([self._best[:, own].ravel(), values])
        rows = np.concatenate([self.rows[:, own].ravel(), rows])
        order = np.lexsort((-values, columns))
        columns = columns[order]
        starts = np.flatnonzero(is_first_of_run(columns))
        place = np.arange(len(columns)) - np.repeat(starts, np.diff(starts, append=len(columns)))
        is_kept = place < n_kept
        where, kept = (place[is_kept], columns[is_kept]), order[is_kept]
        self._best[where], self.rows[where] = values[kept], rows[kept]


def is_first_of_run(numbers: np.ndarray) -> np.ndarray:
    """Whether each of (n,) numbers, at least 0, differs from the one before it."""
    return np.diff(numbers, prepend=-1) != 0


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
