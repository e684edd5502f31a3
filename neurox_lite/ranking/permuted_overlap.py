"""How much of the agreement of two rankers is due to the labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from neurox_lite.activations.inputs import validate_inputs
from neurox_lite.arguments import expect_function, whole_number
from neurox_lite.progress import tqdm
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.top_overlap import SHUFFLED, TopOverlap
from neurox_lite.seeds import validate_seed


def permuted_overlap(
    first: Callable[..., NeuronRanking],
    second: Callable[..., NeuronRanking],
    X: Any,
    y: Any = None,
    *,
    k: int,
    n_permutations: int = 99,
    seed: int = 0,
) -> TopOverlap:
    """Overlap of the top k of two rankers, beside that on shuffled labels.

    Rankers of the same data agree on its accidents, also where there is nothing to find. Here both
    rank again with every shuffle of the labels, the same for both. With m of n shuffles as large an
    overlap or larger, p is ``(m + 1) / (n + 1)`` (Phipson & Smyth 2010), 0.01 at the least with 99.
    The labels of all words are shuffled alike, so that neither words nor sentences keep theirs.

    Parameters
    ----------
    first, second : functions
        Of rows and labels, ``rank(X, y)``, such as :func:`neurox_lite.ranking.probeless`.
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
    k : int
    n_permutations : int
        Each takes two rankings.
    seed : int

    Returns
    -------
    TopOverlap
        ``chance`` says what it is beside.

    Raises
    ------
    InputError
        When a number is out of range, or as the rankers.
    """
    for rank, name in ((first, "first"), (second, "second")):
        expect_function(rank, name, "a function of activations and labels, as probeless")
    data = validate_inputs(X, y)
    n_permutations = whole_number(n_permutations, "n_permutations", least=1)
    found = first(data.X, data.y).compare(second(data.X, data.y), k)
    rng = np.random.default_rng(validate_seed(seed))
    sizes = np.empty(n_permutations)
    for number in tqdm(range(n_permutations), desc="shuffle", disable=None, delay=2):
        shuffled = data.y[rng.permutation(len(data))]
        both = first(data.X, shuffled).compare(second(data.X, shuffled), k).both
        sizes[number] = len(both)
    size = len(found.both)
    return replace(
        found,
        expected=float(sizes.mean()),
        p_at_least=float((np.sum(sizes >= size) + 1) / (n_permutations + 1)),
        p_at_most=float((np.sum(sizes <= size) + 1) / (n_permutations + 1)),
        chance=SHUFFLED,
    )
