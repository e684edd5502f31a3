"""The bootstrap over sentences: how far would accuracy be off on other sentences?"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.probing.sentences import sentence_numbers
from neurox_lite.results import Interval


def accuracy_interval(
    right: np.ndarray,
    groups: Any,
    *,
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Percentile interval of an accuracy over resamples of the sentences.

    Efron & Tibshirani 1993. Words of a sentence are right or wrong together, so that
    resampling words would give too narrow an interval. From a few dozen sentences on the interval
    covers about what it says; of one sentence, or where all words are right, it is a point.

    Parameters
    ----------
    right : (n,) bool array
        Whether each word is predicted right.
    groups : (n,) array-like
        Number of each word's sentence, such as ``LabelledActivations.sentences``.
    n_resamples : int
    level : float
        How often the interval is to hold the accuracy on all sentences there could be.
    seed : int

    Raises
    ------
    InputError
        When there are no words, not one group per word, or an option is out of range.
    """
    right = np.asarray(right, dtype=bool)
    check_resampling(n_resamples, level)
    sentences = sentence_numbers(groups, len(right))
    n_words, n_right = np.bincount(sentences), np.bincount(sentences, right)
    rng = np.random.default_rng(seed)
    values = np.empty(n_resamples)
    for number in range(n_resamples):
        drawn = rng.integers(len(n_words), size=len(n_words))
        values[number] = n_right[drawn].sum() / n_words[drawn].sum()
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(right.mean()), float(low), float(high))


def check_resampling(n_resamples: int, level: float) -> None:
    """Raise InputError unless there is a resample and the level is a probability."""
    if n_resamples < 1:
        raise InputError(f"n_resamples is {n_resamples}; give at least 1")
    if not 0 < level < 1:
        raise InputError(f"level is {level}; give a number between 0 and 1, such as 0.95")
