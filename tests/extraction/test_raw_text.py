"""Activations of text as it was written are those the model has where the word stands."""

from __future__ import annotations

import logging
from itertools import pairwise

import numpy as np
import pytest
import torch
import transformers as tf
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.activations.checks import verify
from neurox_lite.activations.labelled_splits import labelled_splits
from neurox_lite.corpora.sentence_text import SentenceText, join_words
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction.alignment import align, align_in_text, subwords_in
from neurox_lite.extraction.extract import extract
from neurox_lite.extraction.tokenization import SentenceTokenizer

# "it's" and the cats are read without spaces; "du" stands for two words in one place.
WORDS = [["the", "cat", "sees", "cats", "."], ["du", "le", "it", "'s", "x1000"]]
TEXTS = [
    SentenceText("thecat sees cats.", ((0, 3), (3, 6), (7, 11), (12, 16), (16, 17))),
    SentenceText("du it's  x1000", ((0, 2), (0, 2), (3, 5), (5, 7), (9, 14))),
]
RAW = TaggedCorpus(WORDS, {"tag": [["A", "B", "A", "B", "A"]] * 2}, texts=TEXTS)


@pytest.mark.parametrize("aggregation", ["last", "first", "average"])
@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_against_the_model_itself(make_model, tmp_path, kind: str, aggregation: str) -> None:
    folder = make_model(kind)
    store = extract(folder, RAW, tmp_path / "s.h5", aggregation=aggregation)
    model = tf.AutoModel.from_pretrained(folder).eval()
    tokenizer = tf.AutoTokenizer.from_pretrained(folder)
    expected = []
    for text, spans in TEXTS:
        read = tokenizer(text, return_offsets_mapping=True, return_tensors="pt")
        offsets = read.pop("offset_mapping")[0].tolist()
        with torch.no_grad():
            states = model(**read).last_hidden_state[0].double().numpy()
        for first, stop in spans:
            inside = [
                n
                for n, (start, end) in enumerate(offsets)
                if any(first <= c < stop for c in range(start, end))
            ]
            chosen = {"last": inside[-1:], "first": inside[:1], "average": inside}[aggregation]
            expected.append(states[chosen].mean(axis=0))
    np.testing.assert_allclose(store.matrix([2])[:], np.array(expected), atol=1e-5)
    assert store.metadata["text"] == "raw"
    assert store.metadata["text_hash"] == RAW.text_hash
    assert verify(store) == []


def test_text_that_is_words_with_spaces_is_read_as_words_are(make_model, tmp_path) -> None:
    plain = TaggedCorpus([["the", "old", "cat"], ["dogs", "bark", "."]])
    raw = TaggedCorpus(plain.sentences, texts=[join_words(words) for words in plain.sentences])
    first = extract(make_model("bert"), plain, tmp_path / "a.h5")
    second = extract(make_model("bert"), raw, tmp_path / "b.h5")
    np.testing.assert_array_equal(first.matrix()[:], second.matrix()[:])
    assert "text_hash" not in first.metadata
    assert second.metadata["n_shared_words"] == 0
    assert first.metadata["job_key"] != second.metadata["job_key"]
    with pytest.raises(InputError, match="exists already"):
        extract(make_model("bert"), plain, tmp_path / "b.h5")


def test_shared_subwords_are_counted(make_model, tmp_path, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        store = extract(make_model("bert"), RAW, tmp_path / "s.h5")
    X = store.matrix()[:]
    np.testing.assert_array_equal(X[5], X[6])  # both are "du"
    assert store.metadata["n_shared_words"] >= 2
    assert f"{store.metadata['n_shared_words']} of 10 words share a subword" in caplog.text


def test_labels_are_of_the_words_however_the_text_is_read(make_model, tmp_path) -> None:
    splits = ["train", "dev", "test"]
    words, texts = (
        [["ab", "c", "ab", "c"]] * 3,
        [SentenceText("abcabc", ((0, 2), (2, 3), (3, 5), (5, 6)))] * 3,
    )
    tags = {"tag": [["X", "Y", "X", "Y"]] * 3}
    raw = TaggedCorpus(words, tags, splits, texts=texts)
    plain = TaggedCorpus(words, tags, splits)
    store = extract(make_model("gpt2"), raw, tmp_path / "raw.h5")
    for corpus in (raw, plain):
        assert labelled_splits(store, corpus, "tag").train.rows.tolist() == [0, 1, 2, 3]
    other = extract(make_model("gpt2"), plain, tmp_path / "plain.h5")
    labelled_splits(other, plain, "tag")
    with pytest.raises(InputError, match="as it was written; leave out text='raw'"):
        labelled_splits(other, raw, "tag")


def test_pooled_text(make_model, tmp_path) -> None:
    store = extract(make_model("bert"), RAW, tmp_path / "s.h5", pooling="mean")
    assert store.words() == [text for text, _ in TEXTS]
    again = TaggedCorpus([[text] for text, _ in TEXTS])
    same = extract(make_model("bert"), again, tmp_path / "again.h5", pooling="mean")
    np.testing.assert_array_equal(store.matrix()[:], same.matrix()[:])
    assert store.metadata["n_words"] == 10


def test_a_tokenizer_without_offsets(tokenizers_by_kind) -> None:
    tokenize = SentenceTokenizer(tokenizers_by_kind["sentencepiece"])
    with pytest.raises(InputError, match="needs; use a model with a fast tokenizer"):
        tokenize(WORDS, ["here"] * 2, texts=TEXTS)


def test_a_character_that_no_subword_covers() -> None:
    text = SentenceText("abc", ((0, 2), (2, 3)))
    assert align_in_text(text, [(0, 0), (0, 2), (2, 3)], "here") == ((1,), (2,))
    assert align_in_text(text, [(0, 1), (1, 3)], "here") == ((0, 1), (1,))
    with pytest.raises(InputError, match="here: the subwords of 'ab' miss its character 'b'"):
        align_in_text(text, [(0, 1), (2, 3)], "here")


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.data())
def test_subwords_are_those_that_overlap(lengths: list[int], data) -> None:
    ends = np.cumsum(lengths).tolist()
    spans = tuple(zip([0, *ends[:-1]], ends, strict=True))
    text = SentenceText("x" * ends[-1], spans)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, ends[-1] - 1)))) | {0, ends[-1]})
    offsets = [(0, 0), *pairwise(cuts), (0, 0)]
    expected = tuple(
        tuple(
            n
            for n, (start, end) in enumerate(offsets)
            if set(range(start, end)) & set(range(*span))
        )
        for span in spans
    )
    assert subwords_in(text, offsets) == align_in_text(text, offsets, "here") == expected
    words = ["x" * n for n in lengths]
    assert align(words, [(s, e) for s, e in join_words(words).spans], "here") == tuple(
        (n,) for n in range(len(words))
    )
