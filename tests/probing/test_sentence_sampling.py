"""Samples of sentences: whole, nested, as large as asked, and the same whatever they are called."""

import numpy as np
import pytest

from neurox_lite.errors import InputError
from neurox_lite.intervals import sentence_numbers
from neurox_lite.probing.nested_fits import nested_samples

LENGTHS = [3, 1, 7, 2, 5, 2]
GROUPS = np.repeat([40, 2, 30, 7, 11, 9], LENGTHS)
SHARES = (0.01, 0.2, 0.5, 0.9, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_samples_are_nested_whole_sentences_no_more_than_hold_the_share(seed):
    samples = nested_samples(GROUPS, SHARES, seed)
    before: set[int] = set()
    for share, sample in zip(SHARES, samples, strict=True):
        assert np.all(np.diff(sample) > 0)
        assert before <= set(sample.tolist())
        before = set(sample.tolist())
        inside, outside = GROUPS[sample], np.delete(GROUPS, sample)
        assert not set(inside) & set(outside)
        longest = np.unique(inside, return_counts=True)[1].max()
        assert len(sample) - longest < share * 20 <= len(sample)
    assert samples[-1].tolist() == list(range(20))


def test_shares_that_end_at_a_sentence_take_no_further_one():
    # 0.07 * 100 is a little above 7.
    samples = nested_samples(np.arange(100), (0.07, 0.29, 1.0), seed=0)
    assert [len(sample) for sample in samples] == [7, 29, 100]


def test_seeds_differ_and_names_do_not_matter():
    one, other = (nested_samples(GROUPS, (0.5,), seed)[0].tolist() for seed in (0, 1))
    assert one != other
    renamed = np.array([f"s{sentence:02d}" for sentence in GROUPS])
    assert nested_samples(renamed, (0.5,), 0)[0].tolist() == one


def test_groups_must_fit():
    assert sentence_numbers([5, 5, 9, 2], 4).tolist() == [1, 1, 2, 0]
    with pytest.raises(InputError, match=r"groups of shape \(3,\) for 4 rows"):
        sentence_numbers([1, 2, 3], 4)
    with pytest.raises(InputError, match="for 0 rows"):
        sentence_numbers([], 0)
