from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.extraction.batching import batches, windows

counts = st.lists(st.integers(1, 30), min_size=1, max_size=40)
budget = st.integers(1, 60)


@given(counts, budget)
def test_batches_hold_every_sentence_once_within_the_budget(lengths, max_tokens):
    found = list(batches(lengths, max_tokens))

    assert sorted(i for batch in found for i in batch) == list(range(len(lengths)))
    for batch in found:
        padded = max(lengths[i] for i in batch) * len(batch)
        assert padded <= max_tokens or len(batch) == 1
        assert [lengths[i] for i in batch] == sorted((lengths[i] for i in batch), reverse=True)


def test_batches_are_as_full_as_the_budget_allows():
    assert list(batches([1, 3, 1, 1, 3, 3], 6)) == [[1, 4], [5, 0], [2, 3]]


def test_no_sentence_makes_no_batch():
    assert list(batches([], 10)) == []


@given(counts, budget)
def test_windows_are_neighbours_and_complete(n_words, max_words):
    found = list(windows(n_words, max_words))

    assert [i for window in found for i in window] == list(range(len(n_words)))
    for window in found:
        assert len(window) == 1 or 1 <= sum(n_words[i] for i in window) <= max_words
    for window, following in pairwise(found):
        assert sum(n_words[i] for i in window) + n_words[following[0]] > max_words
