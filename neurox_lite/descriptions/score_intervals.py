"""Average precision, AUC, correlation, IoU and F1, each with its interval over sentences.

How far average precision, AUC and correlation would be off on other sentences is read off their
derivatives by the weights of the examples (the infinitesimal jackknife, a linearisation): those of
a sentence's examples are summed, and the variance is the sum of squares over sentences.
"""

from __future__ import annotations

import numpy as np

from neurox_lite.intervals import Interval, accuracy_interval, jeffreys

LEVEL = 0.95

FEW_SENTENCES = 5
"""With what is to be found in fewer, an interval is not known."""

UNKNOWN = -np.inf, np.inf


def average_precision(values: np.ndarray, right: np.ndarray, sentences: np.ndarray) -> Interval:
    """Average precision of values as detectors of the right examples, (n,) all.

    The mean over right examples of the precision among those of as large a value or a larger one,
    as scikit-learn has it; without right examples 0.

    The interval is that of Jeffreys for a share, of as many independent examples as have the same
    variance. Where nothing varies, as when all right ones come first, there are as many as
    sentences with a right example, so that it is never a point. With fewer such sentences than
    ``FEW_SENTENCES`` it is not known, 0 to 1.
    """
    n_right = int(right.sum())
    if not n_right:
        return Interval(0.0, 0.0, 1.0)
    order = np.argsort(-values, kind="stable")
    found, ordered = right[order].astype(float), values[order]
    # Examples of one value are found together: from the first to the last of them.
    is_first = np.append(True, ordered[1:] != ordered[:-1])
    starts, number = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    first, n_found = starts[number], np.append(starts[1:], len(values))[number]
    precision = np.cumsum(found)[n_found - 1] / n_found
    value = float(found @ precision / n_right)
    # An example counts where it is right, and in the precision of all found with it or later.
    of_later = np.cumsum((found / n_found)[::-1])[::-1][first]
    of_later_precision = np.cumsum((found * precision / n_found)[::-1])[::-1][first]
    derivative = np.empty(len(values))
    derivative[order] = found * (precision - value + of_later) - of_later_precision
    return _share(value, derivative / n_right, sentences, len(np.unique(sentences[right])))


def correlation(x: np.ndarray, y: np.ndarray, sentences: np.ndarray) -> Interval:
    """Pearson correlation of two (n,) arrays; where one is constant it is 0, and not known.

    The interval is by Fisher's transformation, ``atanh``, and the quantile of t; of a correlation
    of 1 or -1 it is as in :func:`average_precision`. With fewer sentences than ``FEW_SENTENCES``
    that make up the variance, as when a description is present in four, it is not known, infinite.
    """
    if any(part.min() == part.max() for part in (x, y)):
        return Interval(0.0, *UNKNOWN)
    x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    value = float(np.clip(np.mean(x * y), -1, 1))
    derivative = (x * y - value * (x**2 + y**2) / 2) / len(x)
    n_sentences = min(_n_that_vary(x, sentences), _n_that_vary(y, sentences))
    if n_sentences < FEW_SENTENCES:
        return Interval(value, *UNKNOWN)
    if 1 - abs(value) < 1e-9:
        share = _share((1 + value) / 2, derivative, sentences, n_sentences)
        return Interval(value, 2 * share.low - 1, 2 * share.high - 1)
    variance, freedom = _variance(derivative, sentences)
    half = _quantile_of_t(freedom) * np.sqrt(variance) / (1 - value**2)
    middle = np.arctanh(value)
    return Interval(value, float(np.tanh(middle - half)), float(np.tanh(middle + half)))


def roc_auc(values: np.ndarray, right: np.ndarray, groups: np.ndarray) -> Interval:
    """How often, of a right example and another of its group, the right one has the larger value.

    Equal values count half. Examples, (n,) each, are of one sentence each. The derivatives are
    those of DeLong et al. (1988) over all groups, the interval as in :func:`average_precision`;
    with fewer right or other ones to compare than ``FEW_SENTENCES`` it is not known.
    """
    from scipy.stats import rankdata

    # The pairs that each example is in, and those that are as they should be.
    n_pairs, n_as_said = np.zeros(len(values)), np.zeros(len(values))
    for group in np.unique(groups):
        for own, other in ((right, ~right), (~right, right)):
            rows, others = (np.flatnonzero((groups == group) & which) for which in (own, other))
            n_pairs[rows] = len(others)
            ranks = rankdata(np.concatenate([values[rows], values[others]]))[: len(rows)]
            below = ranks - rankdata(values[rows])
            n_as_said[rows] = below if own is right else len(others) - below
    total = n_pairs[right].sum()
    if not total:
        return Interval(0.5, 0.0, 1.0)
    value = float(n_as_said[right].sum() / total)
    counts = [int(np.count_nonzero(n_pairs[which])) for which in (right, ~right)]
    n = np.where(right, *counts)
    derivative = (n_as_said - value * n_pairs) / total * np.sqrt(n / np.maximum(n - 1, 1))
    return _share(value, derivative, np.arange(len(values)), min(counts))


def mean_difference(values: np.ndarray, right: np.ndarray) -> Interval:
    """The mean of right examples less that of the others, of (n,) values of one per sentence.

    With fewer of either than ``FEW_SENTENCES`` the interval is not known, infinite.
    """
    means = values[right].mean(), values[~right].mean()
    counts = int(right.sum()), int((~right).sum())
    value = float(means[0] - means[1])
    if min(counts) < FEW_SENTENCES:
        return Interval(value, *UNKNOWN)
    residuals, n = values - np.where(right, *means), np.where(right, *counts)
    derivative = residuals / np.sqrt(n * (n - 1))
    if not derivative.any():
        return Interval(value, value, value)
    variance, freedom = _variance(derivative, np.arange(len(values)))
    half = float(_quantile_of_t(freedom) * np.sqrt(variance))
    return Interval(value, value - half, value + half)


def overlap(one: np.ndarray, other: np.ndarray, sentences: np.ndarray) -> tuple[Interval, Interval]:
    """IoU and F1 of two (n,) bool arrays; 0 where both are False everywhere.

    IoU is the share of examples with both among those with one or both, and has the interval of a
    share (:func:`~neurox_lite.intervals.accuracy_interval`); ``F1 = 2 IoU / (1 + IoU)``.
    """
    either = one | other
    iou = Interval(0.0, 0.0, 1.0)
    if either.any():
        iou = accuracy_interval((one & other)[either], sentences[either], level=LEVEL)
    return iou, Interval(*(2 * end / (1 + end) for end in (iou.value, iou.low, iou.high)))


def _share(
    value: float, derivative: np.ndarray, sentences: np.ndarray, n_sentences: float
) -> Interval:
    """Interval of Jeffreys of as many examples as tell as much."""
    if n_sentences < FEW_SENTENCES:
        return Interval(value, 0.0, 1.0)
    variance, freedom = _variance(derivative, sentences)
    n = n_sentences
    if variance > 1e-18:
        wider = _quantile_of_t(freedom) / _quantile_of_t(np.inf)
        n = value * (1 - value) / variance / wider**2
    return Interval(value, *jeffreys(value, n, LEVEL))


def _variance(derivative: np.ndarray, sentences: np.ndarray) -> tuple[float, float]:
    """Variance of a score, and its degrees of freedom: few where few sentences make it up."""
    squares = np.bincount(sentences, derivative) ** 2
    n, total = len(squares), float(squares.sum())
    spread = float(squares @ squares) - total**2 / n
    freedom = 2 * total**2 / spread if spread > 0 else n - 1
    return total * n / (n - 1), float(np.clip(freedom, 1, n - 1))


def _quantile_of_t(freedom: float) -> float:
    """Of the upper end of an interval; of infinite freedom that of the normal distribution."""
    from scipy.special import ndtri, stdtrit

    upper = (1 + LEVEL) / 2
    return float(ndtri(upper) if np.isinf(freedom) else stdtrit(freedom, upper))


def _n_that_vary(x: np.ndarray, sentences: np.ndarray) -> float:
    """Effective number of sentences (Kish 1965) that a variance is made up of."""
    squares = np.bincount(sentences, x**2)
    return float(squares.sum() ** 2 / (squares @ squares))
