"""A model as every function takes it: a folder, what load_model returns, or one in memory."""

import numpy as np
import pytest
import torch
import transformers as tf

import neurox_lite as nx
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.corpora.pair_files import read_pairs
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.extraction.estimate import estimate
from neurox_lite.models.loading import LoadedModel, as_loaded, load_model, weights_hash

CORPUS = nx.TaggedCorpus([["the", "old", "cat", "sees", "dogs"], ["dogs", "bark", "at", "her"]])


@pytest.fixture
def folder(make_model):
    return str(make_model("bert"))


@pytest.fixture
def plain(folder):
    return tf.AutoModel.from_pretrained(folder).eval()


def random_model(seed, vocab_size=200):
    """One that never was in a file."""
    torch.manual_seed(seed)
    config = tf.BertConfig(
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        vocab_size=vocab_size,
    )
    return tf.BertModel(config).eval()


def test_the_forms_of_a_model(folder, plain):
    loaded = load_model(folder, device="cpu")
    assert as_loaded(loaded) is loaded
    assert as_loaded(folder, device="cpu").revision == loaded.revision
    found = as_loaded(plain)
    assert found.model is plain and found.name == loaded.name
    assert found.revision == weights_hash(plain) != loaded.revision
    assert found.tokenizer.get_vocab() == loaded.tokenizer.get_vocab()


@pytest.mark.parametrize("bad", [None, 3, torch.nn.Linear(2, 2), tf.BertConfig(), ["bert"]])
def test_what_is_no_model(bad):
    with pytest.raises(
        InputError, match=r"^a \w+ is not a model; give a folder or a name on the h"
    ):
        as_loaded(bad)


def test_adapted_and_offloaded_models(plain):
    class PeftModel(torch.nn.Module):
        def merge_and_unload(self):
            return plain

    with pytest.raises(InputError, match=r"a PeftModel is not a model; give what its merge_and_un"):
        as_loaded(PeftModel())
    with pytest.raises(InputError, match="a BertModel: some of its weights are not in memory"):
        as_loaded(plain.to("meta"))


def test_a_tokenizer_goes_with_a_model_in_memory(folder, tokenizers_by_kind):
    other = tokenizers_by_kind["byte_bpe"]
    assert as_loaded(random_model(0), other).tokenizer is other
    assert as_loaded(load_model(folder), other).tokenizer is other
    with pytest.raises(InputError, match="has its own tokenizer; leave out tokenizer="):
        as_loaded(folder, other)
    with pytest.raises(InputError, match=r"tokenizer is .*; give what AutoTokenizer gives"):
        as_loaded(random_model(0), str(folder))
    with pytest.raises(InputError, match=r"needs its tokenizer; give tokenizer= \(it was not"):
        as_loaded(random_model(0))
    assert as_loaded(random_model(0), reads_text=False).name == "BertModel"


def test_neurons_of_a_model_in_memory(folder, plain):
    for model in (folder, load_model(folder, device="cpu"), plain, random_model(0)):
        space = nx.neuron_space(model, "mlp", [-1])
        assert (space.layers, space.widths) == ((1,), (16,))
    assert nx.neuron_space(random_model(0)).revision != nx.neuron_space(random_model(1)).revision


def test_a_mask_on_a_model_in_memory(plain):
    mask = nx.NeuronMask.of(nx.neuron_space(plain), [0, 3])
    ids = torch.tensor([[5, 6, 7]])
    before = plain(ids).last_hidden_state
    with nx.intervene(plain, mask):
        assert not torch.equal(plain(ids).last_hidden_state, before)
    assert torch.equal(plain(ids).last_hidden_state, before)
    for bad in ("bert", None):
        with pytest.raises(InputError, match="is not a model in memory"), nx.intervene(bad, mask):
            pass


def test_activations_of_a_model_in_memory(folder, plain, tmp_path):
    with (
        nx.extract(folder, CORPUS, tmp_path / "a.h5", device="cpu") as expected,
        nx.extract(plain, CORPUS, tmp_path / "b.h5") as found,
    ):
        np.testing.assert_array_equal(found.matrix()[:], expected.matrix()[:])
        assert found.metadata["revision"] == weights_hash(plain)
    assert estimate(plain, CORPUS, tmp_path / "c.h5").n_words == 9


def test_stores_of_models_in_memory_do_not_mix(tmp_path, tokenizers_by_kind):
    tokenizer = tokenizers_by_kind["wordpiece"]
    out, other = tmp_path / "s.h5", tokenizers_by_kind["byte_bpe"]
    model = random_model(0, 400)
    nx.extract(model, CORPUS, out, tokenizer=tokenizer).close()
    nx.extract(model, CORPUS, out, tokenizer=tokenizer).close()  # is given back
    changed = random_model(0, 400)
    changed.config.hidden_act = "relu"
    for model, its_tokenizer in (
        (random_model(1, 400), tokenizer),
        (random_model(0, 400), other),
        (changed, tokenizer),
        # Made by hand, and nobody said what it is.
        (LoadedModel(random_model(1, 400), tokenizer, "BertModel", ""), None),
    ):
        with pytest.raises(InputError, match="exists already"):
            nx.extract(model, CORPUS, out, tokenizer=its_tokenizer)


def test_a_model_in_training_mode_is_refused(plain, tmp_path):
    with pytest.raises(InputError, match="is in training mode"):
        nx.extract(plain.train(), CORPUS, tmp_path / "s.h5")


def test_the_dtype_that_is_computed_in_is_recorded(plain, tmp_path):
    with nx.extract(plain.to(torch.bfloat16), CORPUS, tmp_path / "s.h5") as store:
        assert store.metadata["compute_dtype"] == "bfloat16"


# Functions of a language model.


@pytest.fixture(scope="module")
def language():
    """The embedded LSTM as a plain model of transformers, its folder, and a few pairs."""
    folder = embedded_path("models/lstm-0")
    load_model(folder)  # registers it
    model = tf.AutoModelForCausalLM.from_pretrained(folder).eval()
    pairs = read_pairs(embedded_path("corpora/number-pairs.tsv"))
    singular = [pair for pair in pairs if pair.condition.startswith("singular")][:8]
    return model, folder, singular, [p for p in pairs if p.condition.startswith("plural")][:8]


TEXTS = ["The niece watches those boxes ."]


def results(model, pairs, target_pairs, **tokenizer):
    """What every function makes of a model, as plain numbers."""
    inputs = nx.interventions.encode_pairs(model, pairs, **tokenizer)
    metrics = nx.interventions.metrics
    ranking = nx.masking.rank_by_activation_difference(
        model, pairs, target_pairs, include_incorrect=True, **tokenizer
    )
    steered = nx.interventions.steer(
        ranking,
        model,
        pairs,
        target_pairs,
        counts=[5],
        n_random=1,
        include_incorrect=True,
        **tokenizer,
    )
    mask = nx.NeuronMask.of(ranking.space, ranking.order[:4])
    effects = nx.interventions.side_effects(model, mask, texts=TEXTS, n_random=1, **tokenizer)
    ablated = nx.interventions.ablate_in_model(
        [ranking], metrics.pair_accuracy(model, inputs), shares=[0.1], n_random=1
    )
    fit = nx.fit_neuron_mask(
        model, pairs, n_steps=2, alpha=-50, method=ranking, include_incorrect=True, **tokenizer
    )
    return [
        nx.interventions.score_pairs(model, pairs, **tokenizer).tolist(),
        inputs.input_ids.tolist(),
        ranking.order.tolist(),
        steered.curves[0].counts,
        [measure.masked for measure in effects.measures],
        ablated.curves[0].keep.top,
        len(fit.mask),
        metrics.perplexity(model, TEXTS, **tokenizer).runner.input_ids.tolist(),
        metrics.kl_from_intact(model, TEXTS, **tokenizer).runner.input_ids.tolist(),
    ]


def test_functions_of_a_language_model_take_every_form(language):
    plain, folder, pairs, target_pairs = language
    expected = results(load_model(folder, device="cpu", head="language"), pairs, target_pairs)
    tokenizer = tf.AutoTokenizer.from_pretrained(folder)
    assert results(plain, pairs, target_pairs, tokenizer=tokenizer) == expected
    assert nx.interventions.score_pairs(plain, pairs).tolist() == expected[0]


def test_a_ranking_of_another_model_in_memory_is_refused(language):
    plain, _, pairs, target_pairs = language
    ranking = nx.masking.rank_by_activation_difference(
        plain, pairs, target_pairs, include_incorrect=True
    )
    other = tf.AutoModelForCausalLM.from_pretrained(embedded_path("models/lstm-1")).eval()
    metric = nx.interventions.metrics.pair_accuracy(
        other, nx.interventions.encode_pairs(other, pairs)
    )
    with pytest.raises(InputError, match="not from this model"):
        nx.interventions.ablate_in_model([ranking], metric)


def test_a_base_model_in_memory_predicts_no_words(plain):
    with pytest.raises(InputError, match="predicts no words"):
        nx.interventions.score_pairs(plain, [MinimalPair(("the",), "cat", "dogs")])
