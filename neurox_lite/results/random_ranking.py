"""The ranking that knows nothing, which every other has to beat."""

from __future__ import annotations

import numpy as np

from neurox_lite.arguments import expect, shown
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed


def random_ranking(
    space: NeuronSpace, seed: int = 0, *, constant: np.ndarray | None = None
) -> NeuronRanking:
    """A uniformly random order of all neurons; scores fall linearly from 1 to 0.

    Parameters
    ----------
    space : NeuronSpace
    seed : int
    constant : (n_neurons,) bool array, optional
        Neurons to put last with score NaN, as every method does with those that are constant.
    """
    expect(space, NeuronSpace, "space", "a NeuronSpace, such as store.space")
    seed = validate_seed(seed)
    order = np.random.default_rng(seed).permutation(space.n_neurons)
    scores = np.empty(space.n_neurons)
    scores[order] = np.linspace(1, 0, space.n_neurons)
    if constant is not None:
        constant = np.asarray(constant)
        if constant.dtype != bool or constant.shape != scores.shape:
            raise InputError(
                f"constant is {shown(constant)}; give a bool for each of {len(scores)} neurons"
            )
        scores[constant] = np.nan
    return NeuronRanking.from_scores(space, scores, "random", parameters={"seed": seed})
