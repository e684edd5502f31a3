"""What the neurons of one or several models have in common, from streamed second moments."""

from neurox_lite.correlation.clusters import correlation_clusters
from neurox_lite.correlation.similarity import layer_similarity
from neurox_lite.correlation.twins import twins

__all__ = [
    "correlation_clusters",
    "layer_similarity",
    "twins",
]
