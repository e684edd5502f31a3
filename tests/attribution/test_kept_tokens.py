"""Which kinds of words are kept, where that was decided by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import neurox_lite as nx
from neurox_lite.attribution import ExplainedTexts, TokenAttributions, kept_by, uniform
from neurox_lite.attribution.kept_tokens import MOST_LINES
from neurox_lite.errors import InputError
from neurox_lite.intervals import accuracy_interval
from neurox_lite.results.token_attributions import state_names

# The second word is two tokens, the fourth has no label.
LABELS = ["DET", "NOUN", "NOUN", "", "VERB"]
MADE = TokenAttributions(
    "mask",
    (("[CLS]", "The", "don", "##key", "[SEP]"), ("[CLS]", "dog", "'", "barks")),
    (
        np.array([[1, 1.0, 1, 0.4, 1], [1, 0.0, 0.5, 0.2, 1]]),
        np.array([[1, 0.9, 1, 0.1], [1, 0.3, 1, 0.6]]),
    ),
    ("", ""),
    state_names(2),
    words=((-1, 0, 1, 1, -1), (-1, 2, 3, 4)),
)


def test_shares_and_means_per_label_and_state():
    found = kept_by(MADE, LABELS)
    assert found.labels == ("NOUN", "DET", "VERB")
    assert found.n_tokens == (3, 1, 1)
    assert found.states == ("embeddings", "output")
    kept = [[each.value for each in row] for row in found.kept]
    assert kept == [[pytest.approx(2 / 3), pytest.approx(1 / 3)], [1, 0], [0, 1]]
    value = [[each.value for each in row] for row in found.value]
    np.testing.assert_allclose(value, [[2.3 / 3, 1 / 3], [1, 0], [0.1, 0.6]])
    nouns = accuracy_interval(np.array([True, False, True]), [0, 0, 1])
    assert found.kept[0][0] == nouns
    assert not found.value[1][0].is_known
    strict = kept_by(MADE, LABELS, threshold=0.95)
    assert [each.value for each in strict.kept[0]] == [pytest.approx(1 / 3), 0]


def test_the_true_share_is_in_the_interval():
    rng = np.random.default_rng(0)
    n_texts, n_tokens = 60, 8
    shares = {"NOUN": 0.8, "DET": 0.1}
    labels = rng.choice(list(shares), size=n_texts * n_tokens)
    kept = rng.random(labels.size) < np.array([shares[label] for label in labels])
    values = kept.reshape(n_texts, 1, n_tokens).astype(float)
    words = np.arange(labels.size).reshape(n_texts, n_tokens)
    made = TokenAttributions(
        "mask", (("x",) * n_tokens,) * n_texts, tuple(values), ("",) * n_texts, ("output",),
        words=tuple(map(tuple, words.tolist())),
    )  # fmt: skip
    found = kept_by(made, labels)
    for label, (interval,) in zip(found.labels, found.kept, strict=True):
        assert interval.low < shares[label] < interval.high
        assert interval.high - interval.low < 0.2
    mean = found.value[0][0]
    of_label = kept.astype(float)[labels == found.labels[0]]
    assert mean.value == of_label.mean()
    # Independent tokens: about as wide as without sentences.
    half = stats.norm.ppf(0.975) * of_label.std() / np.sqrt(len(of_label))
    assert (mean.high - mean.low) / 2 == pytest.approx(half, rel=0.3)


@pytest.mark.parametrize("name", ["gpt2", "lstm-0", "bert"])
def test_words_of_pairs_by_their_role(name):
    pairs = [
        pair
        for pair in nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
        if pair.template == "nounpp" and len(pair.prefix) == 5
    ][:20]
    explained = ExplainedTexts.of_pairs(nx.embedded_path(f"models/{name}"), pairs)
    roles = ["", "subject", "preposition", "", "attractor"]
    by_token = uniform(explained)
    # Of every token its place in the text.
    places = [np.arange(len(tokens), dtype=float) for tokens in by_token.tokens]
    found = kept_by(replace(by_token, values=tuple(places)), roles * len(pairs))
    assert found.states == ("input",)
    assert sorted(found.labels) == ["attractor", "preposition", "subject"]
    assert found.n_tokens == (20, 20, 20)
    expected = {
        role: np.mean([
            tokens.index(_token(name, pair.prefix[roles.index(role)]))
            for tokens, pair in zip(by_token.tokens, pairs, strict=True)
        ])
        for role in found.labels
    }  # fmt: skip
    assert {
        label: mean.value for label, (mean,) in zip(found.labels, found.value, strict=True)
    } == pytest.approx(expected)


def _token(name, word):
    return f"Ġ{word}" if name == "gpt2" else word


def test_saved_and_read_again_and_drawn(tmp_path):
    found = kept_by(MADE, LABELS)
    found.save(tmp_path / "k.json")
    assert nx.load_result(tmp_path / "k.json") == found
    assert len(found.table()) == 1 + 3 * 2
    (axis,) = found.plot().axes
    assert [label.get_text() for label in axis.get_xticklabels()] == list(found.states)
    for line, row in zip(axis.lines, found.kept, strict=True):
        assert list(line.get_ydata()) == [each.value for each in row]
    assert len(axis.collections) == 3
    many = replace(
        found,
        labels=tuple(map(str, range(30))),
        n_tokens=(1,) * 30,
        kept=found.kept[:1] * 30,
        value=found.value[:1] * 30,
        n_all_labels=300,
    )
    (axis,) = many.plot().axes
    assert len(axis.lines) == MOST_LINES
    assert "8 of 300 labels" in axis.get_title()


def test_of_many_labels_the_most_frequent_are_told():
    found, some = kept_by(MADE, LABELS), kept_by(MADE, LABELS, max_labels=2)
    assert some.labels == ("NOUN", "DET") and some.n_tokens == (3, 1)
    assert some.n_all_labels == found.n_all_labels == 3
    # Of each label all tokens count, whatever others there are.
    assert (some.kept, some.value) == (found.kept[:2], found.value[:2])
    assert "the 2 most frequent of 3" in str(some) and "frequent" not in str(found)
    assert "2 of 3 labels" in some.plot().axes[0].get_title()


def test_what_is_refused():
    with pytest.raises(InputError, match="4 labels for 5 words"):
        kept_by(MADE, LABELS[:4])
    with pytest.raises(InputError, match="no word of the texts has a label"):
        kept_by(MADE, [""] * 5)
    with pytest.raises(InputError, match="know no words"):
        kept_by(replace(MADE, words=()), LABELS)
    with pytest.raises(InputError, match="labels are one string"):
        kept_by(MADE, "NOUN")
    with pytest.raises(InputError, match="max_labels is 0"):
        kept_by(MADE, LABELS, max_labels=0)
