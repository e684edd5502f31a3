"""Stores of different models and tokenizers over the same words, row by row."""

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.activations.writer import open_writer
from neurox_lite.errors import InputError

SENTENCES = [
    ["cats", "bark"],
    ["the", "old", "dogs", "."],
    ["internationalisation"] * 3,
    ["dog"],
]
CORPUS = nx.TaggedCorpus(SENTENCES, source="words.txt")
WORDS = CORPUS.words()


def extract(folder, path, corpus=CORPUS, **options):
    return nx.extract(str(folder), corpus, path, device="cpu", **options)


def test_different_tokenizers_and_special_tokens(make_model, tmp_path):
    bert = extract(make_model("bert"), tmp_path / "b.h5", special_tokens=True)
    plain = extract(make_model("bert"), tmp_path / "p.h5")
    gpt2 = extract(make_model("gpt2"), tmp_path / "g.h5", site="mlp")
    a, b, c = nx.align_stores([bert, plain, gpt2])
    assert len(a) == len(b) == len(c) == len(WORDS)
    assert [bert.words()[row] for row in a.rows] == WORDS
    np.testing.assert_allclose(a[:], b[:], atol=1e-5)
    assert (a.space, c.space) == (bert.space, gpt2.space)
    some = nx.align_stores([gpt2, bert], layers=[1])
    assert [X.space.layers for X in some] == [(1,), (1,)]
    np.testing.assert_array_equal(some[0][:], gpt2.layer(1)[:])


def test_words_without_an_activation_are_left_out_of_all(make_model, tmp_path):
    """BERT reads 16 subwords at most; the other two models read all words."""
    long = nx.TaggedCorpus([["dogs"] * 20, *SENTENCES])
    options = {"allow_missing": True, "special_tokens": True}
    bert = extract(make_model("bert"), tmp_path / "b.h5", long, **options)
    gpt2 = extract(make_model("gpt2"), tmp_path / "g.h5", long)
    assert 0 < len(bert.missing) < 20
    for a, b in (nx.align_stores([bert, gpt2]), nx.align_stores([gpt2, bert])[::-1]):
        assert len(a) == len(b) == long.n_words - len(bert.missing)
        assert [bert.words()[i] for i in a.rows] == [gpt2.words()[i] for i in b.rows]
        assert np.isfinite(a[:]).all()
        expected = np.setdiff1d(np.arange(long.n_words), np.arange(20 - len(bert.missing), 20))
        np.testing.assert_array_equal(b.rows, expected)


def written(path, sentences, missing=()):
    corpus = nx.TaggedCorpus(sentences)
    block = np.random.default_rng(0).normal(size=(corpus.n_words, 3)).astype("f4")
    block[list(missing)] = np.nan
    metadata = {"model": "m", "revision": "", "site": "mlp"}
    with open_writer(path, corpus, dtype="float32", metadata=metadata) as writer:
        writer.append({0: block}, missing)
        writer.finish({"n_truncated_words": len(missing), "n_dropped_words": 0})
    return nx.ActivationStore(path)


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ([["a", "b"], ["C"]], r"y\.h5: word 2 is 'C' and 'c' in .*x\.h5; extract both"),
        ([["a", "b"], ["c", "d"]], r"y\.h5: 4 words, and 3 in .*x\.h5"),
        ([["a"], ["b", "c"]], r"y\.h5: the words of .*x\.h5 in other sentences"),
    ],
)
def test_other_words(tmp_path, sentences, message):
    x = written(tmp_path / "x.h5", [["a", "b"], ["c"]])
    y = written(tmp_path / "y.h5", sentences)
    with pytest.raises(InputError, match=message):
        nx.align_stores([x, x, y])


def test_errors(tmp_path):
    with pytest.raises(InputError, match="no stores"):
        nx.align_stores([])
    x = written(tmp_path / "x.h5", [["a", "b"]], missing=[0])
    y = written(tmp_path / "y.h5", [["a", "b"]], missing=[1])
    assert [len(X) for X in nx.align_stores([x, x])] == [1, 1]
    with pytest.raises(InputError, match=r"x\.h5: no word has an activation in all stores"):
        nx.align_stores([x, y])
    with pytest.raises(InputError, match=r"y\.h5: no layer 5"):
        nx.align_stores([y], layers=[5])
