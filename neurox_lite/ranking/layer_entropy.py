"""Are chosen neurons in one layer, or spread over all?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def layer_entropy(counts: Sequence[int], widths: Sequence[int]) -> float | None:
    """Entropy over layers of some neurons: 0 if they are in one, 1 if spread as all neurons are.

    With p the share of the chosen neurons in each layer and u that of all neurons,

        1 - KL(p || u) / max(-log u)

    which for layers of one width is the entropy of p divided by the logarithm of their number. It
    is below 1 for few neurons, wherever they are: see :func:`expected_entropy`. None where nothing
    is chosen or there is one layer only.
    """
    chosen, every = np.asarray(counts, dtype=float), np.asarray(widths, dtype=float)
    if len(every) < 2 or not chosen.sum():
        return None
    shares, uniform = chosen / chosen.sum(), every / every.sum()
    return float(1 - _divergences(shares, uniform).sum() / -np.log(uniform.min()))


def expected_entropy(n_chosen: int, widths: Sequence[int]) -> float | None:
    """Mean :func:`layer_entropy` of neurons drawn at random from all; exact.

    The number of them in a layer is hypergeometric, and the entropy a sum over layers.
    """
    from scipy.stats import hypergeom

    every = np.asarray(widths)
    if len(every) < 2 or not n_chosen:
        return None
    uniform = every / every.sum()
    mean = 0.0
    for width, share in zip(every.tolist(), uniform.tolist(), strict=True):
        counts = np.arange(min(width, n_chosen) + 1)
        chance = hypergeom.pmf(counts, every.sum(), width, n_chosen)
        mean += float(chance @ _divergences(counts / n_chosen, np.full(len(counts), share)))
    return 1 - mean / float(-np.log(uniform.min()))


def _divergences(shares: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """``p log(p / u)``, 0 where p is."""
    return shares * np.log(np.where(shares > 0, shares, uniform) / uniform)
