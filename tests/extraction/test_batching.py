from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.extraction.batching import batches, split_into_shards

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


def test_batches_of_similar_sentences_are_as_full_as_the_budget_allows():
    assert list(batches([5, 5, 5, 4, 4, 4], 20)) == [[0, 1, 2, 3], [4, 5]]


def test_a_batch_ends_where_sentences_get_shorter_unless_it_is_nearly_empty():
    assert list(batches([9, 2, 9, 2, 9, 2], 100)) == [[0, 2, 4], [1, 3, 5]]
    assert list(batches([9, 2, 9, 2], 200)) == [[0, 2, 1, 3]]


def test_no_sentence_makes_no_batch():
    assert list(batches([], 10)) == []


@given(counts, budget)
def test_windows_are_neighbours_and_complete(n_words, max_words):
    found = list(split_into_shards(n_words, max_words))

    assert [i for window in found for i in window] == list(range(len(n_words)))
    for window in found:
        assert len(window) == 1 or 1 <= sum(n_words[i] for i in window) <= max_words
    for window, following in pairwise(found):
        assert sum(n_words[i] for i in window) + n_words[following[0]] > max_words
