"""Extra trees grown on a sample of words, of which rankings read what neurons they ask."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import ExtraTreesClassifier

from neurox_lite.activations.access import finite_blocks, space_of, take_rows
from neurox_lite.activations.inputs import LabelledActivations, sample_rows
from neurox_lite.activations.moments import moments
from neurox_lite.errors import InputError
from neurox_lite.showing import short_repr

LEAF_WORDS = 20
"""Smaller leaves learn single words, and their many splits are noise: of 5, 20 and 50 words, leaves
of 20 find most of the planted neurons."""

MIN_WORDS = 2 * LEAF_WORDS
"""Of fewer words no tree can be split."""


@dataclass(frozen=True)
class Forest:
    """Trees, and how activations become what they read.

    Attributes
    ----------
    trees : ExtraTreesClassifier
        Of the classes as numbers. Their features are neurons in the order of ``columns``.
    columns : (n_neurons,) int array
        In an order of their activations: trees draw neurons by number, and what a neuron gets must
        not depend on its place.
    quantiles : (n_neurons, n_sampled) array
        Activations of the sampled words, each neuron's sorted.
    is_constant : (n_neurons,) bool array
    """

    trees: ExtraTreesClassifier
    columns: np.ndarray
    quantiles: np.ndarray
    is_constant: np.ndarray

    __repr__ = short_repr

    @property
    def n_rows(self) -> int:
        return self.quantiles.shape[1]

    def features(self, X: Any) -> np.ndarray:
        """Activations (n, n_neurons) as the trees read them; the same shape, float32."""
        return _ranks(_by_neuron(X), self.quantiles, self.is_constant)[self.columns].T

    def by_neuron(self, importances: np.ndarray) -> np.ndarray:
        """Numbers of the features as scores of neurons, NaN of constant ones; (n_neurons,)."""
        scores = np.empty(len(self.columns))
        scores[self.columns] = importances
        return np.where(self.is_constant, np.nan, scores)


def grow_forest(data: LabelledActivations, n_rows: int, n_trees: int, seed: int) -> Forest:
    """Extremely randomised trees (Geurts et al. 2006) on a sample of the words.

    They read ranks in the place of activations, so that thresholds are drawn from a neuron's
    quantiles, and neither its scale nor its outliers count. The result does not depend on the
    number of threads.
    """
    if len(data) < MIN_WORDS:
        raise InputError(f"{len(data)} words are too few to grow trees; give at least {MIN_WORDS}")
    is_constant = moments(data.X).is_constant
    rows = sample_rows(data.ids, n_rows, seed)
    sample = _by_neuron(take_rows(data.X, rows))
    quantiles = np.sort(sample)
    ranks = _ranks(sample, quantiles, is_constant)
    del sample
    columns = np.array(sorted(range(len(ranks)), key=lambda column: _digest(ranks[column])))
    trees = ExtraTreesClassifier(
        n_trees,
        min_samples_leaf=LEAF_WORDS,
        random_state=seed % 2**32,  # all that scikit-learn takes
        n_jobs=torch.get_num_threads(),
    )
    trees.fit(ranks[columns].T, data.ids[rows])
    return Forest(trees, columns, quantiles, is_constant)


def _by_neuron(X: Any) -> np.ndarray:
    """Activations in memory, (n_neurons, n)."""
    blocks = [np.ascontiguousarray(block.T) for _, block in finite_blocks(X, space_of(X))]
    return np.concatenate(blocks, axis=1)


def _ranks(sample: np.ndarray, quantiles: np.ndarray, is_constant: np.ndarray) -> np.ndarray:
    """How many sampled activations of the neuron are smaller, of equal ones half; 0 if constant."""
    ranks = np.zeros(sample.shape, dtype=np.float32)
    for neuron in np.flatnonzero(~is_constant):
        n_smaller = np.searchsorted(quantiles[neuron], sample[neuron], "left")
        n_not_larger = np.searchsorted(quantiles[neuron], sample[neuron], "right")
        ranks[neuron] = (n_smaller + n_not_larger) / 2
    return ranks


def _digest(ranks: np.ndarray) -> bytes:
    return blake2b(ranks.tobytes()).digest()
