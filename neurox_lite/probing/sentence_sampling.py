"""Sentences as the units that are drawn: the words of one are not independent of each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def nested_samples(sentences: np.ndarray, shares: Sequence[float], seed: int) -> list[np.ndarray]:
    """Growing samples of whole sentences, each within the next.

    Sentences are shuffled once. A sample is as many of the first as hold at least the share of the
    rows, so it has at least one sentence.

    Parameters
    ----------
    sentences : (n_rows,) int array
        Number of each row's sentence.
    shares : sequence of float
        Shares of the rows, ascending, above 0 and up to 1.
    seed : int

    Returns
    -------
    list of int arrays
        Per share, the positions of its rows, ascending.
    """
    numbers = np.unique(sentences, return_inverse=True)[1]
    sizes = np.bincount(numbers)
    order = np.random.default_rng(seed).permutation(len(sizes))
    place = np.argsort(order)[numbers]
    ends = np.cumsum(sizes[order])
    # 0.07 * 100 is a little above 7.
    last = [np.searchsorted(ends, share * len(numbers) - 1e-6) for share in shares]
    return [np.flatnonzero(place <= end) for end in last]
