import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurox_lite.errors import InputError
from neurox_lite.extraction.alignment import align, without_space_marks

WORDS = ["ab", "cde"]  # text: "ab cde"
TOKENIZERS = ["wordpiece", "byte_bpe", "prefixed_bpe", "unigram"]
ODD_WORDS = [
    "the",
    "internationalisation" * 6,
    "e\u0301",
    "\u0301",
    "👩‍👩‍👧",
    "👍🏽",
    "\u200b",
    "a\u200bb",
    "\ufeff",
    "\u00ad",
    "东京",
    "مرحبا",
    "مُحَمَّد",
    "\x07",
    "a\x07b",
    "\ufffd",
    "\u3000a",
    "1 000",
    "▁",
    "Ġ",
    "ﬁ",
    "½",
    "한국어",
    "각",
    "aaaaaaaaaaaa",
    "[SEP]",
    "<s>",
    "...",
]
character = st.one_of(
    st.sampled_from("aābc.'-1"), st.characters(exclude_categories=["Cs"], codec="utf-8")
)
any_word = st.one_of(st.sampled_from(ODD_WORDS), st.text(character, min_size=1, max_size=6)).filter(
    lambda word: not word.isspace()
)


def spans(words):
    starts = [sum(len(w) + 1 for w in words[:i]) for i in range(len(words))]
    return [(start, start + len(word)) for start, word in zip(starts, words, strict=True)]


@pytest.mark.parametrize("kind", TOKENIZERS)
@given(words=st.lists(any_word, min_size=1, max_size=5))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_subwords_lie_in_their_word_and_cover_it_or_the_sentence_is_refused(
    kind, words, tokenizers_by_kind
):
    text = " ".join(words)
    encoding = tokenizers_by_kind[kind](text, return_offsets_mapping=True)
    offsets = encoding["offset_mapping"]
    try:
        aligned = align(words, encoding["input_ids"], offsets, "here")
    except InputError as error:
        assert str(error).startswith("here: ")
        return
    assert list(aligned.input_ids) == encoding["input_ids"]
    used = [position for subwords in aligned.subwords for position in subwords]
    assert used == sorted(set(used))
    for (start, end), subwords in zip(spans(words), aligned.subwords, strict=True):
        covered = {c for position in subwords for c in range(*offsets[position])}
        assert not any(text[c] != " " for c in covered - set(range(start, end)))
        if subwords:
            uncovered = [text[c] for c in range(start, end) if c not in covered]
            assert all(unicodedata.category(c)[0] in "CMZ" or c == "\ufffd" for c in uncovered)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_ordinary_words_in_many_scripts_all_get_subwords(kind, tokenizers_by_kind):
    words = ["the", "naïve", "internationalisation", "东京", "مرحبا", "👩‍👩‍👧", "x1000", "."]
    encoding = tokenizers_by_kind[kind](" ".join(words), return_offsets_mapping=True)

    aligned = align(words, encoding["input_ids"], encoding["offset_mapping"], "here")

    assert all(aligned.subwords)


def test_hand_made_subwords_and_special_tokens():
    offsets = [(0, 0), (0, 1), (1, 2), (3, 6), (0, 0)]

    aligned = align(WORDS, [9, 5, 6, 7, 8], offsets, "here")

    assert aligned.subwords == ((1, 2), (3,))
    assert aligned.input_ids == (9, 5, 6, 7, 8)


@pytest.mark.parametrize("offsets", [[(0, 2), (2, 6)], [(0, 3), (3, 6)], [(0, 2), (2, 3), (3, 6)]])
def test_spaces_inside_offsets_belong_to_no_word(offsets):
    aligned = align(WORDS, range(len(offsets)), offsets, "here")

    assert aligned.subwords == ((0,), (len(offsets) - 1,))


@pytest.mark.parametrize("offsets", [[(0, 6)], [(0, 1), (1, 4), (4, 6)]])
def test_a_subword_in_two_words_is_refused(offsets):
    with pytest.raises(InputError, match=r"here: subword '.*' lies in 'ab' and 'cde'.*use another"):
        align(WORDS, range(len(offsets)), offsets, "here")


@pytest.mark.parametrize("offsets", [[(0, 2), (3, 5)], [(0, 2), (4, 6)], [(0, 2), (3, 4), (5, 6)]])
def test_an_uncovered_character_is_refused(offsets):
    with pytest.raises(InputError, match=r"here: the subwords of 'cde' miss its character '[cde]'"):
        align(WORDS, range(len(offsets)), offsets, "here")


@pytest.mark.parametrize("deleted", ["\u0301", "\u200d", "\x07", "\ufffd", "\u00ad"])
def test_a_character_that_tokenizers_delete_may_be_uncovered(deleted):
    aligned = align(["a" + deleted, "b"], [1, 2], [(0, 1), (3, 4)], "here")

    assert aligned.subwords == ((0,), (1,))


def test_a_dropped_word_has_no_subwords():
    aligned = align(["ab", "\u200b", "c"], [1, 2], [(0, 2), (5, 6)], "here")

    assert aligned.subwords == ((0,), (), (1,))


def test_several_subwords_of_one_character():
    aligned = align(["é", "a"], [1, 2, 3], [(0, 1), (0, 1), (2, 3)], "here")

    assert aligned.subwords == ((0, 1), (2,))


def test_a_lone_space_mark_is_part_of_no_word_wherever_it_stands(tokenizers_by_kind):
    tokenizer = tokenizers_by_kind["unigram"]
    text = "x1000 x1000"
    encoding = tokenizer(text, return_offsets_mapping=True)
    subwords = encoding.tokens()
    assert subwords[0] == "▁"
    offsets = without_space_marks(text, subwords, encoding["offset_mapping"])

    first, second = align(text.split(), encoding["input_ids"], offsets, "here").subwords

    assert [subwords[i] for i in first] == [subwords[i] for i in second]
    assert "▁" not in {subwords[i] for i in first}


@pytest.mark.parametrize("mark", ["▁", "Ġ"])
def test_a_word_that_is_a_space_mark_stays(mark):
    offsets = without_space_marks(
        f"a {mark}", [mark, "a", mark, mark], [(0, 1), (0, 1), (1, 2), (2, 3)]
    )

    assert offsets == [(0, 0), (0, 1), (1, 1), (2, 3)]
