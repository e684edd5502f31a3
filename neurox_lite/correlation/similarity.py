"""How similar the layers of two models are."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.arrays import checked_activations, space_of
from neurox_lite.choices import unknown_choice
from neurox_lite.correlation.cca import correlate_components, principal
from neurox_lite.correlation.moments import CrossMoments, cross_moments
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results import LayerSimilarity

MEASURES = ("cka", "svcca")
VARIANCE = 0.99


def layer_similarity(
    X: Any,
    other: Any,
    *,
    space: NeuronSpace | None = None,
    other_space: NeuronSpace | None = None,
    measure: str = "cka",
) -> LayerSimilarity:
    """Compare every layer of one model with every layer of another, in one pass over both.

    ``"cka"`` is linear centred kernel alignment (Kornblith et al. 2019), of centred
    layers A and B::

        ||A'B||^2 / (||A'A|| ||B'B||)      Frobenius norms

    ``"svcca"`` is the mean canonical correlation between the principal components that hold 99 %
    of the variance of each layer (Raghu et al. 2017). Both are between 0 and 1, and the same for
    rotated or scaled layers. Memory: the covariances between all layers and within each.

    Parameters
    ----------
    X, other : (n, n_neurons) arrays, tensors or stores' matrices
        Of the same words.
    space, other_space : NeuronSpace, optional
        The layers of an array; a store's matrix knows its own.
    measure : {"cka", "svcca"}

    Raises
    ------
    InputError
        When the measure is another, the matrices differ in rows or hold NaN or infinity, a space
        does not fit, a layer is constant or, for SVCCA, has as many principal components as words.
    """
    if measure not in MEASURES:
        raise unknown_choice("measure", measure, MEASURES)
    X, other = checked_activations(X), checked_activations(other, "other")
    spaces = space or space_of(X), other_space or space_of(other)
    for matrix, its_space in zip((X, other), spaces, strict=True):
        if its_space.n_neurons != matrix.shape[1]:
            raise InputError(f"{matrix.shape[1]} columns for {its_space.n_neurons} neurons")
    rows, columns = ([each.columns(layer) for layer in each.layers] for each in spaces)
    moments = cross_moments(X, other, rows, columns)
    for its_space, side in zip(spaces, (moments.x, moments.y), strict=True):
        for layer in its_space.layers:
            if not side.deviation[its_space.columns(layer)].any():
                raise InputError(f"layer {layer} of {its_space.model} is constant; leave it out")
    matrix = (_cka if measure == "cka" else _svcca)(moments, rows, columns)
    return LayerSimilarity(
        measure=measure,
        model=spaces[0].model,
        other=spaces[1].model,
        layers=spaces[0].layers,
        other_layers=spaces[1].layers,
        matrix=tuple(map(tuple, matrix.clip(0, 1).tolist())),
    )


def _cka(moments: CrossMoments, rows: list[slice], columns: list[slice]) -> np.ndarray:
    between = [
        [np.linalg.norm(moments.covariance[run, column]) ** 2 for column in columns] for run in rows
    ]
    own = [np.linalg.norm(covariance) for covariance in moments.x.covariances]
    others = [np.linalg.norm(covariance) for covariance in moments.y.covariances]
    return np.array(between) / np.outer(own, others)


def _svcca(moments: CrossMoments, rows: list[slice], columns: list[slice]) -> np.ndarray:
    own = [principal(covariance, VARIANCE) for covariance in moments.x.covariances]
    others = [principal(covariance, VARIANCE) for covariance in moments.y.covariances]

    def mean_correlation(i: int, j: int) -> float:
        between = moments.covariance[rows[i], columns[j]]
        components = correlate_components(own[i], others[j], between, moments.x.n_rows)
        return np.linalg.svd(components, compute_uv=False).clip(0, 1).mean()

    return np.array([[mean_correlation(i, j) for j in range(len(others))] for i in range(len(own))])
