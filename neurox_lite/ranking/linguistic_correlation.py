"""Linguistic correlation analysis: rank neurons by the weights a probe gives them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from neurox_lite.choices import unknown_choice
from neurox_lite.probing.linear import LinearProbe, require_fitted
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results.ranking import NeuronRanking

AGGREGATIONS = ("variance", "mass")


def linguistic_correlation(probe: LinearProbe, *, aggregation: str = "variance") -> NeuronRanking:
    """Rank neurons by absolute probe weight (Dalvi et al. 2019, section 3.1).

    A neuron has a weight for every class. Of these

    - ``"variance"`` takes their variance over the classes, which count by their shares of the
      words, ``sum_c s_c (W_cj - sum_z s_z W_zj)^2``. To second order it is what the neuron is worth
      to the probe, see :meth:`~neurox_lite.ElasticNetProbe.weight_scores`: a class counts by its
      weights, which are small where the probe knows little of it.
    - ``"mass"`` is the papers' rule: ``1 - min_c m_c(j)``, where ``m_c(j)`` is the share of class
      c's total weight held by neurons strictly ahead of it. It is their "add the top neurons of
      every class as the share p grows from 0 to 1" with an infinitely fine step. The best neuron of
      every class has score 1, also of a class that no neuron knows: with many classes the top is in
      part noise. Neurons of equal score stand by their largest weight.

    Parameters
    ----------
    probe : ElasticNetProbe or ElasticNetRegression
        Fitted.
    aggregation : {"variance", "mass"}

    Returns
    -------
    NeuronRanking
        Neurons without any weight have score 0, those that were constant in training NaN: they come
        last. Class scores, of a classifier, are ``|W|``.

    Raises
    ------
    InputError
        When the probe is not fitted or the aggregation is unknown.
    """
    require_fitted(probe)
    if aggregation not in AGGREGATIONS:
        raise unknown_choice("aggregation", aggregation, AGGREGATIONS)
    is_classifier = isinstance(probe, ElasticNetProbe)
    weights = np.abs(probe.coef_).astype(np.float64)
    scores = probe.weight_scores() if aggregation == "variance" else mass_scores(weights)
    scores[probe.constant_] = np.nan
    return NeuronRanking(
        probe.space_,
        # NaN last, and by column only where no class has a weight.
        np.lexsort((-weights.max(0), -scores)),
        scores,
        "linguistic-correlation",
        classes=tuple(probe.classes_.tolist()) if is_classifier else (),
        class_scores=weights if is_classifier else None,
        parameters={
            "l1": probe.l1,
            "l2": probe.l2,
            "standardize": probe.standardize,
            "aggregation": aggregation,
        },
        provenance={"certificate": asdict(probe.certificate_), "words": probe.trained_on_},
    )


def mass_scores(weights: np.ndarray) -> np.ndarray:
    """The papers' score of each neuron, (n_neurons,), for absolute weights (n_outputs, n_neurons).

    ``1 - min_c m_c(j)``, where ``m_c(j)`` is the share of all weight of c that neurons of a larger
    ``|W_c|`` hold.
    """
    not_ahead = np.zeros_like(weights)
    for row, share in zip(weights, not_ahead, strict=True):
        ascending = np.sort(row)
        # Summed from the least weight up, so that rounding cannot hide a small one.
        mass = np.cumsum(ascending)
        if mass[-1] > 0:
            share[:] = mass[np.searchsorted(ascending, row, side="right") - 1] / mass[-1]
    return np.asarray(not_ahead.max(axis=0))
