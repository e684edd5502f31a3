"""The probability of a sentence is the product of those of its tokens."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers as tf

from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.interventions.pair_scores import score_pairs
from neurox_lite.models.loading import load_model

PAIRS = [
    MinimalPair(("the", "old"), "cat", "cats", ("sees", "the", "dogs")),
    MinimalPair(("the", "cat"), "sees that", "that", ("bark",)),
    MinimalPair(("dogs",), "bark", "barks", (".",), sentences=("dogs bark.", "dogs barks.")),
]


def by_hand(model, tokenizer, text: str) -> float:
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    with torch.no_grad():
        logits = model(input_ids=ids).logits[0].double()
    steps = logits[:-1].log_softmax(-1)
    return float(sum(steps[i, token] for i, token in enumerate(ids[0, 1:])))


@pytest.fixture(scope="module")
def causal(tokenizers_by_kind, tmp_path_factory):
    folder = tmp_path_factory.mktemp("causal")
    tokenizer = tokenizers_by_kind["byte_bpe"]
    config = tf.GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=len(tokenizer))
    torch.manual_seed(0)
    tf.GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_against_the_model_itself(causal) -> None:
    model = tf.GPT2LMHeadModel.from_pretrained(causal).eval()
    tokenizer = tf.AutoTokenizer.from_pretrained(causal)
    expected = [
        by_hand(model, tokenizer, good) - by_hand(model, tokenizer, bad)
        for good, bad in (pair.both_sentences() for pair in PAIRS)
    ]
    np.testing.assert_allclose(score_pairs(causal, PAIRS, unit="sentence"), expected, atol=1e-5)


def test_of_a_last_word_it_is_the_odds_of_the_words() -> None:
    pairs = [
        MinimalPair(("the", "teacher"), "knows", "know"),
        MinimalPair(("the", "teachers", "near", "the", "dog"), "know", "knows"),
    ]
    model = load_model(embedded_path("models/lstm-0"), head="language")
    odds = score_pairs(model, pairs)
    np.testing.assert_allclose(score_pairs(model, pairs, unit="sentence"), odds, atol=1e-4)


def test_what_cannot_be_scored(causal) -> None:
    first = MinimalPair((), "cats", "dogs", ("bark",))
    with pytest.raises(InputError, match=r"'cats bark': differs .* in its first token"):
        score_pairs(causal, [first], unit="sentence")
    with pytest.raises(InputError, match="unknown unit 'token'; use word or sentence"):
        score_pairs(causal, PAIRS, unit="token")
    with pytest.raises(InputError, match="a masked model gives no probability to whole sentences"):
        score_pairs(embedded_path("models/bert"), PAIRS, unit="sentence")
    lstm = embedded_path("models/lstm-0")
    with pytest.raises(InputError, match="does not know a word of it"):
        score_pairs(lstm, [MinimalPair(("xyzzy",), "knows", "know")], unit="sentence")
    # By words all of these are several tokens, which is said of each.
    with pytest.raises(InputError, match=r"\(2 other pairs do not fit either\)"):
        score_pairs(causal, [MinimalPair(("the",), "a b c", "b c d")] * 3)
