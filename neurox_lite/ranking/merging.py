"""One ranking over all layers, from rankings of separate layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.ranking import NeuronRanking, as_rankings


def merge_layers(rankings: Sequence[NeuronRanking]) -> NeuronRanking:
    """Rank the neurons of several rankings together, by their scores.

    This compares scores between layers, which is for the caller to justify: correlations are on
    one scale in every layer, and so are differences of standardised activations. Weights of
    separate probes are shares within their layer and say nothing about which layer matters more.

    Parameters
    ----------
    rankings : sequence of NeuronRanking
        Of different layers of one model at one site, by one method.

    Returns
    -------
    NeuronRanking
        Layers stand in the order given; ties go by column. It has scores per class when all have
        them for the same classes, parameters that all share, and the provenance of each in
        ``provenance["merged"]``.

    Raises
    ------
    InputError
        When there are no rankings, a layer comes twice, methods, models or sites differ, or scores
        do not fall in the order of a ranking, as those of a greedy method.
    """
    rankings = as_rankings(rankings)
    first = rankings[0]
    for other in rankings:
        if other.method != first.method:
            raise InputError(
                f"'{first.method}' and '{other.method}' have scores on different scales; "
                "merge rankings of one method"
            )
        if _origin(other.space) != _origin(first.space):
            raise InputError(
                f"layers of {_origin(first.space)} and of {_origin(other.space)} "
                "cannot be merged; give layers of one model at one site"
            )
        if np.any(np.diff(other.scores[other.order]) > 0):
            raise InputError(
                f"'{other.method}' does not order neurons by their scores, which a merged ranking "
                "would; rank all layers at once"
            )
    same_classes = all(ranking.classes == first.classes for ranking in rankings)
    per_class = [ranking.class_scores for ranking in rankings if ranking.class_scores is not None]
    joined = same_classes and len(per_class) == len(rankings)
    return NeuronRanking.from_scores(
        _joined_space([ranking.space for ranking in rankings]),
        np.concatenate([ranking.scores for ranking in rankings]),
        first.method,
        classes=first.classes if joined else (),
        class_scores=np.concatenate(per_class, axis=1) if joined else None,
        parameters=_shared([ranking.parameters for ranking in rankings]),
        provenance={"merged": [dict(ranking.provenance) for ranking in rankings]},
    )


def _origin(space: NeuronSpace) -> str:
    revision = f" ({space.revision})" if space.revision else ""
    return f"{space.model}{revision} at {space.site}"


def _shared(parameters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What all parameters say alike."""
    first, *others = parameters
    return {
        name: value
        for name, value in first.items()
        if all(name in other and other[name] == value for other in others)
    }


def _joined_space(spaces: Sequence[NeuronSpace]) -> NeuronSpace:
    layers = [layer for space in spaces for layer in space.layers]
    for layer in layers:
        if layers.count(layer) > 1:
            raise InputError(f"layer {layer} is in two rankings; give each layer once")
    widths = [width for space in spaces for width in space.widths]
    first = spaces[0]
    return NeuronSpace(first.model, first.site, tuple(layers), tuple(widths), first.revision)
