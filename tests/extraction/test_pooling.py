"""One row per sentence."""

import numpy as np
import pytest
import torch

from neurox_lite.activations.checks import verify
from neurox_lite.activations.labelled_splits import labelled_splits
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.word_filter import word_filter
from neurox_lite.errors import InputError
from neurox_lite.extraction.extract import extract
from neurox_lite.models.loading import load_model

SENTENCES = [
    ["cats", "bark"],
    ["the", "x1000", "sees", "internat", "."],
    ["dog"],
    ["old", "cats", "see", "the", "dogs", "at", "her"],
]
CORPUS = TaggedCorpus(SENTENCES, source="words.txt")


@pytest.fixture(params=["bert", "roberta", "gpt2", "llama"])
def kind(request):
    return request.param


@pytest.fixture
def loaded(kind, make_model):
    return load_model(str(make_model(kind)), device="cpu")


@torch.no_grad()
def hidden(loaded, words):
    """Subwords as text, and all hidden states: (n_layers, n_subwords, width)."""
    ids = loaded.tokenizer(" ".join(words))["input_ids"]
    states = loaded.model(torch.tensor([ids]), output_hidden_states=True).hidden_states
    return loaded.tokenizer.convert_ids_to_tokens(ids), torch.stack(states)[:, 0]


SPECIAL = {"[CLS]", "[SEP]", "<s>", "</s>"}
BY_HAND = {
    "mean": lambda tokens, states: states[
        :, [i for i, t in enumerate(tokens) if t not in SPECIAL | {"▁", "Ġ"}]
    ].mean(1),
    "cls": lambda tokens, states: states[:, 0],
    "last": lambda tokens, states: states[
        :, max(i for i, t in enumerate(tokens) if t not in SPECIAL)
    ],
}


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
@pytest.mark.parametrize("batch_tokens", [1, 4096])
def test_equals_pooling_by_hand(loaded, kind, tmp_path, pooling, batch_tokens):
    if kind == "gpt2" and pooling == "cls":
        with pytest.raises(
            InputError,
            match=r"^words\.txt: sentence 1: .* puts no special token before a sentence; use "
            r"--pooling mean or last",
        ):
            extract(loaded, CORPUS, tmp_path / "s.h5", pooling=pooling)
        assert not list(tmp_path.iterdir())
        return

    store = extract(loaded, CORPUS, tmp_path / "s.h5", pooling=pooling, batch_tokens=batch_tokens)

    expected = [BY_HAND[pooling](*hidden(loaded, words)) for words in SENTENCES]
    found = np.stack([store.layer(layer)[:] for layer in store.space.layers], axis=1)
    np.testing.assert_allclose(found, torch.stack(expected), atol=1e-5)
    if pooling != "cls":
        assert np.ptp(found, axis=0).max() > 1e-2
    assert store.words() == [" ".join(words) for words in SENTENCES]
    assert store.sentence_offsets.tolist() == [0, 1, 2, 3, 4]
    assert store.metadata["pooling"] == pooling
    assert store.missing.size == 0
    assert verify(store) == []


def test_the_aggregation_of_words_does_not_change_pooling(make_model, tmp_path):
    bert = load_model(str(make_model("bert")), device="cpu")
    stores = [
        extract(bert, CORPUS, tmp_path / f"{a}.h5", pooling="mean", aggregation=a)
        for a in ("first", "last", "average")
    ]

    for store in stores[1:]:
        np.testing.assert_array_equal(store.layer(2)[:], stores[0].layer(2)[:])


@pytest.mark.parametrize("options", [{"special_tokens": True}, {"window": 10}])
def test_pooling_goes_without_special_tokens_and_windows(make_model, tmp_path, options):
    with pytest.raises(InputError, match="cannot be combined with pooling; leave one of them out"):
        extract(make_model("bert"), CORPUS, tmp_path / "s.h5", pooling="mean", **options)


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_sentences_that_are_too_long_or_dropped_are_counted(make_model, tmp_path, pooling):
    bert = load_model(str(make_model("bert")), device="cpu")
    sentences = [["\u200b", "\x07"], ["cat"], ["dog"] * 20, ["\u200b", "dog"]]
    corpus = TaggedCorpus(sentences, source="f.txt")

    with pytest.raises(InputError, match=r"^f\.txt: 1 sentences are longer than the 16 subwords"):
        extract(bert, corpus, tmp_path / "s.h5", pooling=pooling)
    store = extract(bert, corpus, tmp_path / "s.h5", pooling=pooling, allow_missing=True)

    assert store.missing.tolist() == [0, 2]
    assert store.metadata["n_truncated_words"] == store.metadata["n_dropped_words"] == 1
    expected = BY_HAND[pooling](*hidden(bert, ["dog"]))[2]
    np.testing.assert_allclose(store.layer(2)[3:][0], expected, atol=1e-5)
    assert verify(store) == []


# Labels of sentences.


def labelled_corpus():
    sentences, positive, upos = [], [], []
    for i in range(12):
        words = ["old", "cats"] if i % 2 else ["the", "dog", "sees"]
        sentences.append([*words, f"x{i}"])
        positive.append(["yes" if i % 2 else "no"] * len(sentences[-1]))
        upos.append([str(k) for k in range(len(sentences[-1]))])
    splits = ["train"] * 6 + ["dev"] * 2 + ["test"] * 4
    return TaggedCorpus(sentences, {"positive": positive, "upos": upos}, splits, "f.txt")


def test_labelled_splits_gives_one_row_per_sentence(make_model, tmp_path):
    corpus = labelled_corpus()
    store = extract(make_model("bert"), corpus, tmp_path / "s.h5", pooling="mean", device="cpu")

    splits = labelled_splits(store, corpus, "positive", layers=[2])

    assert splits.train.rows.tolist() == [0, 1, 2, 3, 4, 5]
    assert splits.dev.rows.tolist() == [6, 7]
    assert splits.test.rows.tolist() == [8, 9, 10, 11]
    assert splits.train.y.tolist() == ["no", "yes"] * 3
    assert splits.test.y.tolist() == ["no", "yes"] * 2
    np.testing.assert_array_equal(splits.test.X[:], store.layer(2)[8:])

    with pytest.raises(InputError, match=r"no labels called 'upos'; this corpus has: positive"):
        labelled_splits(store, corpus, "upos")


def test_sentences_of_a_pooled_store_are_chosen_as_words_are(make_model, tmp_path):
    corpus = labelled_corpus()
    store = extract(make_model("bert"), corpus, tmp_path / "s.h5", pooling="mean", device="cpu")
    keep = word_filter(corpus.by_sentence(), pattern=".* x([0-7]|11)")

    splits = labelled_splits(store, corpus, "positive", keep=keep)

    assert splits.train.rows.tolist() == [0, 1, 2, 3, 4, 5]
    assert splits.test.rows.tolist() == [11]
    with pytest.raises(InputError, match="one bool for each of its 12 rows"):
        labelled_splits(store, corpus, "positive", keep=np.ones(corpus.n_words, dtype=bool))


def test_labelled_splits_refuses_another_corpus(make_model, tmp_path):
    corpus = labelled_corpus()
    store = extract(make_model("bert"), corpus, tmp_path / "s.h5", pooling="mean", device="cpu")
    other = TaggedCorpus(
        [["other"], *corpus.sentences[1:]],
        {"positive": [["no"], *corpus.tags["positive"][1:]]},
        corpus.splits,
        "other.txt",
    )

    with pytest.raises(InputError, match=r"made from another corpus than other\.txt"):
        labelled_splits(store, other, "positive")


def test_a_store_of_words_is_not_read_by_sentence(make_model, tmp_path):
    corpus = labelled_corpus()
    store = extract(make_model("bert"), corpus, tmp_path / "s.h5", device="cpu")

    splits = labelled_splits(store, corpus, "positive")

    assert len(splits.train.rows) == sum(map(len, corpus.sentences[:6]))
