"""What else is done with a model while its neurons are replaced: it is found, run and trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers as tf

from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.interventions.addition import add_to_neurons
from neurox_lite.interventions.intervene import intervene
from neurox_lite.interventions.pair_scores import score_pairs
from neurox_lite.models.loading import as_loaded, load_model
from neurox_lite.models.neuron_spaces import neuron_space
from neurox_lite.models.sites import find_sites
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.neuron_mask import NeuronMask
from tests.architectures import ARCHITECTURES, build

PAIRS = [
    MinimalPair(("The", "woman"), "likes", "like"),
    MinimalPair(("The", "women", "by", "the", "box"), "like", "likes"),
]
IDS = torch.arange(12).view(2, 6) % 7 + 5


def space_of(model, site):
    sites = find_sites(model, site)
    return NeuronSpace("tiny", site, tuple(sites.widths), tuple(sites.widths.values()))


def odds_by_hand(loaded, pair):
    """log p(right) - log p(wrong), from the logits of a plain call."""
    tokens = [loaded.tokenizer(word, add_special_tokens=False).input_ids for word in pair.prefix]
    ids = loaded.tokenizer(" ".join(pair.prefix), return_tensors="pt").input_ids
    assert ids.shape[1] >= len(tokens)
    with torch.no_grad():
        logits = loaded.model(ids).logits[0, -1].log_softmax(-1)
    right, wrong = (
        loaded.tokenizer(f"{' '.join(pair.prefix)} {word}").input_ids[-1]
        for word in (pair.right, pair.wrong)
    )
    return float(logits[right] - logits[wrong])


@pytest.mark.parametrize("layer", [1, 2])
def test_pairs_are_scored_and_masks_nested(layer):
    loaded = load_model(embedded_path("models/gpt2"), device="cpu", head="language")
    space = neuron_space(loaded)
    first, second = (NeuronMask.of(space, [space.column(layer, unit)], 3.0) for unit in (0, 1))
    both = NeuronMask.of(space, [space.column(layer, unit) for unit in (0, 1)], 3.0)
    intact = score_pairs(loaded, PAIRS)
    with intervene(loaded, first):
        found = score_pairs(loaded, PAIRS)
        expected = [odds_by_hand(loaded, pair) for pair in PAIRS]
        assert neuron_space(loaded) == space
        with intervene(loaded, second):
            nested = score_pairs(loaded, PAIRS)
    with intervene(loaded, both):
        together = score_pairs(loaded, PAIRS)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - intact).min() > 1e-4
    np.testing.assert_allclose(nested, together, atol=1e-6)
    np.testing.assert_array_equal(score_pairs(loaded, PAIRS), intact)


@pytest.mark.parametrize(
    "positions", [np.array([1]), np.ones((1, 3), dtype=bool), lambda ids, mask: ids == ids]
)
def test_positions_are_of_the_inputs_not_of_the_trial(positions):
    loaded = load_model(embedded_path("models/gpt2"), device="cpu", head="language")
    space = neuron_space(loaded, "mlp")
    mask = NeuronMask.of(space, [0], 3.0)
    with intervene(loaded, mask, positions=positions):
        assert neuron_space(loaded, "mlp") == space
        with intervene(loaded, NeuronMask.of(space, [1], 3.0)):
            score_pairs(loaded, PAIRS[:1])


def test_a_mask_is_applied_where_it_was_fitted():
    loaded = load_model(embedded_path("models/gpt2"), device="cpu", head="language")
    space = neuron_space(loaded, "mlp")
    ids = torch.tensor([[1, 20, 30], [1, 25, 31]])

    def logits(mask, **where):
        with torch.no_grad(), intervene(loaded, mask, **where):
            return loaded.model(ids).logits

    def mask(**parameters):
        return NeuronMask.of(space, [0, 300], 3.0, parameters=parameters)

    assert torch.equal(logits(mask(positions="last")), logits(mask(), positions="last"))
    assert torch.equal(logits(mask(positions="all")), logits(mask()))
    assert not torch.equal(logits(mask()), logits(mask(), positions="last"))
    assert torch.equal(
        logits(mask(positions=1), positions=np.array([2, 2])), logits(mask(), positions="last")
    )
    with pytest.raises(InputError, match="the mask was fitted at word 1 of each prefix; give pos"):
        logits(mask(positions=1))


@pytest.mark.parametrize("name", ["gpt2", "llama", "bert"])
@pytest.mark.parametrize("site", ["hidden_states", "mlp", "attention_heads"])
def test_gradient_checkpointing_changes_no_gradient(name, site):
    model = build(name, 99, ARCHITECTURES[name].head).requires_grad_(True).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.config._attn_implementation = "eager"
    for attribute in ("attn_pdrop", "attention_probs_dropout_prob", "attention_dropout"):
        if hasattr(model.config, attribute):
            setattr(model.config, attribute, 0.0)
    space = space_of(model, site)
    mask = NeuronMask.of(space, [space.columns(space.layers[1]).start], 3.0)
    gradients = []
    for checkpointing in (False, True):
        if checkpointing:
            model.gradient_checkpointing_enable()
        model.zero_grad()
        with intervene(model, mask):
            model(input_ids=IDS).logits.square().mean().backward()
        gradients.append(model.get_input_embeddings().weight.grad.clone())
    assert gradients[0].abs().max() > 0
    torch.testing.assert_close(*gradients)


@pytest.mark.heavy
def test_a_compiled_model():
    model = build("gpt2", 99, "AutoModelForCausalLM")
    mask = NeuronMask.of(space_of(model, "mlp"), [0, 30], 3.0)
    compiled = torch.compile(model, backend="eager")
    with torch.no_grad():
        with intervene(model, mask):
            expected = model(input_ids=IDS).logits
        with intervene(compiled, mask):
            found = compiled(input_ids=IDS).logits
        intact = compiled(input_ids=IDS).logits
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(intact, expected)


@pytest.mark.heavy
def test_a_compiled_model_is_added_to():
    model = build("gpt2", 99, "AutoModelForCausalLM")
    space = space_of(model, "mlp")
    shift = np.zeros(space.n_neurons)
    shift[3] = 2.0
    compiled = torch.compile(model, backend="eager")
    with torch.no_grad():
        with add_to_neurons(model, space, shift):
            expected = model(input_ids=IDS).logits
        with add_to_neurons(compiled, space, shift):
            found = compiled(input_ids=IDS).logits
    torch.testing.assert_close(found, expected)


def test_a_model_compiled_in_place_is_refused():
    # Its calls run no hook that is added later: nothing would be read or changed.
    model = build("gpt2", 99, "AutoModelForCausalLM")
    loaded = as_loaded(model, reads_text=False)
    model.transformer.h[0].compile(backend="eager")
    for given in (model, loaded):
        with pytest.raises(InputError, match="that was compiled in place"):
            as_loaded(given, reads_text=False)


def test_a_classifier_of_an_encoder_decoder():
    """It wants as many ends of text in every row, also of the trial."""
    config = ARCHITECTURES["bart"].config(vocab_size=99, num_labels=2)
    torch.manual_seed(0)
    model = tf.BartForSequenceClassification(config).eval()
    space = space_of(model, "hidden_states")
    ids = torch.cat([IDS, torch.full((2, 1), config.eos_token_id)], dim=1)
    with torch.no_grad():
        intact = model(input_ids=ids).logits
        with intervene(model, NeuronMask.of(space, [space.columns(1).start], 3.0)):
            assert not torch.equal(model(input_ids=ids).logits, intact)
