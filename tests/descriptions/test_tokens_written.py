"""The tokens that neurons write, against all effects computed at once and the running model."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import torch
import transformers as tf

from neurox_lite.descriptions import tokens_written
from neurox_lite.descriptions.neuron_tokens import TokensWritten
from neurox_lite.errors import InputError
from neurox_lite.interventions.addition import add_to_neurons
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.location import Location
from neurox_lite.models.neuron_spaces import neuron_space
from neurox_lite.neurons import Neuron, NeuronSpace
from tests.architectures import build

HEADS = Location(site="attention_heads")


@pytest.fixture(scope="module")
def gpt2(tokenizers_by_kind):
    """With more rows in its unembedding than its tokenizer has tokens."""
    tokenizer = tokenizers_by_kind["byte_bpe"]
    return LoadedModel(
        build("gpt2", len(tokenizer) + 7, "AutoModelForCausalLM"), tokenizer, "tiny", "1"
    )


def all_effects(loaded, layer, unit):
    """Of a neuron of ``mlp`` on every token, times the divisor; by the names of GPT-2's modules."""
    model, n_tokens = loaded.model, len(loaded.tokenizer)
    column = model.transformer.h[layer].mlp.c_proj.weight[unit].double()
    column = (column - column.mean()) * model.transformer.ln_f.weight.double()
    effects = model.lm_head.weight[:n_tokens].double() @ column
    return (effects - effects.mean()).detach().numpy()


def test_they_are_the_largest_and_smallest_of_all_effects(gpt2):
    neurons = ["2:3", Neuron(0, 20), "1:11"]
    found = tokens_written(gpt2, neurons, k=4)
    assert found.neurons == (Neuron(2, 3), Neuron(0, 20), Neuron(1, 11))
    for row, neuron in enumerate(found.neurons):
        effects = all_effects(gpt2, *neuron) / found.divisor
        order = np.argsort(effects)
        assert np.allclose(found.raised_by[row], effects[order[::-1][:4]], rtol=1e-4)
        assert np.allclose(found.lowered_by[row], effects[order[:4]], rtol=1e-4)
        assert np.allclose(found.std[row], effects.std(), rtol=1e-4)
        for tokens, best in ((found.raised, order[::-1]), (found.lowered, order)):
            assert gpt2.tokenizer.convert_tokens_to_ids(list(tokens[row])) == best[:4].tolist()


def test_blocks_change_nothing(gpt2, monkeypatch):
    whole = tokens_written(gpt2, k=7)
    module = import_module("neurox_lite.descriptions.tokens_written")
    monkeypatch.setattr(module, "NEURONS_AT_ONCE", 5)
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 6)
    blocks = tokens_written(gpt2, k=7)
    assert len(whole) == 3 * 24
    assert (blocks.raised, blocks.lowered) == (whole.raised, whole.lowered)
    assert np.allclose(blocks.raised_by, whole.raised_by, rtol=1e-5)
    assert np.allclose(blocks.std, whole.std, rtol=1e-5)
    alone = tokens_written(gpt2, "1:11", Location(site="mlp", layers=1), k=7)
    assert alone.raised == whole.of("1:11").raised
    assert np.allclose(alone.raised_by, whole.of("1:11").raised_by, rtol=1e-5)


@pytest.mark.parametrize("where", [Location(site="mlp"), HEADS])
def test_a_wide_model_does_what_they_say(tokenizers_by_kind, where):
    """Parallel blocks, so that nothing of the model reads what the last heads write either."""
    tokenizer = tokenizers_by_kind["byte_bpe"]
    torch.manual_seed(0)
    config = tf.GPTNeoXConfig(
        vocab_size=len(tokenizer), hidden_size=192, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=64, initializer_range=0.1,
    )  # fmt: skip
    model = tf.GPTNeoXForCausalLM(config).eval()
    loaded = LoadedModel(model, tokenizer, "wide", "1")
    found = tokens_written(loaded, ["1:5", "1:40"], where, k=len(tokenizer))
    space = neuron_space(loaded, where.site)
    ids = tokenizer("the old cat sees the dogs that bark at her .", return_tensors="pt").input_ids
    for row, neuron in enumerate(found.neurons):
        shift = np.zeros(space.n_neurons)
        shift[space.column(neuron)] = 0.1
        with torch.no_grad():
            before = model(ids).logits[0]
            with add_to_neurons(loaded, space, shift):
                change = (model(ids).logits[0] - before) / 0.1
        order = tokenizer.convert_tokens_to_ids(list(found.raised[row]))
        change = (change - change.mean(-1, keepdim=True)).numpy()[:, order]
        correlations = [np.corrcoef(each, found.raised_by[row])[0, 1] for each in change]
        assert min(correlations) > 0.97 and np.median(correlations) > 0.99
        assert (change.argmax(1) < 3).all() and (change.argmin(1) >= len(order) - 3).all()
        slopes = change @ found.raised_by[row] / np.square(found.raised_by[row]).sum()
        assert 0.6 < np.median(slopes) < 1.6


def test_the_result(gpt2, tmp_path):
    found = tokens_written(gpt2, ["2:3", "0:1"], k=3)
    assert found.table()[0] == ["layer", "unit", "direction", "rank", "token", "effect", "std"]
    assert [row[:4] for row in found.table()[1:5]] == [
        [2, 3, "raised", 1], [2, 3, "raised", 2], [2, 3, "raised", 3], [2, 3, "lowered", 1],
    ]  # fmt: skip
    assert found.of("0:1").neurons == (Neuron(0, 1),)
    assert found.of("0:1").raised == (found.raised[1],)
    assert str(found).startswith("TokensWritten by 2 neurons\n")
    found.save(tmp_path / "t.json")
    assert TokensWritten.load(tmp_path / "t.json").table() == found.table()
    figure = found.plot(neuron="0:1")
    assert [bar.get_width() for bar in figure.axes[0].patches] == [
        *found.raised_by[1], *found.lowered_by[1][::-1]
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"1:1 is not among the neurons; they are 2:3, 0:1"):
        found.of("1:1")
    with pytest.raises(InputError, match="a plot shows one neuron, not 2"):
        found.plot(neuron=["2:3", "0:1"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"raised": (("a",),)}, "give an effect for each token"),
        ({"raised_by": [[1.0], [2.0]]}, "give an effect for each token"),
        ({"lowered_by": [[float("nan"), 0.0]]}, "an effect is NaN"),
        ({"std": [float("inf")]}, "an effect is NaN"),
    ],
)
def test_a_result_that_does_not_fit(change, message):
    fields = {
        "space": NeuronSpace("m", "mlp", (0,), (2,)), "neurons": (Neuron(0, 1),),
        "raised": (("a", "b"),), "raised_by": [[2.0, 1.0]],
        "lowered": (("c", "d"),), "lowered_by": [[-2.0, -1.0]], "std": [0.5], "divisor": 1.0,
    }  # fmt: skip
    assert len(TokensWritten(**fields)) == 1
    with pytest.raises(InputError, match=message):
        TokensWritten(**{**fields, **change})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"where": Location()}, "neurons of 'hidden_states' write no vector"),
        ({"where": Location(site="lstm_cell")}, "neurons of 'lstm_cell' write no vector"),
        ({"where": Location("mlp", positions="last")}, "leave out where.positions"),
        ({"where": "mlp"}, "where is 'mlp'; give a Location"),
        ({"k": 0}, "k is 0; give at least 1"),
        ({"k": 10_000}, r"k is 10000, but the vocabulary has \d+ tokens; give fewer"),
        ({"neurons": "5:1"}, "no layer 5"),
        ({"neurons": []}, "no neurons; give at least one"),
    ],
)
def test_refused_arguments(gpt2, arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        tokens_written(gpt2, **arguments)
    assert "\n" not in str(caught.value)


def test_a_model_in_memory(gpt2):
    found = tokens_written(gpt2.model, "0:1", tokenizer=gpt2.tokenizer)
    assert found.table() == tokens_written(gpt2, "0:1").table()
    assert found.space.revision.startswith("weights:")


def test_a_model_without_an_unembedding(gpt2):
    base = LoadedModel(gpt2.model.transformer, gpt2.tokenizer, "base", "1")
    with pytest.raises(InputError, match="a GPT2Model has no unembedding; give a model with a"):
        tokens_written(base, "0:1")
