"""One ranking from many: which neurons do the methods agree on?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurox_lite.arguments import whole_number
from neurox_lite.results.ranking import NeuronRanking, require_space


def vote(rankings: Sequence[NeuronRanking], k: int | None = None) -> NeuronRanking:
    """Rank neurons by how many methods have them in their top k, or by their mean rank.

    Neurons that methods of different kinds find are the likelier to matter: the hypothesis of
    Fan et al. 2023, who judge methods by their agreement with the others.

    Parameters
    ----------
    rankings : sequence of NeuronRanking
        Of the same neurons; every one has the same say.
    k : int, optional
        Count the top k of each, without neurons that it does not tell apart at its end. Without k
        the mean rank alone decides (the Borda count).

    Returns
    -------
    NeuronRanking
        "vote". The score is the Borda count, 1 - (mean rank + 1) / n_neurons with the best rank 0,
        which is from 0 to below 1, plus the number of votes; so the mean rank breaks ties of
        votes. In a mean rank, neurons of equal score have equal rank. A neuron that no ranking has
        a score for has none here.

    Raises
    ------
    InputError
        When there are no rankings, they rank different neurons, or k is out of range.
    """
    rankings = require_space(rankings)
    k = None if k is None else whole_number(k, "k")
    space = rankings[0].space
    mean_rank = np.mean([ranking.tied_ranks for ranking in rankings], axis=0)
    scores = 1 - (mean_rank + 1) / space.n_neurons
    if k is not None:
        for ranking in rankings:
            scores[ranking.top_columns(k)] += 1
    scores[np.all([np.isnan(ranking.scores) for ranking in rankings], axis=0)] = np.nan
    methods = sorted(ranking.method for ranking in rankings)
    return NeuronRanking.from_scores(space, scores, "vote", parameters={"k": k, "methods": methods})
