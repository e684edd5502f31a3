"""Sparseness and explained variance, against closed forms.

`neurox_lite.descriptions.distribution`
"""

from __future__ import annotations

import numpy as np
import pytest

from neurox_lite import TaggedCorpus
from neurox_lite.descriptions import compositional_formulas, exemplars
from neurox_lite.descriptions.distribution import distribution, omega_squared

RNG = np.random.default_rng(0)


def test_omega_squared_is_the_share_of_groups_and_nothing_of_noise():
    """Group means with variance 3 and noise with variance 1 are three quarters."""
    groups = np.repeat(np.arange(400), 5)
    means = RNG.normal(0, np.sqrt(3), (400, 50))
    of_groups = omega_squared(means[groups] + RNG.normal(size=(2000, 50)), groups)
    assert of_groups.mean() == pytest.approx(0.75, abs=0.02)
    of_noise = omega_squared(RNG.normal(size=(2000, 200)), groups)
    # Without its correction chance would explain a fifth.
    assert of_noise.mean() < 0.02


def test_omega_squared_agrees_with_the_analysis_of_variance():
    from scipy.stats import f_oneway

    groups = RNG.integers(6, size=300)
    values = RNG.normal(size=300) + 0.3 * groups
    f = f_oneway(*(values[groups == group] for group in range(6))).statistic
    expected = 5 * (f - 1) / (5 * (f - 1) + 300)
    assert omega_squared(values[:, None], groups)[0] == pytest.approx(expected)


@pytest.mark.parametrize("share", [0.02, 0.25])
def test_sparseness_is_the_share_of_words_on_which_a_neuron_is_active(share):
    sample = np.where(RNG.random((4000, 3)) < share, 7.0, -1.0)
    of_gauss = RNG.normal(5, 2, (4000, 1))
    sample = np.hstack([sample, of_gauss])
    starts = np.arange(0, 4001, 10)
    found = distribution(sample, starts, np.arange(4000), sample.min(0), sample.max(0))
    assert found.sparseness[:3] == pytest.approx(share, rel=0.2)
    assert found.sparseness[3] == pytest.approx(2 / np.pi, rel=0.03)


@pytest.mark.parametrize(("noise", "dead"), [(1e-8, True), (1e-4, False)])
def test_a_neuron_is_constant_by_the_same_rule_as_for_formulas(noise, dead):
    """Differences such as rounding makes are none, in float64 too."""
    sentences = [[f"w{number % 7}"] * 3 for number in range(40)]
    corpus = TaggedCorpus([[*words, f"u{n}"] for n, words in enumerate(sentences)])
    X = 1 + noise * RNG.random((corpus.n_words, 1))
    assert (exemplars(X, corpus).of(0).category == "dead") == dead
    assert (compositional_formulas(X, corpus).of(0)[0].reason == "constant") == dead
