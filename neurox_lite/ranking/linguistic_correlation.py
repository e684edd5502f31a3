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
    ahead = np.ones_like(weights)
    for row, share in zip(weights, ahead, strict=True):
        total = row.sum()
        if total == 0:
            continue
        order = np.argsort(-row, kind="stable")
        share[order] = np.concatenate(([0.0], np.cumsum(row[order])[:-1])) / total
        share[row == 0] = 1
    return NeuronRanking.from_scores(
        probe.space_,
        1 - ahead.min(axis=0),
        "linguistic-correlation",
        classes=tuple(str(c) for c in probe.classes_),
        class_scores=weights,
        parameters={"l1": probe.l1, "l2": probe.l2, "standardize": probe.standardize},
        provenance={"certificate": asdict(probe.certificate_)},
    )
