"""The interval of an accuracy covers as often as it says, and is never a point."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from scipy.stats import t as student

from neurox_lite.errors import InputError
from neurox_lite.intervals import accuracy_interval, mean_interval
from tests.benchmarks.intervals import attainable, coverage, drawn


@pytest.mark.parametrize(
    ("n_sentences", "lengths", "correlation", "shape", "accuracy"),
    [
        (5, "15", 0.8, "beta", 0.5),
        (12, "15", 0.3, "beta", 0.8),
        (12, "15", 0.8, "beta", 0.95),
        (12, "1 to 80", 0.8, "beta", 0.8),
        (12, "1", 0.0, "beta", 0.8),
        (40, "15", 0.3, "beta", 0.99),
        (40, "15", 0.3, "two values", 0.95),
        (40, "1 to 80", 0.3, "beta", 0.8),
    ],
)
def test_coverage(n_sentences, lengths, correlation, shape, accuracy):
    def draw(rng, of):
        how = {"lengths": lengths, "correlation": correlation, "shape": shape}
        return drawn(rng, of, n_sentences=n_sentences, **how)

    holds, width = coverage(draw, accuracy, n_corpora=250)
    # The standard error of a share of 250 at 0.95 is 0.014.
    assert holds >= 0.91
    assert width < 1


def test_an_interval_over_words_would_cover_less():
    def draw(rng, accuracy):
        right, _ = drawn(rng, accuracy, n_sentences=40, lengths="15", correlation=0.3)
        return right, np.arange(len(right))

    assert coverage(draw, 0.8, n_corpora=100)[0] < 0.75


@pytest.mark.parametrize(("n", "x"), [(12, 9), (40, 39), (22, 22), (30, 0), (7, 3)])
def test_one_word_a_sentence_is_the_mid_p_interval(n, x):
    """P(more) + P(as many) / 2 is a fortieth at the lower end, and so are those below the upper."""
    interval = accuracy_interval(np.arange(n) < x, np.arange(n))
    assert interval.value == x / n
    above = binom.sf(x, n, interval.low) + binom.pmf(x, n, interval.low) / 2
    below = binom.cdf(x - 1, n, interval.high) + binom.pmf(x, n, interval.high) / 2
    assert above == pytest.approx(0.025 if x else 0.5, abs=1e-6)
    assert below == pytest.approx(0.025 if x < n else 0.5, abs=1e-6)


def test_the_width_is_that_of_the_normal_law():
    # Sentences of one length, all right or all wrong: their mean has a known deviation.
    right = np.repeat(np.arange(400) % 4 > 0, 5)
    interval = accuracy_interval(right, np.arange(2000) // 5)
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert interval.value == 0.75
    assert interval.low == pytest.approx(0.75 - half, abs=0.004)
    assert interval.high == pytest.approx(0.75 + half, abs=0.004)


def test_all_right_is_no_point():
    """Of 22 words, the fewer sentences they are of the less is known."""
    lows = [accuracy_interval([True] * 22, np.arange(22) // n).low for n in (1, 2, 5, 11)]
    assert 0.84 < lows[0] < 0.88
    assert lows == sorted(lows, reverse=True) and lows[-1] > 0
    assert accuracy_interval([False] * 22, np.arange(22) // 2).high == pytest.approx(1 - lows[1])


def test_of_one_sentence_nothing_is_known():
    interval = accuracy_interval([True, True, False], [4, 4, 4])
    assert (interval.value, interval.low, interval.high) == (2 / 3, 0, 1)
    assert str(interval) == "0.6667 (interval not known)"
    assert not interval.is_known


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_properties(data):
    """It holds the share, is no point, is wider at a higher level, and free of order and names."""
    sizes = data.draw(st.lists(st.integers(1, 30), min_size=1, max_size=20))
    sentences = np.repeat(np.arange(len(sizes)), sizes)
    n = len(sentences)
    right = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    interval = accuracy_interval(right, sentences)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.low < interval.high
    wider = accuracy_interval(right, sentences, level=0.99)
    assert wider.low <= interval.low + 1e-9 and wider.high >= interval.high - 1e-9
    order = np.random.default_rng(0).permutation(n)
    names = np.array([f"sentence {number}" for number in sentences])
    again = accuracy_interval(right[order], names[order])
    assert (again.low, again.high) == pytest.approx((interval.low, interval.high), abs=1e-9)
    turned = accuracy_interval(~right, sentences)
    assert (1 - turned.high, 1 - turned.low) == pytest.approx(
        (interval.low, interval.high), abs=1e-6
    )


def test_a_mean_of_single_values_has_the_interval_of_student():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    half = student.ppf(0.975, 3) * values.std(ddof=1) / 2
    interval = mean_interval(values, np.arange(4))
    assert (interval.low, interval.high) == pytest.approx((4 - half, 4 + half))
    one = mean_interval(values, [0, 0, 0, 0])
    assert (one.low, one.high) == (-np.inf, np.inf)


def test_errors():
    for level in (0, 1, 95, np.nan):
        with pytest.raises(InputError, match="give a number between 0 and 1"):
            accuracy_interval([True], [0], level=level)
    with pytest.raises(InputError, match=r"groups of shape \(1,\) for 2 rows"):
        accuracy_interval([True, False], [0])
    for right in (["a", "b"], [0.5, 1.0], [np.nan, 1.0]):
        with pytest.raises(InputError, match="values other than True and False"):
            accuracy_interval(right, [0, 1])


def test_no_interval_covers_exactly_what_it_claims_everywhere():
    """Why coverage of 0.95 in every cell of the table is nobody's: by all subsets of 13 counts."""
    chances = binom.pmf(np.arange(13), 12, 0.99)
    sums = [chances[list(some)].sum() for k in range(14) for some in combinations(range(13), k)]
    assert not any(0.893 < total < 0.993 for total in sums)
    below, above = attainable(12, 0.99)
    assert below == pytest.approx(max(total for total in sums if total < 0.95), abs=1e-3)
    assert above == pytest.approx(min(total for total in sums if total > 0.95), abs=1e-3)


def test_a_mean_of_shares_stays_within_its_bounds_and_is_the_other_far_from_them():
    """Two neurons, of which nothing is known but that it is a share."""
    found = mean_interval([0.9, 0.5], [0, 1], bounds=(0, 1))
    wide = mean_interval([0.9, 0.5], [0, 1])
    assert wide.low < 0 and wide.high > 1
    assert 0 <= found.low < 0.5 and 0.9 < found.high <= 1 and found.value == wide.value
    signed = mean_interval([0.8, 0.0], [0, 1], bounds=(-1, 1))
    assert (signed.low, signed.high) == pytest.approx((2 * found.low - 1, 2 * found.high - 1))
    many = np.random.default_rng(0).uniform(0.3, 0.5, 2000)
    inner, usual = (mean_interval(many, np.arange(2000), bounds=b) for b in ((0, 1), None))
    assert (inner.low, inner.high) == pytest.approx((usual.low, usual.high), abs=1e-5)
    same = mean_interval([1.0, 1.0 + 1e-7], [0, 1], bounds=(0, 1))
    assert (same.low, same.high) == pytest.approx((1, 1), abs=1e-5)
    of_one = mean_interval([0.2, 0.4], [0, 0], bounds=(-1, 1))
    assert (of_one.low, of_one.high, of_one.is_known) == (-1, 1, False)
    with pytest.raises(InputError, match=r"values from 0\.5 to 1\.5 are out of \(0, 1\)"):
        mean_interval([0.5, 1.5], [0, 1], bounds=(0, 1))


def test_an_interval_of_shares_holds_their_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    for a, b, n in ((8, 1, 5), (1, 1, 3), (30, 2, 12)):
        drawn = rng.beta(a, b, (400, n))
        found = [mean_interval(values, np.arange(n), bounds=(0, 1)) for values in drawn]
        assert np.mean([one.low <= a / (a + b) <= one.high for one in found]) > 0.91
        assert all(0 <= one.low <= one.value <= one.high <= 1 for one in found)
