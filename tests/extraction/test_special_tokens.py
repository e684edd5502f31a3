"""Rows for the special tokens that a tokenizer adds, beside those of the words."""

import numpy as np
import pytest
import torch

from neurox_lite.activations.checks import verify
from neurox_lite.activations.labelled_splits import labelled_splits
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction import job as job_module
from neurox_lite.extraction.extract import extract
from neurox_lite.models.loading import load_model

pytestmark = pytest.mark.heavy

SENTENCES = [
    ["cats", "bark"],
    ["the", "old", "dogs", "."],
    ["dog"],
    ["old", "cats", "see", "the", "dogs", "at", "her"],
]
CORPUS = TaggedCorpus(SENTENCES, source="words.txt")
FRAMES = {
    "bert": (["[CLS]"], ["[SEP]"]),
    "roberta": (["<s>"], ["</s>"]),
    "llama": (["<s>"], []),
    "t5": ([], ["</s>"]),
}


@pytest.fixture(params=FRAMES)
def kind(request):
    return request.param


@pytest.fixture
def loaded(kind, make_model):
    return load_model(str(make_model(kind)), device="cpu")


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(job_module, "SHARD_BYTES", 1)
    monkeypatch.setattr(job_module, "MIN_SHARD_WORDS", 5)


def layers_of(store):
    return np.stack([store.layer(layer)[:] for layer in store.space.layers])


@torch.no_grad()
def special_by_hand(loaded, words, n_before, n_after):
    """Hidden states of the special tokens of one sentence: (n_layers, n_special, width)."""
    model = loaded.model.get_encoder() if loaded.is_encoder_decoder else loaded.model
    ids = loaded.tokenizer(" ".join(words))["input_ids"]
    states = torch.stack(model(torch.tensor([ids]), output_hidden_states=True).hidden_states)[:, 0]
    chosen = [*range(n_before), *range(len(ids) - n_after, len(ids))]
    return states[:, chosen]


def check_special(loaded, kind, store, plain, sentences=SENTENCES):
    """Words are as without special tokens, and special tokens are those of the model by hand."""
    before, after = FRAMES[kind]
    rows = [[*before, *words, *after] for words in sentences]
    special = [[*before, *[None] * len(words), *after] for words in sentences]
    special = np.flatnonzero([token is not None for row in special for token in row])

    assert store.words() == [token for row in rows for token in row]
    assert np.diff(store.sentence_offsets).tolist() == [len(row) for row in rows]
    assert store.special.tolist() == special.tolist()
    assert sorted([*store.special, *store.word_rows]) == list(range(store.n_rows))
    np.testing.assert_allclose(layers_of(store)[:, store.word_rows], layers_of(plain), atol=1e-5)
    by_hand = [special_by_hand(loaded, words, len(before), len(after)) for words in sentences]
    by_hand = torch.cat(by_hand, dim=1)
    np.testing.assert_allclose(layers_of(store)[:, special], by_hand, atol=1e-5)
    assert store.metadata["corpus_hash"] == plain.metadata["corpus_hash"]
    assert verify(store) == []


@pytest.mark.parametrize("batch_tokens", [1, 4096])
def test_rows_of_special_tokens_stand_around_those_of_the_words(
    loaded, kind, tmp_path, batch_tokens
):
    plain = extract(loaded, CORPUS, tmp_path / "plain.h5")
    options = {"special_tokens": True, "batch_tokens": batch_tokens}
    store = extract(loaded, CORPUS, tmp_path / "s.h5", **options)

    check_special(loaded, kind, store, plain)
    assert store.missing.size == 0
    assert plain.special.size == 0
    assert plain.word_rows.tolist() == list(range(CORPUS.n_words))


@pytest.mark.parametrize("out", ["s.h5", "folder"])
def test_over_several_shards(loaded, kind, tmp_path, small_shards, out):
    plain = extract(loaded, CORPUS, tmp_path / "plain.h5")
    store = extract(loaded, CORPUS, tmp_path / out, special_tokens=True)

    assert len(store.metadata["checksums"]) > 2
    check_special(loaded, kind, store, plain)


def test_a_tokenizer_without_special_tokens_is_refused(make_model, tmp_path):
    with pytest.raises(InputError, match="its tokenizer adds no special tokens"):
        extract(make_model("gpt2"), CORPUS, tmp_path / "s.h5", special_tokens=True, device="cpu")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("aggregation", ["first", "average"])
def test_a_special_token_is_one_subword_whatever_the_aggregation(make_model, tmp_path, aggregation):
    bert = load_model(str(make_model("bert")), device="cpu")
    plain = extract(bert, CORPUS, tmp_path / "plain.h5", aggregation=aggregation)
    options = {"special_tokens": True, "aggregation": aggregation}
    store = extract(bert, CORPUS, tmp_path / "s.h5", **options)

    check_special(bert, "bert", store, plain)


# Words without activations.


@pytest.mark.parametrize("nothing_first", [True, False])
def test_a_sentence_whose_words_are_all_dropped_keeps_its_special_tokens(
    make_model, tmp_path, nothing_first
):
    bert = load_model(str(make_model("bert")), device="cpu")
    nothing, something = ["\u200b", "\x07"], ["old", "cats"]
    sentences = [nothing, something] if nothing_first else [something, nothing]
    corpus = TaggedCorpus(sentences)
    plain = extract(bert, corpus, tmp_path / "plain.h5", allow_missing=True)
    store = extract(bert, corpus, tmp_path / "s.h5", allow_missing=True, special_tokens=True)

    check_special(bert, "bert", store, plain, sentences)
    assert store.missing.tolist() == ([1, 2] if nothing_first else [5, 6])


def test_a_sentence_cut_short_keeps_its_special_tokens(make_model, tmp_path):
    bert = load_model(str(make_model("bert")), device="cpu")
    corpus = TaggedCorpus([["cat"], ["."] * 20, ["dog"]])
    options = {"special_tokens": True, "allow_missing": True}

    store = extract(bert, corpus, tmp_path / "s.h5", **options)

    assert store.missing.tolist() == list(range(3 + 1 + 14, 3 + 1 + 20))
    assert store.metadata["n_truncated_words"] == 6
    dot = bert.tokenizer.convert_tokens_to_ids(".")
    cls, sep = bert.tokenizer.convert_tokens_to_ids(["[CLS]", "[SEP]"])
    with torch.no_grad():
        states = bert.model(torch.tensor([[cls, *[dot] * 14, sep]])).last_hidden_state[0]
    np.testing.assert_allclose(store.layer(2)[3:18], states[:15], atol=1e-5)
    np.testing.assert_allclose(store.layer(2)[24:25], states[15:], atol=1e-5)
    assert verify(store) == []


# Windows: the first special tokens are those of the first window, the last those of the last.


def test_with_windows(make_model, tmp_path, small_shards):
    bert = load_model(str(make_model("bert")), device="cpu")
    words = ["cats"] * 5 + ["dog", "bark", "."]
    corpus = TaggedCorpus([["cat"], words, ["dog"]])
    options = {"window": 8, "stride": 2}

    plain = extract(bert, corpus, tmp_path / "plain.h5", **options)
    store = extract(bert, corpus, tmp_path / "s.h5", special_tokens=True, **options)

    rows = store.word_rows
    np.testing.assert_allclose(layers_of(store)[:, rows], layers_of(plain), atol=1e-5)
    assert store.special.tolist() == [0, 2, 3, 12, 13, 15]
    assert [store.words()[row] for row in store.special] == ["[CLS]", "[SEP]"] * 3
    cls, *inner, sep = bert.tokenizer(" ".join(words))["input_ids"]
    assert len(inner) > 8
    with torch.no_grad():
        first = bert.model(torch.tensor([[cls, *inner[:6], sep]])).last_hidden_state[0]
        last = bert.model(torch.tensor([[cls, *inner[-6:], sep]])).last_hidden_state[0]
    np.testing.assert_allclose(store.layer(2)[3:4], first[:1], atol=1e-5)
    np.testing.assert_allclose(store.layer(2)[12:13], last[-1:], atol=1e-5)
    assert store.missing.size == 0
    assert verify(store) == []


# Later stages see words only.


def labelled_corpus():
    sentences = [["old", "cats", "bark"], ["dog"], ["the", "old", "dogs", "."]] * 3
    tags = [
        [word[0] if word in ("old", "dog", "cats", "dogs") else "" for word in s] for s in sentences
    ]
    splits = ["train"] * 3 + ["dev"] * 3 + ["test"] * 3
    return TaggedCorpus(sentences, {"letter": tags}, splits, "f.txt")


@pytest.mark.parametrize("options", [{}, {"window": 4, "stride": 1}])
def test_labelled_splits_finds_the_rows_of_the_words(loaded, kind, tmp_path, small_shards, options):
    corpus = labelled_corpus()
    options = {**options, "allow_missing": True}
    plain = extract(loaded, corpus, tmp_path / "plain.h5", **options)
    plain = labelled_splits(plain, corpus, "letter", min_count=1)
    store = extract(loaded, corpus, tmp_path / "s.h5", special_tokens=True, **options)

    splits = labelled_splits(store, corpus, "letter", min_count=1)

    tokens = store.words()
    for name in ("train", "dev", "test"):
        found, expected = getattr(splits, name), getattr(plain, name)
        assert found.rows.tolist() == expected.rows.tolist()
        assert found.y.tolist() == expected.y.tolist()
        assert [tokens[row][0] for row in found.X.rows] == found.y.tolist()
        np.testing.assert_allclose(found.X[:], expected.X[:], atol=1e-5)


def test_words_without_activations_are_left_out_of_the_splits(make_model, tmp_path):
    corpus = labelled_corpus()
    sentences = [["\u200b", *words] for words in corpus.sentences]
    tags = [["o", *row] for row in corpus.tags["letter"]]
    corpus = TaggedCorpus(sentences, {"letter": tags}, corpus.splits, "f.txt")
    options = {"special_tokens": True, "allow_missing": True, "device": "cpu"}
    store = extract(make_model("bert"), corpus, tmp_path / "s.h5", **options)

    splits = labelled_splits(store, corpus, "letter", min_count=1)

    words = corpus.words()
    for name in ("train", "dev", "test"):
        found = getattr(splits, name)
        assert [words[row][0] for row in found.rows] == found.y.tolist()
        assert np.isfinite(found.X[:]).all()
    assert splits.train.y.tolist() == ["o", "c", "d", "o", "d"]
