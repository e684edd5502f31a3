"""Rollout is the product of what attention does, as numpy has it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers as tf

import neurox_lite as nx
from neurox_lite.attribution import ExplainedTexts, attention_rollout
from neurox_lite.attribution.attention_rollout import roll_out
from neurox_lite.errors import InputError
from neurox_lite.models.loading import LoadedModel

TEXT = "The baker near the doctors helps the man ."


def product(attentions):
    """Of (n_heads, n_tokens, n_tokens) of each block, first block first."""
    rollout = np.eye(attentions[0].shape[-1])
    for attention in attentions:
        mixed = attention.mean(0) / 2 + np.eye(len(rollout)) / 2
        rollout = mixed @ rollout
    return rollout


def test_two_blocks_by_hand():
    """Half stays, half goes where attention looks."""
    first = torch.tensor([[[1.0, 0.0], [0.5, 0.5]]])
    second = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    last = roll_out([first, second], torch.tensor([[0.0, 1.0]]))
    # Token 1 looks at 0 by half in the second block; of what stays a quarter comes from 0.
    np.testing.assert_allclose(last, [[0.5 + 0.5 * 0.25, 0.5 * 0.75]])
    # A model may look at nothing: what is left of its row counts as a whole.
    half = roll_out([first / 2], torch.tensor([[0.0, 1.0]]))
    np.testing.assert_allclose(half, [[0.25 / 1.5, 1.25 / 1.5]])


@pytest.mark.parametrize("name", ["gpt2", "bert"])
def test_it_is_the_row_of_the_predicted_token(name):
    path = nx.embedded_path(f"models/{name}")
    text = TEXT.replace("helps", "[MASK]") if name == "bert" else TEXT
    explained = ExplainedTexts.of_texts(path, [text, f"{text} {text}".replace("[MASK]", "a", 1)])
    found = attention_rollout(explained)
    auto = tf.AutoModelForMaskedLM if name == "bert" else tf.AutoModelForCausalLM
    model = auto.from_pretrained(path, attn_implementation="eager")
    tokenizer = explained.states.loaded.tokenizer
    for ids, values in zip(explained.inputs.input_ids, found.values, strict=True):
        ids = ids[: len(values)]
        with torch.no_grad():
            attentions = model(input_ids=ids[None], output_attentions=True).attentions
        rollout = product([each[0].double().numpy() for each in attentions])
        place = -1 if name == "gpt2" else ids.tolist().index(tokenizer.mask_token_id)
        np.testing.assert_allclose(values, rollout[place], rtol=1e-4, atol=1e-6)
        assert values.sum() == pytest.approx(1)


@pytest.fixture(scope="module")
def bert():
    """A random one with a head, of the embedded tokenizer."""
    tokenizer = nx.load_model(nx.embedded_path("models/bert"), head="language").tokenizer

    def make(kind, **options):
        config = tf.BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            initializer_range=0.5,
            **options,
        )
        torch.manual_seed(0)
        return LoadedModel(kind(config).eval(), tokenizer, "small", "none")

    return make


def test_a_class_is_read_at_the_first_token_however_sure_the_model_is(bert):
    loaded = bert(tf.BertForSequenceClassification, num_labels=2)
    explained = ExplainedTexts.of_texts(loaded, [TEXT])
    usual = attention_rollout(explained).values[0]
    with torch.no_grad():
        loaded.model.classifier.weight *= 1e4
    row = torch.tensor([0])
    assert explained.output.score(explained.intact(row), explained.intact(row)) == 0
    np.testing.assert_allclose(attention_rollout(explained).values[0], usual, rtol=1e-6)
    loaded.model.set_attn_implementation("eager")
    ids = explained.inputs.input_ids
    attentions = loaded.model(input_ids=ids, output_attentions=True).attentions
    rollout = product([each[0].detach().double().numpy() for each in attentions])
    np.testing.assert_allclose(usual, rollout[0], rtol=1e-5)


def test_an_answer_is_read_everywhere(bert):
    loaded = bert(tf.BertForQuestionAnswering)
    explained = ExplainedTexts.of_texts(loaded, ["Who helps ?"], contexts=[TEXT])
    values = attention_rollout(explained).values[0]
    assert values.sum() == pytest.approx(1)
    assert (values > 0).all()


def test_of_neurons_only_the_blocks_below_them_count():
    gpt2 = nx.load_model(nx.embedded_path("models/gpt2"))
    where = nx.Location("hidden_states")
    at_first = ExplainedTexts.of_neurons(gpt2, [TEXT], "0:3", where)
    values = attention_rollout(at_first).values[0]
    assert sorted(values.tolist()) == [0.0] * (len(values) - 1) + [1.0]
    after_one = attention_rollout(ExplainedTexts.of_neurons(gpt2, [TEXT], "1:3", where)).values[0]
    assert (after_one > 0).sum() > 1


def test_a_model_without_attention_is_refused():
    explained = ExplainedTexts.of_texts(nx.embedded_path("models/lstm-0"), ["The nurse sings ."])
    with pytest.raises(InputError, match="no attention in 2 of 2 blocks"):
        attention_rollout(explained)
