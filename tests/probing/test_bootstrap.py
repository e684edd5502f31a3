"""The interval of an accuracy covers as often as it says when the words of a sentence agree."""

import numpy as np
import pytest

from neurox_lite.errors import InputError
from neurox_lite.probing.bootstrap import accuracy_interval

N_SENTENCES = 60


def corpus(rng):
    """Sentences of 5 to 14 words, right with a probability of their own; 0.7 in the mean."""
    lengths = rng.integers(5, 15, size=N_SENTENCES)
    sentences = np.repeat(np.arange(N_SENTENCES), lengths)
    chance = rng.beta(1.4, 0.6, size=N_SENTENCES)
    return rng.random(len(sentences)) < chance[sentences], sentences


def test_coverage_is_nominal_where_that_of_words_is_not():
    rng = np.random.default_rng(0)
    by_sentence = by_word = 0
    n_corpora = 300
    for seed in range(n_corpora):
        right, sentences = corpus(rng)
        interval = accuracy_interval(right, sentences, n_resamples=200, level=0.9, seed=seed)
        words = accuracy_interval(
            right, np.arange(len(right)), n_resamples=200, level=0.9, seed=seed
        )
        by_sentence += interval.low <= 0.7 <= interval.high
        by_word += words.low <= 0.7 <= words.high
    # The standard error of a share of 300 at 0.9 is 0.017.
    assert by_sentence / n_corpora == pytest.approx(0.9, abs=0.05)
    assert by_word / n_corpora < 0.7


def test_the_width_is_that_of_the_normal_law():
    # Sentences of one length, all right or all wrong: their mean has a known deviation.
    right = np.repeat(np.arange(400) % 4 > 0, 5)
    interval = accuracy_interval(right, np.arange(2000) // 5, n_resamples=4000)
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert interval.value == 0.75
    assert interval.low == pytest.approx(0.75 - half, abs=0.004)
    assert interval.high == pytest.approx(0.75 + half, abs=0.004)


def test_two_sentences_by_hand():
    # Resamples are first-first (1 of 1), second-second (0 of 3) and, half of them, both (1 of 4).
    right, sentences = [True, False, False, False], [7, 3, 3, 3]
    interval = accuracy_interval(right, sentences, level=0.4)
    assert (interval.value, interval.low, interval.high) == (0.25, 0.25, 0.25)
    interval = accuracy_interval(right, sentences, level=0.6)
    assert (interval.low, interval.high) == (0, 1)


def test_deterministic_by_seed_and_free_of_names():
    right, sentences = corpus(np.random.default_rng(3))
    names = np.array([f"sentence {number:03d}" for number in sentences])
    assert accuracy_interval(right, sentences) == accuracy_interval(right, names)
    assert accuracy_interval(right, sentences) != accuracy_interval(right, sentences, seed=1)


def test_all_right_is_a_point():
    interval = accuracy_interval(np.ones(9, bool), np.arange(9) // 2)
    assert (interval.value, interval.low, interval.high) == (1, 1, 1)


def test_errors():
    for level in (0, 1, 95, np.nan):
        with pytest.raises(InputError, match="give a number between 0 and 1"):
            accuracy_interval([True], [0], level=level)
    with pytest.raises(InputError, match="n_resamples is 0"):
        accuracy_interval([True], [0], n_resamples=0)
    with pytest.raises(InputError, match=r"groups of shape \(1,\) for 2 rows"):
        accuracy_interval([True, False], [0])
