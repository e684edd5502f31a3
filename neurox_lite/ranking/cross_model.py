"""Cross-model correlation: neurons that other models of the same words have, too, come first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from neurox_lite.activations.access import space_of
from neurox_lite.activations.inputs import validate_activations
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.arguments import real_number, shown
from neurox_lite.choices import unknown_choice
from neurox_lite.correlation.cca import canonical, validate_variance
from neurox_lite.correlation.cross_moments import cross_moments
from neurox_lite.correlation.with_other_model import (
    multiple_correlations,
    strongest_correlations,
)
from neurox_lite.errors import InputError
from neurox_lite.ranking_methods import CROSS_MODEL_METHODS
from neurox_lite.results.ranking import NeuronRanking

WHOLE = (slice(None),)

DECIMALS = 6
"""Beyond these, products in float32 depend on the number of threads and the place of a column."""


def max_corr(X: Any, others: Sequence[Any]) -> NeuronRanking:
    """Rank neurons by their strongest correlation with a neuron of any other model.

    ``max_m max_j |rho(x_i, x^m_j)|`` over other models m (Dalvi et al. 2019, MaxCorr; Bau et al.
    2019). Reads ``X`` once for every other matrix. Memory: n_neurons times n_neurons of
    the other.

    Parameters
    ----------
    X : (n, n_neurons) array, tensor or store's matrix
        The model whose neurons are ranked.
    others : list of such matrices
        Other models over the same words, such as :func:`neurox_lite.align_stores` gives.

    Returns
    -------
    NeuronRanking
        Constant neurons have score NaN and come last.

    Raises
    ------
    InputError
        When there is no other matrix, the numbers of rows differ, or an activation is NaN or
        infinite.
    """
    return _rank(X, others, _strongest, "max-corr", np.max)


def min_corr(X: Any, others: Sequence[Any]) -> NeuronRanking:
    """Rank neurons by their strongest correlation with a neuron of the least similar model.

    ``min_m max_j |rho(x_i, x^m_j)|`` (Bau et al. 2019, MinCorr): high for neurons that
    all other models have. Parameters, memory and errors as for :func:`max_corr`.
    """
    return _rank(X, others, _strongest, "min-corr")


def lin_reg(X: Any, others: Sequence[Any], *, ridge: float = 1e-4) -> NeuronRanking:
    """Rank neurons by how well all neurons of another model predict them (Bau et al. 2019).

    The multiple correlation R of a neuron with its least-squares regression on all neurons of
    another model, of which the smallest over models counts: high for what all models know, though
    no single neuron of theirs holds it. R is of the words it was fitted on; by chance it is about
    ``sqrt(n_neurons of the other / n)``. Memory: twice the squared number of neurons of the other
    model, and three times n_neurons times n_neurons of the other.

    Parameters
    ----------
    X, others
        As for :func:`max_corr`.
    ridge : float
        Added to the variances, which are 1, of the standardised columns of the other model. 0 is
        refused where columns depend on each other, as hidden states after a layer norm do.

    Raises
    ------
    InputError
        As :func:`max_corr`; when there are no more words than neurons in another model, or the
        ridge is negative, or 0 and neurons of another model depend on each other.
    """
    ridge = real_number(ridge, "ridge")
    if not ridge >= 0:
        raise InputError(f"ridge is {ridge}; give at least 0")

    def score(X: Any, other: Any) -> np.ndarray:
        return multiple_correlations(cross_moments(X, other, (), WHOLE), ridge)

    return _rank(X, others, score, "lin-reg", ridge=ridge)


def svcca(X: Any, others: Sequence[Any], *, variance: float = 0.99) -> NeuronRanking:
    """Rank neurons by how much of them lies in directions shared with other models.

    SVCCA (Raghu et al. 2017; Bau et al. 2019) finds directions z_k of ``X`` and their canonical
    correlations rho_k with another model, between the principal components of both. A neuron's
    score counts what it has of each direction by how shared that is ::

        sqrt(sum_k rho_k^2 corr(x_i, z_k)^2)

    of which the smallest over models is taken. With all components kept in both, the score is that
    of :func:`lin_reg` without a ridge. ``neurox_lite.correlation.cca.canonical_correlations`` gives
    the directions. Memory: about twice the squared number of neurons of both models together.

    Parameters
    ----------
    X, others
        As for :func:`max_corr`.
    variance : float
        Share of the variance that the principal components of each model hold.

    Raises
    ------
    InputError
        As :func:`max_corr`; when ``variance`` is not a share, a model is constant, or there are no
        more words than principal components.
    """
    variance = real_number(variance, "variance")
    validate_variance(variance)

    def score(X: Any, other: Any) -> np.ndarray:
        moments = cross_moments(X, other, WHOLE, WHOLE)
        found = canonical(moments, variance)
        explained = np.square(found.loadings_x) @ np.square(found.correlations)
        explained[moments.x.is_constant] = np.nan
        return np.sqrt(explained.clip(0, 1))

    return _rank(X, others, score, "svcca", variance=variance)


def _strongest(X: Any, other: Any) -> np.ndarray:
    return strongest_correlations(cross_moments(X, other))


def rank_across_models(method: str, X: Any, others: Sequence[Any]) -> NeuronRanking:
    """Rank neurons by the name of a method, as ``max-corr``; see :func:`max_corr`.

    Raises
    ------
    InputError
        When there is no such method, or as the method's function.
    """
    methods = dict(zip(CROSS_MODEL_METHODS, (max_corr, min_corr, lin_reg, svcca), strict=True))
    if method not in methods:
        raise unknown_choice("method", method, methods)
    return methods[method](X, others)


def _rank(
    X: Any,
    others: Sequence[Any],
    score: Callable[[Any, Any], np.ndarray],
    method: str,
    reduce: Callable[..., np.ndarray] = np.min,
    **parameters: Any,
) -> NeuronRanking:
    """By the scores of the neurons of ``X`` against every other matrix, the smallest by default."""
    X = validate_activations(X)
    if isinstance(others, ActivationMatrix) or hasattr(others, "shape"):
        raise InputError("the other models are one matrix; give a list of matrices")
    if not isinstance(others, list | tuple):
        raise InputError(f"others: {shown(others)}; give a list of matrices")
    if not len(others):
        raise InputError("no other model to correlate with; give at least one")
    checked = [validate_activations(other, "one of the others") for other in others]
    scores = reduce([score(X, other) for other in checked], axis=0)
    return NeuronRanking.from_scores(
        space_of(X),
        np.round(scores, DECIMALS),
        method,
        parameters=parameters,
        provenance={"n_words": len(X), "others": [space_of(other).to_dict() for other in checked]},
    )
