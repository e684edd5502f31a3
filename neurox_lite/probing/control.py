"""Control tasks: would the probe do as well if the labels meant nothing? (Hewitt & Liang 2019)"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def control_labels(words: Sequence[str], task_labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Give every word type one random label, drawn from the distribution of ``task_labels``.

    A probe can only learn such labels by memorising word types, so accuracy on the task minus
    accuracy on the control tells how much of it is not memory.

    Parameters
    ----------
    words : sequence of str
        Length n; equal strings are one type.
    task_labels : (m,) array
        The task's labels, usually those of the training words.
    seed : int

    Returns
    -------
    (n,) array
        Control labels; which type gets which does not depend on the order of the words.
    """
    labels, counts = np.unique(task_labels, return_counts=True)
    types, type_of_word = np.unique(np.asarray(words, dtype=str), return_inverse=True)
    drawn = np.random.default_rng(seed).choice(labels, len(types), p=counts / counts.sum())
    return drawn[type_of_word]
