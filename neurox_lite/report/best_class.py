"""The class that a neuron is for, and what the numbers of its classes are."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.probing.linear import LinearProbe
from neurox_lite.results.ranking import NeuronRanking

TIED = 1e-4
"""Relative difference below which two classes are not told apart: that of rounding."""


def weights_of(probe: Any, ranking: NeuronRanking) -> np.ndarray | None:
    """A probe's signed weights (n_classes, n_neurons), if its classes and neurons are a ranking's.

    Of two classes the magnitudes, which are scores, are the same for both: only the sign tells.
    """
    if not isinstance(probe, LinearProbe) or ranking.class_scores is None:
        return None
    classes = getattr(probe, "classes_", np.arange(0)).tolist()
    is_same = probe.space_ == ranking.space and classes == list(ranking.classes)
    same_shape = is_same and probe.coef_.shape == ranking.class_scores.shape
    return probe.coef_ if same_shape else None


def best_class(classes: Any, values: np.ndarray) -> str | None:
    """The class of the largest value (n_classes,); None where it is not above 0, or not alone."""
    known = np.where(np.isnan(values), -np.inf, values)
    if not known.size or known.max() <= 0:
        return None
    if (known >= known.max() * (1 - TIED)).sum() > 1:
        return None
    return class_name(classes[int(known.argmax())])


def class_name(name: Any) -> str:
    """As it is shown, which no text would not be."""
    return str(name) or "(empty)"
