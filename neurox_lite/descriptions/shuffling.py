"""A neuron whose activations stand at other words: what chance gives."""

from __future__ import annotations

import numpy as np


def shuffled_rows(sentences: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Which row each row is given the activation of; every row is given once.

    The sentences come in another order, and each begins at another of its rows: activations of
    neighbours stay together, but neither content nor position is kept.

    Parameters
    ----------
    sentences : (n_rows,) int array
        Number of each row's sentence, from 0 without gaps.
    rng : Generator

    Returns
    -------
    (n_rows,) int array
    """
    lengths = np.bincount(sentences)
    by_sentence = np.argsort(sentences, kind="stable")
    place = np.empty(len(by_sentence), dtype=int)
    place[by_sentence] = np.arange(len(by_sentence)) - np.repeat(
        np.cumsum(lengths) - lengths, lengths
    )
    turned = (place + rng.integers(lengths)[sentences]) % lengths[sentences]
    drawn = np.lexsort((turned, rng.permutation(len(lengths))[sentences]))
    rows = np.empty(len(by_sentence), dtype=int)
    rows[by_sentence] = drawn
    return rows
