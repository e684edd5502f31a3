"""Mean activation of each word form, and the words that each neuron likes more than others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import t as student

from neurox_lite.activations.access import SMALL_ROWS
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.labels import UNLABELLED
from neurox_lite.showing import short_repr

MOST_WORDS = 10_000
"""Word forms that are counted, the most frequent: of a layer of 4,096 neurons 650 MB."""

SPARE = 4
"""So many times the words that are shown are looked at, since some are left out."""

COMMON, EXCEPTIONAL = 0.1, 2.0
"""A word among the top words of more neurons of a layer than this share says little of them, but
where its mean is so many times as far from others as it usually is."""


@dataclass(frozen=True)
class Vocabulary:
    """The word forms of a corpus, in lower case, that occur often enough.

    Attributes
    ----------
    forms : tuple of str
        The most frequent first.
    counts : (n_forms,) int array
    labels : tuple of str
        The most frequent label of each, such as its part of speech; empty without a tag.
    ids : (n_rows,) int array
        Of the form of each row, ``n_forms`` for all others.
    """

    forms: tuple[str, ...]
    counts: np.ndarray
    labels: tuple[str, ...]
    ids: np.ndarray

    __repr__ = short_repr


def vocabulary(
    corpus: TaggedCorpus, words: np.ndarray, *, min_count: int, tag: str | None
) -> Vocabulary:
    """Word forms of some words of a corpus, by their numbers; at most :data:`MOST_WORDS`."""
    flat = corpus.words()
    lower = list(map(str.lower, map(flat.__getitem__, words.tolist())))
    number = {form: place for place, form in enumerate(dict.fromkeys(lower))}
    ids = np.fromiter(map(number.__getitem__, lower), dtype=int, count=len(lower))
    counts = np.bincount(ids, minlength=len(number))
    frequent = np.argsort(-counts, kind="stable")[:MOST_WORDS]
    frequent = frequent[counts[frequent] >= min_count]
    place = np.full(len(number), len(frequent))
    place[frequent] = np.arange(len(frequent))
    ids = place[ids]
    forms = list(number)
    return Vocabulary(
        tuple(forms[each] for each in frequent.tolist()),
        counts[frequent],
        () if tag is None else _labels(corpus.labels(tag)[words].tolist(), ids, len(frequent)),
        ids,
    )


def _labels(of_rows: Sequence[str], ids: np.ndarray, n_forms: int) -> tuple[str, ...]:
    """The label that each form has most, of those tied the first in the alphabet."""
    names = sorted(set(of_rows), key=lambda label: (label == UNLABELLED, label))
    number = {label: place for place, label in enumerate(names)}
    labels = np.fromiter(map(number.__getitem__, of_rows), dtype=int, count=len(of_rows))
    counts = np.bincount(ids * len(names) + labels, minlength=(n_forms + 1) * len(names))
    counts = counts.reshape(n_forms + 1, len(names))[:n_forms]
    if UNLABELLED in number and len(names) > 1:
        # No label is shown of a form only where it never has one.
        counts[:, -1] = ~counts[:, :-1].any(axis=1)
    return tuple(names[label] for label in counts.argmax(axis=1).tolist())


@dataclass(frozen=True)
class TopWords:
    """The words with the largest (smallest) mean activations of each neuron of a layer.

    Attributes
    ----------
    forms : (n_neurons, n_words) int array
        Numbers in the vocabulary, -1 where there are fewer.
    means, lows, highs : (n_neurons, n_words) float64 arrays
        Means over the occurrences, and their 95 % intervals; NaN where there are fewer.
    """

    forms: np.ndarray
    means: np.ndarray
    lows: np.ndarray
    highs: np.ndarray

    __repr__ = short_repr


class WordMeans:
    """Sums over the occurrences of each word form, for the neurons of a layer.

    Memory: two float64 for each form and neuron.

    Parameters
    ----------
    n_neurons : int
    counts : (n_forms,) int array
        Occurrences of each form.
    """

    def __init__(self, n_neurons: int, counts: np.ndarray):
        self._counts = counts[:, None]
        # Sums beside sums of squares, of which the last form has those of all others.
        self._sums = torch.zeros(len(counts) + 1, 2, n_neurons, dtype=torch.float64)
        self._parts = torch.empty(SMALL_ROWS, 2, n_neurons, dtype=torch.float64)

    def add(self, block: np.ndarray, ids: np.ndarray) -> None:
        """Add rows, (n_rows, n_neurons), of forms by their numbers, ``n_forms`` for others."""
        parts = (torch.from_numpy(each).split(SMALL_ROWS) for each in (block, ids))
        for rows, number in zip(*parts, strict=True):
            values = self._parts[: len(rows)]
            values[:, 0] = rows
            torch.square(values[:, 0], out=values[:, 1])
            self._sums.index_add_(0, number, values)

    def intervals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean of each form and the ends of its 95 % interval, (n_forms, n_neurons) each.

        That of Student's t over the occurrences.
        """
        n = self._counts
        sums, squares = self._sums[:-1, 0].numpy(), self._sums[:-1, 1].numpy()
        means = sums / n
        # One array, since each has as many numbers as there are forms and neurons.
        half = means**2
        half *= n
        np.subtract(squares, half, out=half)
        np.maximum(half, 0, out=half)
        half /= n * np.maximum(n - 1, 1)
        np.sqrt(half, out=half)
        half *= np.asarray(student.ppf(0.975, np.maximum(n - 1, 1)))
        return means, means - half, np.add(half, means, out=half)


def top_words(
    means: np.ndarray, lows: np.ndarray, highs: np.ndarray, n_words: int
) -> tuple[tuple[TopWords, TopWords], np.ndarray]:
    """The words that neurons like, at both signs, and those that too many of them do.

    A word is as high as the lower end of its interval, or as low as the upper end, so that rare
    words have to be far out. Words that are among the ``n_words`` of more than a tenth of the
    neurons, at either sign, are common: they are left out, and the next take their places, unless
    their mean is twice as far from those of other words as it is in half of the neurons.

    Parameters
    ----------
    means, lows, highs : (n_forms, n_neurons) arrays
    n_words : int
        For each neuron and sign.

    Returns
    -------
    (highest, lowest) : TopWords each
    common : (n_common,) int array
        Numbers of the common words.
    """
    n_forms, n_neurons = means.shape
    # Enough to take the places of common words.
    first = [_first(bound, SPARE * n_words) for bound in (lows, -highs)]
    counted = sum(np.bincount(own[:n_words].ravel(), minlength=n_forms) for own in first)
    # Of few forms each is among the first of many neurons by chance.
    expected = 2 * n_words * n_neurons / max(n_forms, 1)
    is_common = np.asarray(counted) > max(COMMON * n_neurons, 3 * expected, 3)
    is_left_out = np.zeros(means.shape, bool)
    if is_common.any():
        distance = _distance(means, is_common)
        typical = np.median(distance, axis=1, keepdims=True)
        is_left_out[is_common] = distance < EXCEPTIONAL * typical
    found = []
    for own in first:
        order = np.argsort(np.take_along_axis(is_left_out, own, 0), axis=0, kind="stable")[:n_words]
        forms = np.take_along_axis(own, order, 0)
        is_left = ~np.take_along_axis(is_left_out, forms, 0).T
        parts = (np.take_along_axis(each, forms, 0).T for each in (means, lows, highs))
        found.append(
            TopWords(np.where(is_left, forms.T, -1), *(np.where(is_left, p, np.nan) for p in parts))
        )
    return (found[0], found[1]), np.flatnonzero(is_common)


def _distance(means: np.ndarray, forms: np.ndarray) -> np.ndarray:
    """How far the means of some words are from the median of a neuron, in robust deviations."""
    distance = np.abs(means - np.median(means, axis=0))
    scale = np.median(distance, axis=0)
    # Of a neuron that is the same at most words.
    is_still = scale == 0
    scale[is_still] = means[:, is_still].std(0)
    distance = distance[forms]
    return np.divide(distance, scale, out=np.zeros_like(distance), where=scale > 0)


def _first(values: np.ndarray, count: int) -> np.ndarray:
    """Rows of the ``count`` largest values of each column, (count, n_columns), largest first."""
    of_columns = np.negative(values.T, order="C")
    count = min(count, of_columns.shape[1])
    if count < of_columns.shape[1]:
        rows = np.sort(np.argpartition(of_columns, count, axis=1)[:, :count], axis=1)
    else:
        rows = np.broadcast_to(np.arange(count), of_columns.shape)
    order = np.argsort(np.take_along_axis(of_columns, rows, 1), axis=1, kind="stable")
    return np.take_along_axis(rows, order, 1).T
