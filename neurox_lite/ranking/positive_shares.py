"""On which share of the words of each class is a neuron positive?"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from neurox_lite.activations.access import small_blocks
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.moments import RunningMoments
from neurox_lite.showing import short_repr

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PositiveShares:
    """Of the neurons of labelled activations.

    Attributes
    ----------
    counts : (n_classes,) int array
        Words of each class.
    of_class : (n_classes, n_neurons) float64 array
        ``P(a_j > 0 | g)``, the share of the words of class g on which neuron j is positive.
    is_constant : (n_neurons,) bool array
    """

    counts: np.ndarray
    of_class: np.ndarray
    is_constant: np.ndarray

    __repr__ = short_repr

    @property
    def of_others(self) -> np.ndarray:
        """``P(a_j > 0 | not g)``: the same of the words of all other classes."""
        counts = self.counts[:, None]
        n_positive = self.of_class * counts
        return (n_positive.sum(0) - n_positive) / (counts.sum() - counts)


def positive_shares(data: LabelledActivations, method: str) -> PositiveShares:
    """Count in one pass; memory (n_classes, n_neurons).

    Logs a warning of ``method`` where zero means nothing, as the signs of most neurons tell.
    """
    running = RunningMoments(data.X)
    n_positive = np.zeros((len(data.classes), data.space.n_neurons))
    for start, block in small_blocks(data.X):
        running.add(start, block)
        members = data.one_hot(start, start + len(block), block)
        n_positive += (members @ (block > 0).to(members)).cpu().numpy()
    counts = np.bincount(data.ids, minlength=len(data.classes))
    shares = PositiveShares(counts, n_positive / counts[:, None], running.moments().is_constant)
    _warn_where_zero_means_nothing(data, shares, method)
    return shares


def _warn_where_zero_means_nothing(
    data: LabelledActivations, shares: PositiveShares, method: str
) -> None:
    site = data.space.site
    if site not in ("array", "mlp"):
        logger.warning(
            "%s asks whether activations are above 0, which means nothing at the site '%s'; "
            "extract feed-forward neurons, of the site 'mlp'",
            method,
            site,
        )
        return
    of_varying = shares.of_class[:, ~shares.is_constant]
    n_one_sign = int(((of_varying == 0).all(0) | (of_varying == 1).all(0)).sum())
    if 2 * n_one_sign > of_varying.shape[1]:
        logger.warning(
            "%d of %d neurons are above 0 on all words or on none: %s cannot tell them apart; "
            "give it activations for which 0 means inactive",
            n_one_sign,
            of_varying.shape[1],
            method,
        )
