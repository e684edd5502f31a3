"""Activations of the words around an example, each in a byte."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from neurox_lite.descriptions.corpus_rows import CorpusRows

RADIUS = 15
"""Words before and after the word of an example whose activations are kept."""

LARGEST, UNKNOWN = 127, -128
"""Levels: of the activation furthest from the median, and of no word or none with activation."""

AT_ONCE = 16_384
"""Examples that are worked on."""


def scales_of(
    medians: np.ndarray, smallest: np.ndarray, largest: np.ndarray, is_dead: np.ndarray
) -> np.ndarray:
    """How much of an activation one level is, (n_neurons,) float64; 0 for a dead neuron."""
    furthest = np.maximum(largest - medians, medians - smallest)
    return np.where(is_dead, 0.0, furthest / LARGEST)


def example_levels(
    rows: CorpusRows,
    blocks: Iterable[tuple[slice, np.ndarray]],
    examples: np.ndarray,
    medians: np.ndarray,
    scales: np.ndarray,
) -> np.ndarray:
    """``(activation - median) / scale`` around each example, rounded.

    Parameters
    ----------
    rows : CorpusRows
    blocks : iterable of (slice, (n_rows, n_neurons) float array)
        Whole sentences of a layer, by their places, in order.
    examples : (n_neurons, 2, n_examples) int array
        Rows of the words, -1 for none.
    medians, scales : (n_neurons,) float64 arrays

    Returns
    -------
    (n_neurons, 2, n_examples, 2 RADIUS + 1) int8 array
        :data:`UNKNOWN` where the sentence has no word, or the word no activation.
    """
    levels = np.full((*examples.shape, 2 * RADIUS + 1), UNKNOWN, np.int8)
    flat, of_each = levels.reshape(-1, levels.shape[-1]), examples[0].size
    order = np.argsort(examples, axis=None, kind="stable")
    in_order = examples.ravel()[order]
    for span, block in blocks:
        first, last = np.searchsorted(in_order, rows.starts[[span.start, span.stop]])
        for start in range(first, last, AT_ONCE):
            taken = slice(start, min(start + AT_ONCE, last))
            near = rows.around(in_order[taken], RADIUS)
            is_known, neurons = near >= 0, order[taken, None] // of_each
            within = np.where(is_known, near - rows.starts[span.start], 0)
            distance = block[within, neurons] - medians[neurons]
            scale = scales[neurons]
            found = np.divide(distance, scale, out=np.zeros_like(distance), where=scale > 0)
            found = np.rint(found).clip(-LARGEST, LARGEST)
            flat[order[taken]] = np.where(is_known, found, UNKNOWN)
    return levels


def activations_of(
    levels: np.ndarray, median: float, scale: float, place: int, n_words: int
) -> tuple[float | None, ...]:
    """Of the words of a sentence, from the levels around one of them; None where not known."""
    # As many decimals as tell a tenth of a level.
    decimals = int(1 - np.floor(np.log10(scale))) if scale > 0 else 0
    known: Mapping[int, float] = {
        place - RADIUS + offset: round(median + level * scale, decimals)
        for offset, level in enumerate(levels.tolist())
        if level != UNKNOWN
    }
    return tuple(known.get(number) for number in range(n_words))
