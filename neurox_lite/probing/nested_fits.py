"""Samples of sentences that grow, and a probe of each.

The words of a sentence are not independent of each other, so it is drawn whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.base import clone

from neurox_lite.activations.access import require_finite
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.probing.probe import ElasticNetProbe


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


def fit_growing(
    probe: ElasticNetProbe, train: LabelledActivations, samples: Sequence[np.ndarray]
) -> Iterator[ElasticNetProbe | None]:
    """Fit a clone of the probe on each sample; None for a sample of one class only.

    Each fit starts from the one before where their classes agree, and that of all rows from the
    probe itself if it is fitted, which changes their time and not their result. A sample of an
    array is copied; one of a store stays on disk.

    Parameters
    ----------
    probe : ElasticNetProbe
        Need not be fitted.
    train : LabelledActivations
    samples : sequence of int arrays
        Positions of the rows, ascending.
    """
    require_finite(train.X)
    last: ElasticNetProbe | None = None
    for sample in samples:
        some = train.take(sample)
        classes = np.unique(some.y)
        if len(classes) == 1:
            yield None
            continue
        start = probe if len(sample) == len(train) and _can_start(probe, train) else last
        agrees = start is not None and np.array_equal(start.classes_, classes)
        last = clone(probe).fit(some, start=start if agrees else None)
        yield last


def _can_start(probe: ElasticNetProbe, train: LabelledActivations) -> bool:
    return hasattr(probe, "coef_") and probe.coef_.shape[1] == train.X.shape[1]
