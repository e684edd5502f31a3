"""Rankings of neurons that have a score for every class."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.results.ranking import NeuronRanking


def rank_by_class_scores(
    method: str,
    data: LabelledActivations,
    class_scores: np.ndarray,
    is_constant: np.ndarray,
    *,
    scores: np.ndarray | None = None,
    **parameters: Any,
) -> NeuronRanking:
    """Rank neurons by their largest score of any class; constant ones have NaN and come last.

    Parameters
    ----------
    class_scores : (n_classes, n_neurons) array
    is_constant : (n_neurons,) bool array
    scores : (n_neurons,) array, optional
        In place of the largest.
    **parameters
        Of the method.
    """
    scores = class_scores.max(0) if scores is None else scores
    return NeuronRanking.from_scores(
        data.space,
        np.where(is_constant, np.nan, scores),
        method,
        classes=data.class_names,
        class_scores=class_scores,
        provenance=data.provenance,
        parameters=parameters,
    )
