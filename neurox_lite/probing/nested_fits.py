"""A probe on samples that grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.base import clone

from neurox_lite.activations.access import require_finite
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.probing.probe import ElasticNetProbe


def fit_growing(
    probe: ElasticNetProbe, train: LabelledActivations, samples: Sequence[np.ndarray]
) -> Iterator[ElasticNetProbe | None]:
    """Fit a clone of the probe on each sample; None for a sample of one class only.

    Each fit starts from the one before where their classes agree, which changes its time and not
    its result. A sample of an array is copied; one of a store stays on disk.

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
        agrees = last is not None and np.array_equal(last.classes_, classes)
        last = clone(probe).fit(some.X, some.y, start=last if agrees else None)
        yield last
