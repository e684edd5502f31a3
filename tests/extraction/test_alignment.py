from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurox_lite.errors import InputError
from neurox_lite.extraction.alignment import align, align_pieces, without_space_marks

WORDS = ["ab", "cde"]  # text: "ab cde"


@st.composite
def cut_texts(draw):
    """Words cut at random, with the offsets and the word of each subword as they were made.

    A subword may hold the space before or after it, a space may be a subword of its own or in
    none, a character may be several subwords (bytes), and special tokens stand anywhere.
    """
    words = draw(st.lists(st.text("aéß東 ", min_size=1, max_size=5), min_size=1, max_size=6))
    words = [word for word in words if not word.isspace()] or ["a"]
    offsets, owners, start = [], [], 0
    for number, word in enumerate(words):
        end = start + len(word)
        cuts = sorted(draw(st.sets(st.integers(start, end), max_size=3)) | {start, end})
        for first, last in pairwise(cuts):
            before = first == start and number > 0 and draw(st.booleans())
            after = last == end and number < len(words) - 1 and draw(st.booleans())
            repeated = draw(st.integers(1, 3)) if last - first == 1 else 1
            offsets += [(first - before, last + after)] * repeated
            owners += [number] * repeated
        if draw(st.booleans()):
            offsets.append((end, end + 1))
            owners.append(None)
        if draw(st.booleans()):
            offsets.append((0, 0))
            owners.append(None)
        start = end + 1
    return words, offsets, owners


@given(cut_texts())
@settings(max_examples=300, deadline=None)
def test_every_subword_goes_to_the_word_it_was_cut_from(made):
    words, offsets, owners = made
    expected = [tuple(i for i, owner in enumerate(owners) if owner == n) for n in range(len(words))]

    assert align(words, offsets, "here") == tuple(expected)


@given(cut_texts(), st.data())
@settings(max_examples=200, deadline=None)
def test_a_subword_that_reaches_into_the_next_word_is_refused(made, data):
    words, offsets, owners = made
    inner = [i for i, owner in enumerate(owners) if owner is not None and owner < len(words) - 1]
    if not inner:
        return
    i = data.draw(st.sampled_from(inner))
    next_word = sum(len(word) + 1 for word in words[: owners[i] + 1])
    offsets[i] = (offsets[i][0], data.draw(st.integers(next_word + 1, len(" ".join(words)))))

    with pytest.raises(InputError, match=r"^here: subword '.*' spans "):
        align(words, offsets, "here")


def test_hand_made_subwords_and_special_tokens():
    assert align(WORDS, [(0, 0), (0, 1), (1, 2), (3, 6), (0, 0)], "here") == ((1, 2), (3,))


@pytest.mark.parametrize("offsets", [[(0, 2), (2, 6)], [(0, 3), (3, 6)], [(0, 2), (2, 3), (3, 6)]])
def test_spaces_inside_offsets_belong_to_no_word(offsets):
    assert align(WORDS, offsets, "here") == ((0,), (len(offsets) - 1,))


@pytest.mark.parametrize("offsets", [[(0, 6)], [(0, 1), (1, 4), (4, 6)]])
def test_a_subword_in_two_words_is_refused(offsets):
    with pytest.raises(InputError, match=r"here: subword '.*' spans 'ab' and 'cde'.*use another"):
        align(WORDS, offsets, "here")


@pytest.mark.parametrize("offsets", [[(0, 2), (3, 5)], [(0, 2), (4, 6)], [(0, 2), (3, 4), (5, 6)]])
def test_an_uncovered_character_is_refused(offsets):
    with pytest.raises(InputError, match=r"here: the subwords of 'cde' miss its character '[cde]'"):
        align(WORDS, offsets, "here")


@pytest.mark.parametrize("deleted", ["\u0301", "\u200d", "\x07", "\ufffd", "\u00ad"])
def test_a_character_that_tokenizers_delete_may_be_uncovered(deleted):
    assert align(["a" + deleted, "b"], [(0, 1), (3, 4)], "here") == ((0,), (1,))


def test_a_dropped_word_has_no_subwords():
    assert align(["ab", "\u200b", "c"], [(0, 2), (5, 6)], "here") == ((0,), (), (1,))
    assert align(["ab", "c"], [], "here") == ((), ())


def test_several_subwords_of_one_character():
    assert align(["é", "a"], [(0, 1), (0, 1), (2, 3)], "here") == ((0, 1), (2,))


def test_subwords_that_go_backwards_find_their_words():
    assert align(["a", "b", "c"], [(4, 5), (0, 1), (2, 3)], "here") == ((1,), (2,), (0,))


def test_a_lone_space_mark_is_part_of_no_word_wherever_it_stands(tokenizers_by_kind):
    tokenizer = tokenizers_by_kind["unigram"]
    text = "x1000 x1000"
    encoding = tokenizer(text, return_offsets_mapping=True)
    subwords = encoding.tokens()
    assert subwords[0] == "▁"
    offsets = without_space_marks(text, subwords, encoding["offset_mapping"])

    first, second = align(text.split(), offsets, "here")

    assert [subwords[i] for i in first] == [subwords[i] for i in second]
    assert "▁" not in {subwords[i] for i in first}


@pytest.mark.parametrize("mark", ["▁", "Ġ"])
def test_a_word_that_is_a_space_mark_stays(mark):
    offsets = without_space_marks(
        f"a {mark}", [mark, "a", mark, mark], [(0, 1), (0, 1), (1, 2), (2, 3)]
    )

    assert offsets == [(0, 0), (0, 1), (1, 1), (2, 3)]


# Without offsets: a sentence is compared with its words alone.


def test_pieces_one_after_another():
    assert align_pieces(["a", "b", "c"], [[1], [], [2, 1]], [1, 2, 1], "here") == ((0,), (), (1, 2))


@pytest.mark.parametrize("bare", [[1, 2, 3, 3], [1, 2], [3, 1, 2], [1, 3, 2], []])
def test_other_pieces_in_the_sentence_than_alone_are_refused(bare):
    with pytest.raises(InputError, match=r"^here: its tokenizer gives no character offsets, and"):
        align_pieces(["a", "b"], [[1, 2], [3]], bare, "here")


def test_the_refusal_names_the_word_that_is_read_otherwise():
    with pytest.raises(InputError, match=r"^here: .*it reads 'b' differently alone and in"):
        align_pieces(["a", "b"], [[1, 2], [3]], [1, 2, 4], "here")
    with pytest.raises(InputError, match=r"^here: .*subwords that no word has alone; use a model"):
        align_pieces(["a", "b"], [[1, 2], [3]], [1, 2, 3, 4], "here")
