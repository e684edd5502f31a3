"""A ranking without repeats: the best neuron of every cluster first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurox_lite.arguments import expect
from neurox_lite.correlation.clusters import NeuronClusters
from neurox_lite.results.ranking import NeuronRanking


def one_per_cluster(ranking: NeuronRanking, clusters: NeuronClusters) -> NeuronRanking:
    """Put the best-ranked neuron of every cluster first, then all others (Dalvi et al. 2020).

    Both parts are in the order of the ranking. Scores stay as they are, so they fall within each
    part only.

    Raises
    ------
    InputError
        When the clusters are of other neurons.
    """
    expect(ranking, NeuronRanking, "ranking", "a NeuronRanking")
    expect(
        clusters,
        NeuronClusters,
        "clusters",
        "NeuronClusters, from correlation_clusters(X)",
    )
    first = clusters.representatives(ranking)
    rest = ranking.order[~np.isin(ranking.order, first)]
    return replace(
        ranking,
        order=np.concatenate([first, rest]),
        method=f"{ranking.method}, one per cluster",
        parameters={**ranking.parameters, "cluster_threshold": clusters.threshold},
    )
