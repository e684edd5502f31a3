"""How the activations of neurons are distributed, on a uniform sample of sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurox_lite.descriptions.top_sentences import first_extreme, sentence_extremes
from neurox_lite.showing import short_repr

N_BINS, N_QUANTILES = 40, 10
SPARSE = 0.1
"""A neuron of a sparseness below this is sparse; of Gaussian activations it is 0.64."""

EXPLAINED = 0.5
"""From which share of its variance on a neuron is one of positions, or of single words."""

LAST_POSITION = 49
"""Words further on count as one position."""

ALIKE = 1e-6
"""Activations of a constant neuron differ by less than this share of them, whatever the rounding.
"""

AT_ONCE = 64
"""Neurons that are worked on, since float64 copies of a sample are large."""

DEAD, POSITIONAL, WORD_IDENTITY = "dead", "positional", "word identity"
CATEGORIES = (DEAD, POSITIONAL, WORD_IDENTITY, "sparse", "dense")


@dataclass(frozen=True)
class Distribution:
    """Of the neurons of one layer.

    Attributes
    ----------
    histogram : (n_neurons, n_bins) int array
        Words of the sample in bins of equal width from the smallest activation to the largest.
    medians : (n_neurons,) float64 array
    sparseness : (n_neurons,) float64 array
        ``a = (E r)^2 / E r^2`` of Treves & Rolls (1991), with r the distance from the median: the
        share of the words on which a neuron is active, if it is equally so on these and rests on
        others. It is small of a sparse neuron.
    of_position, of_word : (n_neurons,) float64 arrays
        Shares of the variance that the position in the sentence explains, and the word form: the
        unbiased estimate omega squared (Hays 1963), which is 0 for what chance explains.
    categories : (n_neurons,) int array
        Numbers in :data:`CATEGORIES`.
    quantile_values : (n_quantiles, 2, n_neurons) float64 array
        The largest activation of sentences, and the smallest, at the middle of ten quantiles of
        them, the highest (lowest) first.
    quantile_rows : (n_quantiles, 2, n_neurons) int array
        Rows of the words of the sample at which they are.
    """

    histogram: np.ndarray
    medians: np.ndarray
    sparseness: np.ndarray
    of_position: np.ndarray
    of_word: np.ndarray
    categories: np.ndarray
    quantile_values: np.ndarray
    quantile_rows: np.ndarray

    __repr__ = short_repr


def distribution(
    sample: np.ndarray,
    starts: np.ndarray,
    ids: np.ndarray,
    smallest: np.ndarray,
    largest: np.ndarray,
) -> Distribution:
    """Of a sample of sentences.

    Parameters
    ----------
    sample : (n_rows, n_neurons) float array
    starts : (n_sentences + 1,) int array
        First row of each sentence, and the number of rows.
    ids : (n_rows,) int array
        Numbers of word forms.
    smallest, largest : (n_neurons,) arrays
        Activations over all words, in the sample or not.
    """
    positions = np.arange(len(sample)) - np.repeat(starts[:-1], np.diff(starts))
    positions = np.minimum(positions, LAST_POSITION)
    parts = []
    for first in range(0, sample.shape[1], AT_ONCE):
        own = slice(first, first + AT_ONCE)
        parts.append(_of_columns(sample[:, own], positions, ids, smallest[own], largest[own]))
    quantiles = [_quantile_examples(sample, starts, sign) for sign in (1, -1)]
    return Distribution(
        *(np.concatenate(each) for each in zip(*parts, strict=True)),
        *(np.stack(each, axis=1) for each in zip(*quantiles, strict=True)),
    )


def _of_columns(
    sample: np.ndarray,
    positions: np.ndarray,
    ids: np.ndarray,
    smallest: np.ndarray,
    largest: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """Of some neurons: histogram, medians, sparseness, shares of the variance, categories."""
    values = sample.astype(np.float64)
    medians = np.median(values, axis=0)
    distance = np.abs(values - medians)
    mean_square = (distance**2).mean(0)
    is_dead = is_constant(smallest, largest)
    sparseness = np.divide(
        distance.mean(0) ** 2, mean_square, out=np.zeros(len(is_dead)), where=mean_square > 0
    )
    of_position = omega_squared(values, positions)
    of_word = omega_squared(values, ids)
    is_of_position = of_position >= np.maximum(EXPLAINED, of_word)
    categories = np.select(
        [is_dead, is_of_position, of_word >= EXPLAINED, sparseness < SPARSE], range(4), 4
    )
    histogram = _histogram(values, smallest, largest)
    return histogram, medians, sparseness, of_position, of_word, categories


def is_constant(smallest: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Whether the activations of neurons, from their smallest to their largest, are alike."""
    return np.asarray(largest - smallest <= ALIKE * np.maximum(np.abs(smallest), np.abs(largest)))


def omega_squared(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Share of the variance of each column between groups of rows, without what chance explains.

    ``(SS_between - (k - 1) MS_within) / (SS_total + MS_within)`` of k groups, at least 0.

    Parameters
    ----------
    values : (n_rows, n_columns) float64 array
    groups : (n_rows,) int array
    """
    _, numbers, counts = np.unique(groups, return_inverse=True, return_counts=True)
    n, k = len(values), len(counts)
    if k < 2 or n <= k:
        return np.zeros(values.shape[1])
    centred = values - values.mean(0)
    order = np.argsort(numbers, kind="stable")
    sums = np.add.reduceat(centred[order], np.cumsum(counts) - counts, axis=0)
    between = (sums**2 / counts[:, None]).sum(0)
    total = (centred**2).sum(0)
    within = np.maximum(total - between, 0) / (n - k)
    share = between - (k - 1) * within
    return np.clip(
        np.divide(share, total + within, out=np.zeros_like(total), where=total > 0), 0, 1
    )


def _histogram(values: np.ndarray, smallest: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Counts in bins of equal width, (n_neurons, n_bins)."""
    width = np.where(largest > smallest, largest - smallest, 1)
    bins = ((values - smallest) * (N_BINS / width)).astype(np.int64).clip(0, N_BINS - 1)
    n_neurons = values.shape[1]
    flat = bins + N_BINS * np.arange(n_neurons)
    return np.bincount(flat.ravel(), minlength=N_BINS * n_neurons).reshape(n_neurons, N_BINS)


def _quantile_examples(
    sample: np.ndarray, starts: np.ndarray, sign: int
) -> tuple[np.ndarray, np.ndarray]:
    """Values and rows at the middle of ten quantiles of sentences, (n_quantiles, n_neurons)."""
    extremes = sentence_extremes(sample, starts, sign)
    order = np.argsort(-sign * extremes, axis=0, kind="stable")
    middles = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES * len(extremes)
    sentences = order[middles.astype(int)]
    values = np.take_along_axis(extremes, sentences, 0).astype(np.float64)
    columns = np.broadcast_to(np.arange(sample.shape[1]), sentences.shape)
    rows = first_extreme(sample, starts, sentences.ravel(), columns.ravel(), sign)
    return values, rows.reshape(sentences.shape)
