"""Mutual information between every neuron and the label."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_selection import mutual_info_classif

from neurox_lite.activations.access import finite_blocks, take_rows
from neurox_lite.activations.inputs import sample_rows, validate_inputs
from neurox_lite.activations.moments import moments
from neurox_lite.arguments import whole_number
from neurox_lite.errors import InputError
from neurox_lite.progress import tqdm
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed


def mutual_information(
    X: Any, y: Any = None, *, n_rows: int = 5000, seed: int = 0
) -> NeuronRanking:
    """Rank neurons by the mutual information of one neuron and the label, in bits.

    scikit-learn's ``mutual_info_classif``, an estimate from nearest neighbours (Ross 2014), which
    sees any dependence of a single neuron, also one that is not linear. It is slow, hence a sample
    of the rows. Reads ``X`` twice. Memory: the sample.

    Parameters
    ----------
    X, y
        As for :func:`~neurox_lite.ranking.probeless`.
    n_rows : int
        Size of the sample, drawn without replacement, with the same share of every class.
    seed : int
        Of the sample, and of the noise by which scikit-learn parts equal activations.

    Raises
    ------
    InputError
        As :func:`~neurox_lite.ranking.probeless`, or when ``n_rows`` is less than 10, or fewer than
        two classes have two words in the sample.
    """
    n_rows, seed = whole_number(n_rows, "n_rows", least=10), validate_seed(seed)
    data = validate_inputs(X, y)
    rows = sample_rows(data.ids, n_rows, seed)
    if np.sum(np.bincount(data.ids[rows]) > 1) < 2:
        raise InputError(
            f"fewer than two classes have two words in a sample of {len(rows)}; raise n_rows, or "
            "leave rare classes out"
        )
    is_constant = moments(data.X).is_constant
    sample = np.concatenate(
        [block for _, block in finite_blocks(take_rows(data.X, rows), data.space)]
    ).astype(np.float64)
    ids = data.ids[rows]

    scores = np.empty(sample.shape[1])
    # One at a time, so that the noise does not depend on the other columns; and not in threads,
    # which gain nothing, and in which scikit-learn mixes up the process's filters of warnings.
    progress = tqdm(sample.T, desc="mutual information", unit="neuron", disable=None, delay=2)
    for column, activations in enumerate(progress):
        nats = mutual_info_classif(activations[:, None], ids, random_state=seed % 2**32)[0]
        scores[column] = nats / np.log(2)
    scores[is_constant] = np.nan
    return NeuronRanking.from_scores(
        data.space,
        scores,
        "mutual-information",
        provenance=data.provenance,
        parameters={"n_rows": len(rows), "seed": seed},
    )
