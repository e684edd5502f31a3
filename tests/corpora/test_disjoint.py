import random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from neurox_lite.corpora.disjoint import find_disjoint_words
from neurox_lite.corpora.splits import SPLITS
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

letters = st.sampled_from("abcdefghijklmnopqrst")
rows = st.lists(
    st.tuples(st.sampled_from(SPLITS), st.lists(letters, min_size=1, max_size=4)),
    min_size=1,
    max_size=30,
)
seeds = st.integers(0, 3)


def make(made):
    return TaggedCorpus([words for _, words in made], {}, [split for split, _ in made])


def by_split(corpus, items, kept):
    """The items of the kept words, as a set per split."""
    lengths = np.diff(corpus.sentence_offsets)
    split_of_word = np.repeat(np.asarray(corpus.splits), lengths)
    items = np.asarray(items)
    return [set(items[kept & (split_of_word == split)].tolist()) for split in SPLITS]


def texts_of_words(corpus):
    lengths = np.diff(corpus.sentence_offsets)
    return np.repeat([corpus.text(i) for i in range(len(corpus))], lengths)


def assert_disjoint(sets):
    assert sum(map(len, sets)) == len(set().union(*sets))


def test_a_sentence_stays_in_the_first_split_that_has_it():
    corpus = TaggedCorpus(
        [["a", "b"], ["c"], ["a b"], ["a", "b"], ["c"], ["b", "a"], ["a", "b"]],
        {},
        ["test", "test", "dev", "train", "dev", "test", "train"],
    )
    # "a b" is train's, in whatever words; "c" is dev's; "b a" is new.
    kept = find_disjoint_words(corpus, "sentences")
    assert kept.tolist() == [
        *[False] * 2,
        False,
        False,
        *[True] * 2,
        True,
        *[True] * 2,
        *[True] * 2,
    ]


@given(rows, seeds)
def test_no_split_shares_a_sentence(made, seed):
    corpus = make(made)
    kept = find_disjoint_words(corpus, "sentences", seed)

    assert_disjoint(by_split(corpus, texts_of_words(corpus), kept))
    everything = np.ones_like(kept)
    before = by_split(corpus, texts_of_words(corpus), everything)
    after = by_split(corpus, texts_of_words(corpus), kept)
    assert set().union(*after) == set().union(*before)  # no sentence is lost altogether
    assert after[0] == before[0]  # train stays whole


@given(rows, seeds)
def test_no_split_shares_a_word_type_or_a_sentence(made, seed):
    corpus = make(made)
    kept = find_disjoint_words(corpus, "types", seed)

    assert_disjoint(by_split(corpus, corpus.words(), kept))
    assert_disjoint(by_split(corpus, texts_of_words(corpus), kept))
    assert not (kept & ~find_disjoint_words(corpus, "sentences")).any()


@given(rows, seeds, st.randoms(use_true_random=False))
def test_the_order_of_the_sentences_does_not_matter(made, seed, shuffle):
    order = list(range(len(made)))
    shuffle.shuffle(order)
    for by in ("sentences", "types"):
        kept = find_disjoint_words(make(made), by, seed)
        shuffled = find_disjoint_words(make([made[i] for i in order]), by, seed)
        parts = np.split(kept, make(made).sentence_offsets[1:-1])
        assert np.concatenate([parts[i] for i in order]).tolist() == shuffled.tolist()


@given(rows, st.integers(0, 50))
def test_how_often_a_type_occurs_does_not_decide_where_it_goes(made, seed):
    """Sentences that repeat known words in train leave the other splits' words as they were."""
    words = sorted({word for _, sentence in made for word in sentence})
    assume(len(words) > 4)  # longer than any sentence, so that none has this text
    kept = find_disjoint_words(make(made), "types", seed)
    longer = find_disjoint_words(make([*made, ("train", words)]), "types", seed)
    assert longer[: len(kept)].tolist() == kept.tolist()


def test_shares_of_the_types_and_the_seed():
    types = [f"w{i}" for i in range(200)]
    in_all_splits = [(split, [word, split]) for split in SPLITS for word in types]
    corpus = make(in_all_splits)
    sets = by_split(corpus, corpus.words(), find_disjoint_words(corpus, "types", seed=1))
    found = [len(words - set(SPLITS)) for words in sets]

    assert sum(found) == 200  # the names of the splits, also words here, move the counts by 3
    assert abs(found[0] - 160) <= 3 and abs(found[1] - 20) <= 3
    again = [find_disjoint_words(corpus, "types", seed=seed) for seed in (1, 1, 2)]
    assert (again[0] == again[1]).all() and (again[0] != again[2]).any()


def test_random_splits_of_single_words_are_disjoint_already():
    """Sentences of pooled stores are words: nothing is lost when the seed is that of the split."""
    texts = [f"sentence {random.Random(i).random()}" for i in range(50)]
    corpus = TaggedCorpus([[text] for text in texts]).with_random_split(seed=5)
    assert find_disjoint_words(corpus, "types", seed=5).all()


def test_bad_input():
    corpus = make([("train", ["a"])])
    with pytest.raises(InputError, match="disjoint is 'words'; give sentences or types"):
        find_disjoint_words(corpus, "words")
    with pytest.raises(InputError, match="corpus: no splits to keep apart"):
        find_disjoint_words(TaggedCorpus([["a"]]), "types")
