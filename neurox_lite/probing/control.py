"""Control tasks: would the probe do as well if the labels meant nothing? (Hewitt & Liang 2019)"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurox_lite.arguments import strings
from neurox_lite.errors import InputError
from neurox_lite.labels import validate_labels
from neurox_lite.seeds import validate_seed


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

    Raises
    ------
    InputError
        When a word is not a string or a row has no label.
    """
    words, task_labels = strings(words, "words"), validate_labels(task_labels, name="task_labels")
    if not len(task_labels):
        raise InputError("no task labels to draw from; give at least one")
    labels, counts = np.unique(task_labels, return_counts=True)
    types, type_of_word = np.unique(np.asarray(words, dtype=str), return_inverse=True)
    drawn = np.random.default_rng(validate_seed(seed)).choice(
        labels, len(types), p=counts / counts.sum()
    )
    return drawn[type_of_word]
