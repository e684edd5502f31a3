import logging

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurox_lite.activations.checks import verify
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction.alignment import AlignedSentence
from neurox_lite.extraction.extract import extract
from neurox_lite.extraction.long_sentences import truncate, windows
from neurox_lite.extraction.tokenization import SentenceTokenizer
from neurox_lite.models.loading import load_model


@st.composite
def aligned_sentences(draw):
    """Special tokens are 900, 901, ... and 950, 951, ...; every other subword is its position.

    Words may be dropped, and have subwords around them that belong to no word, as space marks.
    """
    n_before, n_after = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    position, words = n_before, []
    for _ in range(draw(st.integers(1, 25))):
        position += draw(st.sampled_from([0, 0, 1]))
        length = draw(st.sampled_from([0, 1, 1, 1, 2, 3, 9]))
        words.append(tuple(range(position, position + length)))
        position += length
    ids = (
        *range(900, 900 + n_before),
        *range(n_before, position),
        *range(950, 950 + n_after),
    )
    types = draw(st.sampled_from([(), tuple(reversed(ids))]))
    return AlignedSentence(ids, tuple(words), n_before, n_after, types)


def check_piece(sentence, piece):
    """A piece is the special tokens around neighbouring subwords; gives the first of these."""
    n_before, n_after = sentence.n_before, sentence.n_after
    assert (piece.n_before, piece.n_after) == (n_before, n_after)
    assert len(piece.subwords) == len(sentence.subwords)
    ids = list(piece.input_ids)
    assert ids[:n_before] == list(range(900, 900 + n_before))
    assert ids[len(ids) - n_after :] == list(range(950, 950 + n_after))
    inner = ids[n_before : len(ids) - n_after]
    assert inner == list(range(inner[0], inner[0] + len(inner)))
    if sentence.token_types:
        type_of = dict(zip(sentence.input_ids, sentence.token_types, strict=True))
        assert list(piece.token_types) == [type_of[i] for i in ids]
    else:
        assert piece.token_types == ()
    # A word that is taken from here is the word: all its subwords.
    for word, found in zip(sentence.subwords, piece.subwords, strict=True):
        assert tuple(ids[p] for p in found) in ((), word)
    return inner[0]


@pytest.mark.heavy
@given(aligned_sentences(), st.integers(1, 12), st.data())
@settings(max_examples=500, deadline=None)
def test_every_word_is_in_the_window_where_it_has_most_context(sentence, room, data):
    size = sentence.n_before + room + sentence.n_after
    stride = data.draw(st.one_of(st.none(), st.integers(1, room)))
    pieces = windows(sentence, size, stride)
    if len(sentence.input_ids) <= size:
        assert pieces == [sentence]
        return

    starts = [check_piece(sentence, piece) for piece in pieces]
    assert starts == sorted(set(starts))
    assert all(len(piece.input_ids) == size for piece in pieces)
    assert starts[0] == sentence.n_before
    last = len(sentence.input_ids) - sentence.n_after
    assert starts[-1] == last - room
    regular = set(range(sentence.n_before, last - room, stride or max(1, room // 2)))
    assert regular <= set(starts)
    own = set(starts) - regular - {last - room}

    def context(word, start):
        """Subwords of the window on the word's poorer side; negative where it does not fit."""
        return min(word[0] - start, start + room - 1 - word[-1])

    for number, word in enumerate(sentence.subwords):
        taken_from = [start for start, p in zip(starts, pieces, strict=True) if p.subwords[number]]
        if not word or len(word) > room:
            assert taken_from == []
            continue
        best = max(context(word, start) for start in starts)
        assert len(taken_from) == 1
        assert context(word, taken_from[0]) == best >= 0
        # A window of its own has the word as near the middle as any place in the sentence allows.
        if taken_from[0] in own and all(context(word, s) < 0 for s in set(starts) - own):
            anywhere = range(sentence.n_before, last - room + 1)
            assert len(own) > 1 or best == max(context(word, start) for start in anywhere)


def test_windows_by_hand():
    sentence = AlignedSentence((101, *range(1, 9), 102), tuple((i,) for i in range(1, 9)), 1, 1)

    first, second, third = windows(sentence, 6, None)  # 4 words each, every 2

    assert first.input_ids == (101, 1, 2, 3, 4, 102)
    assert first.subwords == ((1,), (2,), (3,), (), (), (), (), ())
    assert second.input_ids == (101, 3, 4, 5, 6, 102)
    assert second.subwords == ((), (), (), (2,), (3,), (), (), ())
    assert third.input_ids == (101, 5, 6, 7, 8, 102)
    assert third.subwords == ((), (), (), (), (), (2,), (3,), (4,))


def test_a_word_that_every_window_cuts_gets_one_of_its_own():
    sentence = AlignedSentence(tuple(range(12)), ((0, 1, 2), (3, 4), (5, 6), tuple(range(7, 12))))

    pieces = windows(sentence, 4, 4)

    assert [piece.input_ids for piece in pieces] == [
        (0, 1, 2, 3),
        (2, 3, 4, 5),
        (4, 5, 6, 7),
        (8, 9, 10, 11),
    ]
    assert [piece.subwords for piece in pieces] == [
        ((0, 1, 2), (), (), ()),
        ((), (1, 2), (), ()),
        ((), (), (1, 2), ()),
        ((), (), (), ()),
    ]


@given(aligned_sentences(), st.one_of(st.none(), st.integers(5, 60)))
@settings(max_examples=300, deadline=None)
def test_truncation_keeps_whole_words_and_the_special_tokens(sentence, limit):
    cut = truncate(sentence, limit)
    if limit is None or len(sentence.input_ids) <= limit:
        assert cut == sentence
        return

    assert check_piece(sentence, cut) == sentence.n_before
    assert len(cut.input_ids) == limit
    room = limit - sentence.n_after
    assert [bool(w) for w in cut.subwords] == [
        bool(w) and all(position < room for position in w) for w in sentence.subwords
    ]


# Through the model.

TEXT = ["the", "old", "cat", "sees", "internationalisation", "dogs", "bark", "naïve", "at", "her"]
LONG = [["cat"], TEXT * 3, ["bark", "dog"], [*TEXT, "zebra"] * 2]
CORPUS = TaggedCorpus(LONG, source="long.txt")
WINDOW = 14


@pytest.fixture(params=["bert", "gpt2", "llama"])
def loaded(request, make_model):
    return load_model(str(make_model(request.param)), device="cpu")


@torch.no_grad()
def run(loaded, ids):
    hidden = loaded.model(torch.tensor([ids]), output_hidden_states=True).hidden_states
    return torch.stack(hidden)[:, 0]


def by_hand(loaded, sentence, size, stride):
    """The last subword of each word in the window that has most of its context, by brute force."""
    ids = list(sentence.input_ids)
    before = ids[: sentence.n_before]
    after = ids[len(ids) - sentence.n_after :] if sentence.n_after else []
    inner = ids[len(before) : len(ids) - len(after)]
    room = size - len(before) - len(after)
    starts = [s for s in range(0, len(inner), stride) if s + room < len(inner)]
    starts = [*starts, len(inner) - room] if len(inner) > room else [0]
    states = [run(loaded, before + inner[s : s + room] + after) for s in starts]
    rows = []
    for word in sentence.subwords:
        first, last = word[0] - len(before), word[-1] - len(before)
        contexts = [min(first - s, s + room - 1 - last) for s in starts]
        best = contexts.index(max(contexts))
        assert contexts[best] >= 0
        rows.append(states[best][:, last - starts[best] + len(before)])
    return torch.stack(rows, dim=1).numpy()


@pytest.mark.parametrize("batch_tokens", [1, 4096])
@pytest.mark.parametrize("stride", [None, 1, 3])
def test_every_activation_is_that_of_the_window_chosen(loaded, tmp_path, stride, batch_tokens):
    options = {"window": WINDOW, "stride": stride, "batch_tokens": batch_tokens}
    store = extract(loaded, CORPUS, tmp_path / "s.h5", **options)

    where = ["here"] * len(LONG)
    sentences = SentenceTokenizer(loaded.tokenizer)(LONG, where)
    n_special = sentences[0].n_before + sentences[0].n_after
    assert len(sentences[1].input_ids) > 2 * WINDOW
    expected = [by_hand(loaded, s, WINDOW, stride or (WINDOW - n_special) // 2) for s in sentences]
    found = np.stack([store.layer(layer)[:] for layer in store.space.layers])
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), atol=1e-5)
    assert store.missing.size == 0
    assert store.metadata["n_truncated_words"] == store.metadata["n_dropped_words"] == 0
    assert store.metadata["window"] == WINDOW
    assert verify(store) == []


def test_sentences_that_fit_are_as_without_windows(loaded, tmp_path):
    corpus = TaggedCorpus([["cat"], ["bark", "dog"], ["the", "old", "cat"]])

    plain = extract(loaded, corpus, tmp_path / "plain.h5")
    windowed = extract(loaded, corpus, tmp_path / "windowed.h5", window=WINDOW)

    for layer in plain.space.layers:
        np.testing.assert_allclose(windowed.layer(layer)[:], plain.layer(layer)[:], atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 17}, r"^window is 17, but .* takes 16 subwords; give less"),
        ({"window": 1}, r"window is 1; give at least 2 subwords"),
        ({"window": 2}, r"window is 2, all of it special tokens"),
        ({"window": 10, "stride": 0}, r"stride is 0; give at least 1"),
        ({"stride": 3}, r"a stride needs a window"),
        ({"window": 10, "stride": 9}, r"stride is 9, but a window of 10 has room for 8 .* gaps"),
        ({"window": 10, "stride": 30}, r"stride is 30"),
        ({"window": 10, "pooling": "mean"}, r"a window cannot be combined with pooling"),
    ],
)
def test_windows_that_cannot_be(make_model, tmp_path, options, message):
    bert = load_model(str(make_model("bert")), device="cpu")

    with pytest.raises(InputError, match=message):
        extract(bert, CORPUS, tmp_path / "s.h5", **options)

    assert not list(tmp_path.iterdir())


def test_windows_without_overlap_may_be(make_model, tmp_path):
    bert = load_model(str(make_model("bert")), device="cpu")

    store = extract(bert, CORPUS, tmp_path / "s.h5", window=16, stride=14)

    assert store.missing.size == 0


def test_words_longer_than_the_window_are_refused_or_counted(make_model, tmp_path, caplog):
    bert = load_model(str(make_model("bert")), device="cpu")
    corpus = TaggedCorpus([["cat", "catdog" * 6, "bark"], ["dog", "\u200b"]], source="f.txt")

    with pytest.raises(
        InputError,
        match=r"^f\.txt: 1 words have more subwords than a window of 8 has room for \(the first is "
        r"in sentence 1\), .*give a larger window, or leave",
    ):
        extract(bert, corpus, tmp_path / "s.h5", window=8)
    assert not list(tmp_path.iterdir())

    with caplog.at_level(logging.WARNING):
        store = extract(bert, corpus, tmp_path / "s.h5", window=8, allow_missing=True)
    assert store.missing.tolist() == [1, 4]
    assert store.metadata["n_truncated_words"] == 1
    assert store.metadata["n_dropped_words"] == 1
    assert verify(store) == []
    assert len(caplog.records) == 2
