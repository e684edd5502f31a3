"""Average precision of every neuron as a detector of every class."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import numpy as np

from neurox_lite.activations.access import column_blocks
from neurox_lite.activations.inputs import validate_inputs
from neurox_lite.activations.moments import moments
from neurox_lite.progress import tqdm
from neurox_lite.ranking.class_scores import rank_by_class_scores
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.threads import thread_map


def average_precision(X: Any, y: Any = None) -> NeuronRanking:
    """Rank neurons by the area under their precision-recall curve for a class.

    With AP scikit-learn's ``average_precision_score`` of a neuron's activations for class z, or of
    their negatives where that is larger, its score for z is ``(AP - p_z) / (1 - p_z)``: a neuron
    that knows nothing has an AP of about ``p_z``, the share of z. Below that the score is 0. The
    score of a neuron is the largest of any class.

    Sorts every neuron's activations: slower than the methods that need one pass. Memory: 128 MB of
    columns and their sorted copies; of a store, a layer is read once for each of its blocks.
    Parameters and errors as for :func:`~neurox_lite.ranking.probeless`.
    """
    data = validate_inputs(X, y)
    n_classes, n_neurons = len(data.classes), data.space.n_neurons
    ids = data.ids.astype(np.min_scalar_type(n_classes))
    class_scores = np.empty((n_classes, n_neurons))
    is_constant = np.empty(n_neurons, dtype=bool)
    progress = tqdm(total=n_neurons, desc="average precision", unit="neuron", disable=None, delay=2)
    with thread_map(os.cpu_count() or 1) as run, progress:
        for first, block in column_blocks(data.X, data.space):
            found = run(partial(_of_neuron, ids=ids, n_classes=n_classes), block.T)
            for column, scores in enumerate(found, start=first):
                class_scores[:, column] = scores
                progress.update()
            is_constant[first : first + block.shape[1]] = moments(block).is_constant
    share = np.bincount(data.ids)[:, None] / len(data.ids)
    class_scores = ((class_scores - share) / (1 - share)).clip(min=0)
    return rank_by_class_scores("average-precision", data, class_scores, is_constant)


def _of_neuron(activations: np.ndarray, ids: np.ndarray, n_classes: int) -> np.ndarray:
    """The larger of the two average precisions per class, (n_classes,), of one neuron (n,)."""
    order = np.argsort(activations, kind="stable")
    ordered = activations[order]
    # Words with equal activations are detected together.
    group = np.concatenate(([0], np.cumsum(ordered[1:] != ordered[:-1])))
    ascending = _precisions(ids[order], group, n_classes)
    descending = _precisions(ids[order[::-1]], group[-1] - group[::-1], n_classes)
    return np.maximum(ascending, descending)


def _precisions(ids: np.ndarray, group: np.ndarray, n_classes: int) -> np.ndarray:
    """Average precision of each class for words in order of detection.

    Their classes are ``ids``; words of a group, whose numbers ascend, are detected at once.
    """
    detected = np.cumsum(np.bincount(group))
    by_class = np.argsort(ids, kind="stable")
    groups, classes = group[by_class], ids[by_class]
    counts = np.bincount(ids, minlength=n_classes)
    # For each word, the words of its class detected with it or before.
    first = np.concatenate(([0], np.cumsum(counts)))[:-1]
    hits = np.arange(1, len(ids) + 1) - np.repeat(first, counts)
    is_last = np.append((groups[1:] != groups[:-1]) | (classes[1:] != classes[:-1]), True)
    ends = np.flatnonzero(is_last)
    hits = hits[ends[np.searchsorted(ends, np.arange(len(ids)))]]
    return np.bincount(classes, hits / detected[groups], n_classes) / counts
