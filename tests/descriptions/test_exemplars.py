"""Sentences and words that make neurons fire, against sorting them all.

`neurox_lite.descriptions.exemplars`, and its parts: `neurox_lite.descriptions.corpus_rows`,
`neurox_lite.descriptions.top_sentences`, `neurox_lite.descriptions.word_means`
"""

from __future__ import annotations

import sys
from dataclasses import astuple

import numpy as np
import pytest
from scipy import stats

from neurox_lite import ActivationStore, InputError, TaggedCorpus
from neurox_lite.activations.writer import open_writer
from neurox_lite.descriptions import corpus_rows
from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.exemplars import exemplars

N_SENTENCES, N_NEURONS = 150, 12
RNG = np.random.default_rng(0)
WORDS = [f"w{number}" for number in range(30)]
SENTENCES = [list(RNG.choice(WORDS, RNG.integers(1, 9))) for _ in range(N_SENTENCES)]
TAGS = [["odd" if int(word[1:]) % 2 else "even" for word in words] for words in SENTENCES]
CORPUS = TaggedCorpus(SENTENCES, {"upos": TAGS})
FLAT, LABELS = np.array(CORPUS.words()), CORPUS.labels("upos")
POSITIONS = CORPUS.labels("position").astype(int)
ONCE = list(dict.fromkeys(map(tuple, SENTENCES)))


def activations():
    """Noise with ties; neuron 0 likes w3, 1 is dead, 2 counts words, 3 is sparse."""
    X = RNG.integers(-20, 20, (CORPUS.n_words, N_NEURONS)).astype(np.float32)
    X[:, 0] += 400 * (FLAT == "w3")
    X[:, 1] = 0.1
    X[:, 2] = POSITIONS
    X[:, 3] = np.where(RNG.random(CORPUS.n_words) < 0.03, 5, 0)
    return X


X = activations()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_activations_stay_as_they_are(found, dtype):
    given = X.astype(dtype)
    own = exemplars(given, CORPUS)
    np.testing.assert_array_equal(given, X.astype(dtype))
    assert own.of(5).highest.examples == found.of(5).highest.examples


@pytest.fixture(scope="module")
def found():
    return exemplars(X, CORPUS)


def best(column, sign, n=10):
    """By sorting: (value, sentence, place) of the sentences, each once, tied ones in order."""
    rows, seen = [], set()
    for number, words in enumerate(SENTENCES):
        if tuple(words) not in seen:
            seen.add(tuple(words))
            start, end = CORPUS.sentence_offsets[number : number + 2]
            values = sign * X[start:end, column]
            rows.append((-values.max(), number, int(values.argmax())))
    return [
        (-sign * value, tuple(SENTENCES[number]), place)
        for value, number, place in sorted(rows)[:n]
    ]


def is_once():
    """Whether a word stands in the first of equal sentences; (n_words,) of bool."""
    first = {words: number for number, words in reversed(list(enumerate(map(tuple, SENTENCES))))}
    is_first = np.isin(np.arange(N_SENTENCES), list(first.values()))
    return np.repeat(is_first, np.diff(CORPUS.sentence_offsets))


def shown(examples):
    return [(each.value, each.words, each.place) for each in examples]


@pytest.mark.parametrize("block", [1, 7, 4096])
def test_examples_are_those_of_a_sort_whatever_the_blocks(monkeypatch, block):
    monkeypatch.setattr(corpus_rows.CorpusRows.spans, "__defaults__", (block,))
    found = exemplars(X, CORPUS)
    for column in (0, 2, 3, *range(4, N_NEURONS)):
        own = found.of(column)
        assert shown(own.highest.examples) == best(column, 1)
        assert shown(own.lowest.examples) == best(column, -1)


def test_quantiles_are_the_middles_of_tenths(found):
    everything = best(5, 1, len(ONCE))
    for number, each in enumerate(found.of(5).highest.quantiles):
        assert each.value == everything[int((number + 0.5) / 10 * len(everything))][0]
        assert X[:, 5].min() <= each.value <= X[:, 5].max()


def test_kinds(found):
    assert [found.of(column).category for column in range(5)] == [
        "word identity", "dead", "positional", "sparse", "dense"
    ]  # fmt: skip
    assert found.of(3).sparseness == pytest.approx(0.03, abs=0.02)
    dead = found.of(1)
    assert not dead.highest.examples + dead.lowest.examples + dead.highest.words
    assert dead.smallest == dead.largest == np.float32(0.1)


def test_words_have_their_means_and_intervals(found):
    word = found.of(0).highest.words[0]
    values = X[is_once() & (FLAT == "w3"), 0].astype(float)
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    assert (word.form, word.label, word.count) == ("w3", "odd", len(values))
    assert astuple(word.mean) == pytest.approx((values.mean(), low, high))


def test_words_that_all_neurons_like_are_left_out():
    shifted = X + 1000 * (FLAT == "w7")[:, None]
    shifted[:, 1] = 0
    found = exemplars(shifted, CORPUS, n_words=2)
    assert "w7" in found.common[0]
    assert found.of(0).highest.words[0].form == "w3"


def test_but_not_where_it_is_liked_far_more_than_elsewhere():
    shifted = X + 1000 * (FLAT == "w7")[:, None]
    shifted[:, 5] += 9000 * (FLAT == "w7")
    found = exemplars(shifted, CORPUS, n_words=2)
    assert "w7" in found.common[0]
    assert found.of(5).highest.words[0].form == "w7"
    assert all(word.form != "w7" for word in found.of(6).highest.words)


def test_a_sentence_that_is_repeated_counts_once(found):
    twice = TaggedCorpus(SENTENCES * 2, {"upos": TAGS * 2})
    again = exemplars(np.concatenate([X, X[::-1]]), twice)
    assert again.n_sentences == found.n_sentences == len(ONCE)
    assert all(again.of(column) == found.of(column) for column in range(N_NEURONS))


def test_the_order_of_sentences_does_not_matter(monkeypatch):
    monkeypatch.setattr(sys.modules[exemplars.__module__], "SAMPLE_WORDS", 150)
    order = RNG.permutation(N_SENTENCES)
    rows = np.concatenate([np.arange(*CORPUS.sentence_offsets[n : n + 2]) for n in order])
    once, again = exemplars(X, CORPUS), exemplars(X[rows], CORPUS.select(order.tolist()))
    for name in ("histogram", "sparseness", "of_word", "of_position", "categories", "values"):
        np.testing.assert_allclose(once.arrays[name], again.arrays[name], atol=1e-12)


def test_histogram_counts_the_sample(found):
    own = found.of(5)
    expected, _ = np.histogram(X[is_once(), 5], 40, (own.smallest, own.largest))
    # Fewer words than a sample has: all of them.
    np.testing.assert_array_equal(own.histogram, expected)


def store_of(path, missing=()):
    rows = X.copy()
    rows[list(missing)] = np.nan
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    with open_writer(path, CORPUS, dtype="float32", metadata=metadata) as writer:
        writer.append({0: rows[:, :5], 3: rows[:, 5:]}, missing)
        writer.finish({"n_truncated_words": 0, "n_dropped_words": 0})
    return ActivationStore(path)


def test_a_store_and_what_is_saved_of_it(tmp_path, found):
    store = store_of(tmp_path / "s.h5")
    of_store = exemplars(store, CORPUS)
    assert of_store.of("3:1").highest.examples == found.of(6).highest.examples
    of_store.save(tmp_path / "e")
    again = Exemplars.load(tmp_path / "e")
    assert again.space == of_store.space and again.of("0:3") == of_store.of("0:3")
    assert exemplars(store, CORPUS, layers=[3]).of("3:1") == of_store.of("3:1")


def test_words_without_activation_are_left_out(tmp_path):
    row = int(CORPUS.sentence_offsets[1]) - 1
    found = exemplars(store_of(tmp_path / "s.h5", [row]), CORPUS)
    assert found.n_words < found.n_sentences * 9
    assert np.isfinite(found.arrays["values"]).all()


def test_bad_input(tmp_path, caplog):
    with pytest.raises(InputError, match="made from another corpus"):
        exemplars(store_of(tmp_path / "s.h5"), TaggedCorpus([["a"]]))
    with pytest.raises(InputError, match=f"12 words, but corpus has {CORPUS.n_words}"):
        exemplars(X[:12], CORPUS)
    bad = X.copy()
    bad[40, 2] = np.inf
    with pytest.raises(InputError, match="neuron 0:2 in row 40 is infinite"):
        exemplars(bad, CORPUS)
    exemplars(X[: CORPUS.sentence_offsets[10]], CORPUS.select(range(10)))
    assert "10 different sentences are too few" in caplog.text


def test_of_some_neurons_only_these_are_kept(tmp_path):
    store = store_of(tmp_path / "s.h5")
    every, some = exemplars(store, CORPUS), exemplars(store, CORPUS, neurons=["3:1", "3:4", "3:1"])
    assert len(some) == 2 and some.space == every.space and list(some.common) == [3]
    assert some.of("3:4").highest.examples == every.of("3:4").highest.examples
    assert [row[0] for row in some.table()[1:]] == ["3:1", "3:4"]
    with pytest.raises(InputError, match="neuron 3:2 is none of the 2 of these exemplars"):
        some.of("3:2")
    with pytest.raises(InputError, match="no neurons"):
        exemplars(store, CORPUS, neurons=[])
    some.save(tmp_path / "e")
    assert Exemplars.load(tmp_path / "e").of("3:1") == some.of("3:1")
