"""Also of ``neurox_lite.corpora.whole_words``."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.corpora.splits import SPLITS
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.word_filter import word_filter
from neurox_lite.errors import InputError

# In train "the" occurs three times, "cat" twice, "The" once; "dog" and "a" never.
CORPUS = TaggedCorpus(
    [["The", "cat", "the", "cat"], ["the", "dog"], ["the", "the"], ["a", "cat"]],
    splits=["train", "test", "train", "dev"],
    source="cats.txt",
)


def kept(corpus=CORPUS, **filters):
    mask = word_filter(corpus, **filters)
    assert mask.shape == (corpus.n_words,) and mask.dtype == bool
    return [word for word, keep in zip(corpus.words(), mask, strict=True) if keep]


def test_no_filter_keeps_all_words_even_those_not_seen_in_train():
    assert kept() == CORPUS.words()


def test_the_pattern_matches_the_whole_word_and_minds_case():
    assert kept(pattern="t.*") == ["the", "the", "the", "the"]
    assert kept(pattern="ca|dog") == ["dog"]
    assert kept(pattern="(?i)THE") == ["The", "the", "the", "the", "the"]


def test_words_of_a_set_in_the_order_of_the_corpus():
    assert kept(words={"dog", "The", "cow"}) == ["The", "dog"]


@pytest.mark.parametrize(
    ("range_", "words"),
    [
        ({"min_frequency": 1}, {"The", "cat", "the"}),
        ({"min_frequency": 2}, {"cat", "the"}),
        ({"min_frequency": 3}, {"the"}),
        ({"max_frequency": 0}, {"dog", "a"}),
        ({"max_frequency": 1}, {"The", "dog", "a"}),
        ({"min_frequency": 2, "max_frequency": 2}, {"cat"}),
    ],
)
def test_frequency_is_counted_in_train(range_, words):
    assert set(kept(**range_)) == words


def test_frequency_without_splits_is_counted_in_the_whole_corpus():
    whole = TaggedCorpus(CORPUS.sentences)
    assert set(kept(whole, min_frequency=3)) == {"the", "cat"}
    assert set(kept(whole, max_frequency=1)) == {"The", "dog", "a"}


def test_all_filters_have_to_pass():
    assert kept(pattern=".*t.*", words={"the", "The", "dog"}, min_frequency=2) == ["the"] * 4
    assert set(kept(pattern=".{3}", max_frequency=1)) == {"The", "dog"}


letters = st.sampled_from("abcdef")
corpora = st.lists(
    st.tuples(st.sampled_from(SPLITS), st.lists(letters, min_size=1, max_size=6)), min_size=1
).map(lambda rows: TaggedCorpus([words for _, words in rows], {}, [split for split, _ in rows]))


@given(corpora, st.integers(0, 4))
def test_a_range_and_the_rest_share_all_words(corpus, border):
    """Every word is below the border or not, and all words of a type are on the same side."""
    try:
        below, above = (
            word_filter(corpus, max_frequency=border),
            word_filter(corpus, min_frequency=border + 1),
        )
    except InputError:
        return
    assert (below ^ above).all()
    sides = set(zip(corpus.words(), below.tolist(), strict=True))
    assert len(sides) == len(set(corpus.words()))
    train = [
        words for words, s in zip(corpus.sentences, corpus.splits, strict=True) if s == "train"
    ]
    frequent = {word for word, is_below in sides if not is_below}
    assert all(list(chain(*train)).count(word) > border for word in frequent)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"pattern": "("}, r"'\(' is not a regular expression \(.*\); correct it"),
        ({"pattern": "cow"}, r"cats\.txt: no word passes the word filter; give "),
        ({"words": set()}, "no word passes"),
        ({"min_frequency": 4}, "no word passes"),
        ({"min_frequency": -1}, "min_frequency is -1; give at least 0"),
        ({"min_frequency": 3, "max_frequency": 2}, "max_frequency is 2; give at least .*, 3"),
    ],
)
def test_errors_say_what_to_do(filters, message):
    with pytest.raises(InputError, match=message) as caught:
        word_filter(CORPUS, **filters)
    assert "\n" not in str(caught.value)
