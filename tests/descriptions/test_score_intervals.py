"""Intervals of scores hold what the score would be on all sentences, and are no points."""

import numpy as np
import pytest
from scipy.stats import norm, ttest_ind
from simulated_neurons import Simulation
from sklearn.metrics import average_precision_score, roc_auc_score

from neurox_lite.descriptions.score_intervals import (
    average_precision,
    correlation,
    mean_difference,
    overlap,
    roc_auc,
)

N_DRAWS = 150


def intervals(present, activations, sentences, threshold):
    active = activations >= threshold
    iou, f1 = overlap(active, present, sentences)
    return {
        "auprc": average_precision(present.astype(float), active, sentences),
        "inverse_auprc": average_precision(activations, present, sentences),
        "correlation": correlation(present.astype(float), activations, sentences),
        "iou": iou,
        "f1": f1,
    }


def coverage(simulation, group=lambda sentences: sentences):
    """How often each interval holds the score of a sample so large that it is the true one."""
    threshold = simulation.threshold
    many = simulation.draw(np.random.default_rng(98), 200_000 // simulation.n_words)
    true = intervals(*many, threshold)
    rng = np.random.default_rng(0)
    held = dict.fromkeys(true, 0)
    for _ in range(N_DRAWS):
        present, activations, sentences = simulation.draw(rng)
        for name, found in intervals(present, activations, group(sentences), threshold).items():
            held[name] += found.low <= true[name].value <= found.high
    return {name: count / N_DRAWS for name, count in held.items()}


@pytest.mark.parametrize(
    "simulation",
    [
        Simulation(1000),
        Simulation(1000, signal=0),
        Simulation(200, share=0.1, signal=4),
        Simulation(200, n_words=5, share=0.1, in_common=0.3),
    ],
    ids=lambda s: f"{s.n_sentences} of {s.n_words}, signal {s.signal:g}",
)
def test_coverage(simulation):
    held = coverage(simulation)
    # The standard error of a share of 150 at 0.95 is 0.018.
    assert min(held.values()) >= 0.9, held


def test_intervals_over_words_would_cover_less():
    simulation = Simulation(60, n_words=10, share=0.3, signal=1, in_common=0.8)
    over_words = coverage(simulation, group=lambda sentences: np.arange(len(sentences)))
    assert max(over_words.values()) < 0.85


def test_the_variance_is_that_of_derivatives():
    """By a change of every example's weight, with ties; one example a sentence."""
    rng = np.random.default_rng(0)
    values, right = rng.integers(0, 8, 120).astype(float), rng.random(120) < 0.4
    derivative = np.empty(120)
    for row in range(120):
        ends = []
        for step in (-1e-4, 1e-4):
            weights = np.ones(120)
            weights[row] += step
            ends.append(average_precision_score(right, values, sample_weight=weights))
        derivative[row] = (ends[1] - ends[0]) / 2e-4
    half = 1.96 * np.sqrt((derivative**2).sum())
    found = average_precision(values, right, np.arange(120))
    assert found.value == pytest.approx(average_precision_score(right, values))
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.05)


def test_a_correlation_of_normal_values_has_the_interval_of_fisher():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, 4000))
    found = correlation(x, x + noise, np.arange(4000))
    half = 1.96 / np.sqrt(4000 - 3)
    ends = np.tanh(np.arctanh(found.value) + np.array([-half, half]))
    assert (found.low, found.high) == pytest.approx(ends, abs=0.002)


def test_a_perfect_description_is_no_point():
    """The fewer sentences what is described is in, the less is known."""
    lows = []
    for n in (5, 20, 200):
        present = np.arange(1000) < n
        found = intervals(present, present.astype(float), np.arange(1000), 0.5)
        assert all(each.value == pytest.approx(1) for each in found.values())
        assert all(each.high == pytest.approx(1) for each in found.values())
        lows.append([each.low for each in found.values()])
    assert (np.diff(lows, axis=0) > 0).all()
    assert max(lows[0]) < 0.75 and min(lows[2]) > 0.95
    opposite = correlation(1.0 * present, -1.0 * present, np.arange(1000))
    assert opposite.value == pytest.approx(-1) and opposite.high > -1


def test_order_and_names_of_sentences_are_of_no_account():
    present, activations, sentences = Simulation(100, n_words=3, share=0.2).draw(
        np.random.default_rng(0)
    )
    order = np.random.default_rng(1).permutation(len(present))
    one = intervals(present, activations, sentences, 1.0)
    other = intervals(present[order], activations[order], 99 - sentences[order], 1.0)
    for name, found in one.items():
        ends = (other[name].value, other[name].low, other[name].high)
        assert ends == pytest.approx((found.value, found.low, found.high)), name


@pytest.mark.parametrize("decimals", [0, 8])
def test_auc_is_that_of_scikit_learn(decimals):
    rng = np.random.default_rng(0)
    values, right = rng.normal(size=200).round(decimals), rng.random(200) < 0.2
    of_one_group = np.zeros(200, int)
    assert roc_auc(values, right, of_one_group).value == pytest.approx(roc_auc_score(right, values))
    groups = rng.integers(4, size=200)
    by_group = [
        (roc_auc_score(right[own], values[own]), right[own].sum() * (~right[own]).sum())
        for own in (groups == group for group in range(4))
    ]
    aucs, n_pairs = zip(*by_group, strict=True)
    assert roc_auc(values, right, groups).value == pytest.approx(np.average(aucs, weights=n_pairs))


def test_what_groups_explain_is_not_in_the_auc():
    rng = np.random.default_rng(0)
    groups = np.arange(1000) // 100
    right = rng.random(1000) < (groups + 1) / 11
    values = groups + rng.normal(size=1000)
    assert roc_auc(values, right, np.zeros(1000, int)).low > 0.7
    within = roc_auc(values, right, groups)
    assert within.low < 0.5 < within.high and within.high - within.low < 0.1
    # Where all of a group are right, there is nothing to compare.
    nothing = roc_auc(values, groups > 4, groups)
    assert nothing.value == 0.5 and not nothing.is_known


@pytest.mark.parametrize(("n_right", "n_others", "shift"), [(20, 20, 0.5), (100, 900, 2.5)])
def test_coverage_of_two_samples(n_right, n_others, shift):
    rng = np.random.default_rng(0)
    right = np.arange(n_right + n_others) < n_right
    groups, held = np.zeros(len(right), int), np.zeros(2)
    for _ in range(N_DRAWS):
        values = rng.normal(size=len(right)) + shift * right
        found = roc_auc(values, right, groups), mean_difference(values, right)
        true = norm.cdf(shift / np.sqrt(2)), shift
        held += [each.low <= value <= each.high for each, value in zip(found, true, strict=True)]
    assert (held >= 0.9 * N_DRAWS).all(), held


def test_mean_difference_is_nearly_that_of_welch():
    rng = np.random.default_rng(0)
    values, right = rng.normal(size=2000), np.arange(2000) < 500
    values[right] = 1 + 2 * values[right]
    found = mean_difference(values, right)
    welch = ttest_ind(values[right], values[~right], equal_var=False).confidence_interval()
    assert found.value == pytest.approx(values[right].mean() - values[~right].mean())
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high), abs=5e-3)
    few = mean_difference(values, np.arange(2000) < 4)
    assert not few.is_known and np.isinf(few.low)
    assert not roc_auc(values, np.arange(2000) < 4, np.zeros(2000, int)).is_known


def test_where_nothing_varies_an_auc_is_no_point():
    right, groups = np.arange(60) < 20, np.zeros(60, int)
    for values, value in ((np.zeros(60), 0.5), (right * 1.0, 1.0), (right * -1.0, 0.0)):
        found = roc_auc(values, right, groups)
        assert found.value == value and found.high - found.low > 0.1
