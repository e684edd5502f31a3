"""The differentiable mask as a ranker: the neurons a probe's predictions rest on."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.access import load, require_finite, take_rows
from neurox_lite.activations.inputs import sample_rows, validate_inputs
from neurox_lite.arguments import whole_number
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.linear import require_fitted
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed

BATCH_SIZE = 256


def differentiable_mask(
    probe: ElasticNetProbe,
    X: Any,
    y: Any = None,
    *,
    objective: str = "sufficiency",
    n_rows: int = 5000,
    seed: int = 0,
    units: NeuronSpace | None = None,
) -> NeuronRanking:
    """Rank neurons by a mask over a probe (De Cao et al. 2022, with the probe as the model).

    Fewest neurons that keep the probe's predictions while all others are replaced by learned
    values; or, to flip them, fewest that need replacing. Asked for more and more of the effect,
    neurons enter the mask, the most important first: see
    :func:`neurox_lite.masking.path.mask_path`.

    Parameters
    ----------
    probe : ElasticNetProbe
        Fitted.
    X, y : (n, n_neurons) and (n,) array-likes, or LabelledActivations
        As for :func:`~neurox_lite.ranking.probeless`. Of the labels the sample has the same share
        each; the mask is about predictions.
    objective : {"sufficiency", "flip"}
    n_rows : int
        Size of the sample of words, which is loaded into memory.
    seed : int
        Of the sample, and of the gates.
    units : NeuronSpace, optional
        Groups of the neurons, such as heads, to rank instead: with one gate for each.

    Returns
    -------
    NeuronRanking
        Neurons that were constant when the probe was fitted have score NaN and come last.

    Raises
    ------
    InputError
        When shapes differ, the probe was fitted on other neurons or lacks a class, the objective is
        unknown, ``n_rows`` is below 1, or an activation is NaN or infinite.
    """
    # Masks come with models, and these with transformers: no other ranker needs to load it.
    from neurox_lite.masking.effects import ReadoutEffect
    from neurox_lite.masking.path import mask_path

    require_fitted(probe, ElasticNetProbe)
    seed, n_rows = validate_seed(seed), whole_number(n_rows, "n_rows", least=1)
    data = validate_inputs(X, y)
    probe.check_neurons(data)
    probe.check_classes(data)
    rows = sample_rows(data.ids, n_rows, seed)
    chosen = take_rows(data.X, rows)
    require_finite(chosen, data.space)
    weights, intercept = probe.raw_weights()
    # Without a weight a neuron cannot matter. The others stand by weight, so that the noise of a
    # gate does not depend on its neuron's column.
    largest = np.abs(probe.coef_).max(0)
    used = np.argsort(-largest, kind="stable")[: np.count_nonzero(largest)]
    effect = ReadoutEffect(weights[used], intercept, load(chosen)[:, used], objective=objective)
    space = probe.space_
    places = used
    if units is not None:
        space = space.with_groups_of(units)
        numbers = space.expand(np.arange(space.n_neurons))[used]
        effect.space = effect.space.grouped(numbers)
        _, first = np.unique(numbers, return_index=True)
        places = numbers[np.sort(first)]
    found = mask_path(effect, batch_size=BATCH_SIZE, seed=seed)
    scores = np.zeros(space.n_neurons)
    scores[places] = found.scores
    scores[~space.any_member(~probe.constant_)] = np.nan
    return NeuronRanking.from_scores(
        space,
        scores,
        "differentiable-mask",
        provenance=data.provenance,
        parameters={**found.parameters, "n_rows": len(rows)},
    )
