"""How far would a share, or a mean, be off on other sentences?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurox_lite.arguments import real_number
from neurox_lite.errors import InputError
from neurox_lite.labels import validate_labels
from neurox_lite.results.html import as_html
from neurox_lite.results.tables import Table, as_pandas, one_row


@dataclass(frozen=True)
class Interval:
    """An estimate, and where it would fall with other sentences."""

    value: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """False of a single sentence: of what has bounds they are its ends, else it is infinite."""
        return (self.low, self.high) not in ((0, 1), (-1, 1)) and not math.isinf(self.low)

    def as_json(self) -> list[float | None]:
        """Value and ends, which are None where they are infinite."""
        ends = (None if math.isinf(end) else end for end in (self.low, self.high))
        return [self.value, *ends]

    @classmethod
    def from_json(cls, values: Sequence[float | None]) -> Interval:
        """From what :meth:`as_json` gave."""
        value, low, high = values
        if value is None:
            raise ValueError("an interval without a value")
        return cls(value, -math.inf if low is None else low, math.inf if high is None else high)

    def table(self) -> Table:
        """A header and one row."""
        return one_row(self)

    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        if not self.is_known:
            return f"{self.value:.4g} (interval not known)"
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


N_CORRELATIONS, N_SHARES = 12, 80
"""Points at which the posterior is summed: correlations, and shares for each."""

ROUNDING = 1e-6
"""Of what is told apart within bounds: probabilities in float32 may be a little above 1."""

SHARES_TO = 5.0
"""How far from the observed share, in standard deviations of a share of whole sentences."""


def accuracy_interval(right: Any, groups: Any, *, level: float = 0.95) -> Interval:
    """Interval of an accuracy: where it would be on all sentences there could be.

    Words of a sentence are right or wrong together, so that n words tell less than n independent
    ones would: ``n / d`` with the design effect d (Kish 1965). An interval of that many is taken
    (Korn & Graubard 1998), here with the mid-P distribution of Clopper & Pearson:

        F(p) = E_d [I_p(x, n - x + 1) + I_p(x + 1, n - x)] / 2,    n = words / d,  x = right / d

    with the regularised incomplete beta function I. Its quantiles are the ends. The design effect
    is not known, least where nearly all words are right: d is ``1 + (m - 1) r``, with m the sum of
    squared sentence lengths over words, and F the mean over the posterior of the correlation r
    within sentences, of a beta-binomial distribution with uniform r (and Jeffreys' prior of the
    accuracy). It is no smaller than what the linearised variance of the share says, with the
    quantile of t in the place of the normal one.

    Coverage is measured in ``tests/benchmarks/intervals.py``, see
    docs/methods/intervals.md. Of one sentence nothing can be known of others: the interval is 0 to
    1. It is never a point.

    Parameters
    ----------
    right : (n,) bool array
        Whether each word is predicted right.
    groups : (n,) array-like
        Number of each word's sentence, such as ``LabelledActivations.sentences``.
    level : float
        How often the interval is to hold the accuracy on all sentences there could be.

    Raises
    ------
    InputError
        When there are no words, a value is neither True nor False, there is not one group per word,
        or the level is no probability.
    """
    level = real_number(level, "level")
    check_level(level)
    try:
        right = validate_labels(right, name="right")
        is_known = right.dtype == bool or np.isin(right, (0, 1)).all()
    except InputError:
        is_known = False
    if not is_known:
        raise InputError("right has values other than True and False; compare first, as pred == y")
    groups = sentence_numbers(groups, len(right))
    right = right.astype(bool)
    lengths = np.bincount(groups).astype(float)
    n_right = np.bincount(groups, right)
    share = float(right.mean())
    if len(lengths) < 2:
        return Interval(share, 0.0, 1.0)
    n, kish = lengths.sum(), (lengths**2).sum() / lengths.sum()
    correlations = (np.arange(N_CORRELATIONS) + 0.5) / N_CORRELATIONS
    weights = _posterior(lengths, n_right, correlations)
    effects = np.maximum(1 + (kish - 1) * correlations, _observed_effect(lengths, n_right, level))
    n_effective = n / effects
    return Interval(
        share,
        _quantile((1 - level) / 2, share * n_effective, n_effective, weights),
        1 - _quantile((1 - level) / 2, (1 - share) * n_effective, n_effective, weights),
    )


def mean_interval(
    values: Any, groups: Any, *, level: float = 0.95, bounds: tuple[float, float] | None = None
) -> Interval:
    """Interval of the mean of numbers that come in groups: linearised variance, quantile of t.

    Of numbers that have bounds, such as shares, it is that of Jeffreys for a share, of as many
    independent examples as have the same variance: it stays within the bounds.

    Parameters
    ----------
    values : (n,) array
    groups : (n,) array-like
    level : float
    bounds : pair of float, optional
        Between which any value is, such as ``(0, 1)``.

    Returns
    -------
    Interval
        Of a single group infinite, or from bound to bound.

    Raises
    ------
    InputError
        When there are no values, not one group per value, a value is out of bounds, or the level
        is no probability.
    """
    from scipy.stats import t

    values = np.asarray(values, dtype=np.float64)
    check_level(level)
    groups = sentence_numbers(groups, len(values))
    mean = float(values.mean())
    lengths = np.bincount(groups).astype(float)
    low, high = (-np.inf, np.inf) if bounds is None else bounds
    if ((values < low - ROUNDING) | (values > high + ROUNDING)).any():
        raise InputError(f"values from {values.min():g} to {values.max():g} are out of {bounds}")
    if len(lengths) < 2:
        return Interval(mean, low, high)
    # As many groups of one length as tell as much.
    freedom = max(lengths.sum() ** 2 / (lengths**2).sum() - 1, 1.0)
    half = t.ppf((1 + level) / 2, freedom) * np.sqrt(
        _variance(lengths, np.bincount(groups, values))
    )
    if bounds is None or half <= ROUNDING * (high - low):
        return Interval(mean, float(mean - half), float(mean + half))
    share = float(np.clip((mean - low) / (high - low), 0, 1))
    error = half / (high - low) / t.ppf((1 + level) / 2, np.inf)
    ends = jeffreys(share, share * (1 - share) / error**2, level)
    return Interval(mean, *(low + (high - low) * end for end in ends))


def jeffreys(share: float, n: float, level: float) -> tuple[float, float]:
    """Ends of the interval of a share of n (Brown, Cai & DasGupta 2001), which hold the share."""
    from scipy.special import betaincinv

    ends = (1 - level) / 2, (1 + level) / 2
    low, high = betaincinv(share * n + 0.5, (1 - share) * n + 0.5, ends)
    return min(float(low), share), max(float(high), share)


def check_level(level: float) -> None:
    """Raise InputError unless the level is a probability."""
    if not 0 < real_number(level, "level") < 1:
        raise InputError(f"level is {level}; give a number between 0 and 1, such as 0.95")


def sentence_numbers(groups: Any, n_rows: int, name: str = "groups") -> np.ndarray:
    """Number the sentences, or other groups of rows, from 0 without gaps.

    Parameters
    ----------
    groups : (n_rows,) array-like
        Which sentence each row is of; any numbers or strings.
    n_rows : int
        Number of rows they have to fit.
    name : str
        What the message calls them.

    Returns
    -------
    (n_rows,) int array

    Raises
    ------
    InputError
        When there are no rows, or not one group per row, or a group is None or NaN.
    """
    groups = validate_labels(groups, name=name)
    if not n_rows or groups.shape != (n_rows,):
        raise InputError(
            f"{name} of shape {groups.shape} for {n_rows} rows; give each row its sentence's number"
        )
    return np.unique(groups, return_inverse=True)[1]


def _variance(lengths: np.ndarray, sums: np.ndarray) -> float:
    """Of a mean over groups, linearised; a group's leverage, its share of the rows, is undone."""
    n = lengths.sum()
    residuals = sums - lengths * sums.sum() / n
    return float((residuals**2 / (1 - lengths / n)).sum() / n**2)


def _observed_effect(lengths: np.ndarray, n_right: np.ndarray, level: float) -> float:
    """Design effect by the linearised variance, more where it is known from few sentences."""
    from scipy.special import ndtri, stdtrit

    n, share = lengths.sum(), n_right.sum() / lengths.sum()
    if share in (0, 1) or lengths.max() == 1:
        return 1.0
    effect = _variance(lengths, n_right) / (share * (1 - share) / n)
    quantile = (1 + level) / 2
    of_few = stdtrit(len(lengths) - 1, quantile) / ndtri(quantile)
    return float(max(effect, 1) * of_few**2)


def _posterior(lengths: np.ndarray, n_right: np.ndarray, correlations: np.ndarray) -> np.ndarray:
    """Probability of each correlation within sentences, (n_correlations,)."""
    from scipy.special import gammaln

    # Jeffreys' prior is uniform in the angle, whose standard deviation depends on the size only.
    middle = np.arcsin(np.sqrt(n_right.sum() / lengths.sum()))
    width = SHARES_TO / 2 * np.sqrt((lengths**2).sum()) / lengths.sum()
    low, high = max(middle - width, 0), min(middle + width, np.pi / 2)
    angles = low + (high - low) * (np.arange(N_SHARES) + 0.5) / N_SHARES
    total = (1 - correlations) / correlations
    of_right, of_wrong = (part(angles)[:, None] ** 2 * total for part in (np.sin, np.cos))
    likelihood = np.zeros_like(of_right)
    for alpha, counts in (
        (of_right, n_right),
        (of_wrong, lengths - n_right),
        (total[None], lengths),
    ):
        sign, of_none = -1 if alpha.shape[0] == 1 else 1, gammaln(alpha)
        for count, times in zip(*np.unique(counts, return_counts=True), strict=True):
            likelihood += sign * times * (gammaln(alpha + count) - of_none)
    weights = np.exp(likelihood - likelihood.max()).sum(0)
    return weights / weights.sum()


def _quantile(share: float, x: np.ndarray, n: np.ndarray, weights: np.ndarray) -> float:
    """The lower end: where F, the mean over numbers right x of n, is a share."""
    from scipy.optimize import brentq
    from scipy.special import betainc

    if x.max() <= 0:
        return 0.0
    y = n - x

    def excess(p: float) -> float:
        # All right: what would be above n is at 1.
        above = betainc(x + 1, np.maximum(y, 1e-300), p) * (y > 0)
        return float(weights @ (betainc(x, y + 1, p) + above) / 2 - share)

    return float(brentq(excess, 0.0, 1.0, xtol=1e-12)) if excess(1.0) > 0 else 1.0
