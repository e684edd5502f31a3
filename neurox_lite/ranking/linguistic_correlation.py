"""Linguistic correlation analysis: rank neurons by the weights a probe gives them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results import NeuronRanking


def linguistic_correlation(probe: ElasticNetProbe) -> NeuronRanking:
    """Rank neurons by absolute probe weight (Dalvi et al. 2019, section 3.1).

    Per class, neurons are sorted by decreasing ``|W_c|``. A neuron's global score is
    ``1 - min_c m_c(j)``, where ``m_c(j)`` is the share of class c's total weight held by neurons
    strictly ahead of it: the papers' "add the top neurons of every class as the share p grows from
    0 to 1" with an infinitely fine step.

    Parameters
    ----------
    probe : ElasticNetProbe
        Fitted, of shape (n_classes, n_neurons).

    Returns
    -------
    NeuronRanking
        Class scores are ``|W|``; neurons without any weight have score 0.
    """
    weights = np.abs(probe.coef_).astype(np.float64)
    not_ahead = np.zeros_like(weights)
    for row, share in zip(weights, not_ahead, strict=True):
        order = np.argsort(-row, kind="stable")
        # Summed from the least weight up, so that rounding cannot hide a small one.
        mass = np.cumsum(row[order][::-1])[::-1]
        if mass[0] > 0:
            share[order] = mass / mass[0]
    return NeuronRanking.from_scores(
        probe.space_,
        not_ahead.max(axis=0),
        "linguistic-correlation",
        classes=tuple(str(c) for c in probe.classes_),
        class_scores=weights,
        parameters={"l1": probe.l1, "l2": probe.l2, "standardize": probe.standardize},
        provenance={"certificate": asdict(probe.certificate_)},
    )
