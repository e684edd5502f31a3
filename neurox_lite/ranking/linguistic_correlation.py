"""Linguistic correlation analysis: rank neurons by the weights a probe gives them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from neurox_lite.probing.linear import LinearProbe, require_fitted, weight_scores
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results.ranking import NeuronRanking


def linguistic_correlation(probe: LinearProbe) -> NeuronRanking:
    """Rank neurons by absolute probe weight (Dalvi et al. 2019, section 3.1).

    Per class, neurons are sorted by decreasing ``|W_c|``. A neuron's global score is
    ``1 - min_c m_c(j)``, where ``m_c(j)`` is the share of class c's total weight held by neurons
    strictly ahead of it: the papers' "add the top neurons of every class as the share p grows from
    0 to 1" with an infinitely fine step.

    Parameters
    ----------
    probe : ElasticNetProbe or ElasticNetRegression
        Fitted.

    Returns
    -------
    NeuronRanking
        Neurons without any weight have score 0, those that were constant in training NaN: they come
        last. Class scores, of a classifier, are ``|W|``.
    """
    require_fitted(probe)
    is_classifier = isinstance(probe, ElasticNetProbe)
    scores = weight_scores(probe.coef_)
    scores[probe.constant_] = np.nan
    return NeuronRanking.from_scores(
        probe.space_,
        scores,
        "linguistic-correlation",
        classes=tuple(probe.classes_.tolist()) if is_classifier else (),
        class_scores=np.abs(probe.coef_).astype(np.float64) if is_classifier else None,
        parameters={"l1": probe.l1, "l2": probe.l2, "standardize": probe.standardize},
        provenance={"certificate": asdict(probe.certificate_), "words": probe.trained_on_},
    )
