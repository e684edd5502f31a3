"""Side effects of masks, beside plain transformers calls and closed forms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.corpora.pair_files import read_pairs
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.interventions.activation_range import ActivationRange
from neurox_lite.interventions.intervene import intervene
from neurox_lite.interventions.metrics import kl_elsewhere
from neurox_lite.interventions.pair_inputs import encode_pairs
from neurox_lite.interventions.side_effects import SideEffects, random_masks, side_effects
from neurox_lite.models.loading import load_model
from neurox_lite.models.location import Location
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.neuron_mask import NeuronMask

TEXTS = [
    "The athlete behind the bikes probably admires the boxes .",
    "The niece watches those boxes .",
    "The citizen under no cows under that son needs the engineers .",
]
SITES = {"lstm-0": "lstm_cell", "gpt2": "hidden_states", "bert": "mlp"}


@pytest.fixture(scope="module")
def models():
    return {
        name: load_model(embedded_path(f"models/{name}"), device="cpu", head="language")
        for name in SITES
    }


@pytest.fixture(scope="module")
def pairs():
    return read_pairs(embedded_path("corpora/number-pairs.tsv"))[::150]


@pytest.fixture(scope="module")
def pronouns():
    return read_pairs(embedded_path("corpora/gender-pairs.tsv"))[::20]


def space_of(loaded, site, layer, width=128):
    return NeuronSpace(loaded.name, site, (layer,), (width,), loaded.revision)


def last_states_mask(loaded, seed=0):
    """Ten neurons of GPT-2's last hidden states, from which its logits are a linear map."""
    rng = np.random.default_rng(seed)
    space = space_of(loaded, "hidden_states", 3)
    return NeuronMask.of(space, rng.permutation(128)[:10], rng.normal(0, 2, 128))


@torch.no_grad()
def log_probabilities(loaded, mask, ids, at=slice(None)):
    """Of the intact model, and with its last states replaced at some tokens, in float64."""
    states = loaded.model(ids, output_hidden_states=True).hidden_states[-1][0].double()
    changed = states.clone()
    changed[at] += torch.tensor(mask.gates) * (torch.tensor(mask.replacement) - states[at])
    head = loaded.model.get_output_embeddings().weight.double()
    return (states @ head.T).log_softmax(-1), (changed @ head.T).log_softmax(-1)


def divergences(intact, changed):
    return (intact.exp() * (intact - changed)).sum(-1)


def test_a_mask_that_touches_nothing_changes_nothing(models, pairs, pronouns):
    for name, site in SITES.items():
        loaded = models[name]
        width = 512 if site == "mlp" else 128
        mask = NeuronMask.of(space_of(loaded, site, 1, width), [], 7.0)
        found = side_effects(
            loaded, mask, pairs=pairs, texts=TEXTS, tasks={"pronouns": pronouns}, n_random=2
        )
        assert (found.n_touched, found.n_random) == (0, 2)
        for measure in found.measures:
            values = (measure.masked, measure.random_mean, measure.random_low, measure.random_high)
            assert values == pytest.approx([measure.intact] * 4, rel=1e-6, abs=1e-7)
            if measure.metric in ("KL", "choices changed"):
                assert measure.intact == pytest.approx(0, abs=1e-7)


def test_divergence_and_perplexity_on_text_in_closed_form(models):
    loaded = models["gpt2"]
    mask = last_states_mask(loaded)
    found, scores, intact_scores = [], [], []
    for text in TEXTS:
        ids = loaded.tokenizer(text, return_tensors="pt")["input_ids"]
        intact, changed = log_probabilities(loaded, mask, ids)
        found += divergences(intact, changed).tolist()
        following = ids[0, 1:, None]
        scores += changed[:-1].gather(1, following)[:, 0].tolist()
        intact_scores += intact[:-1].gather(1, following)[:, 0].tolist()
    effects = side_effects(loaded, mask, texts=TEXTS, n_random=1)
    assert effects.get("KL", "text").masked == pytest.approx(np.mean(found), rel=1e-4)
    assert np.mean(found) > 0.01
    perplexity = effects.get("perplexity", "text")
    assert perplexity.masked == pytest.approx(math.exp(-np.mean(scores)), rel=1e-4)
    assert perplexity.intact == pytest.approx(math.exp(-np.mean(intact_scores)), rel=1e-4)


@pytest.mark.parametrize("positions", ["all", 1])
def test_divergence_elsewhere_in_the_pairs_in_closed_form(models, pairs, positions):
    """Nothing after these states mixes tokens: those that are not replaced do not change."""
    loaded = models["gpt2"]
    mask = last_states_mask(loaded)
    found = []
    for pair in pairs:
        inputs = encode_pairs(loaded, [pair])
        at = {"all": slice(None), 1: inputs.word_positions(1)}[positions]
        each = divergences(*log_probabilities(loaded, mask, inputs.input_ids, at)).tolist()
        assert inputs.prediction_positions.item() == len(each) - 1
        found += each[:-1]
    effects = side_effects(loaded, mask, pairs=pairs, positions=positions, n_random=1)
    measured = effects.get("KL", "elsewhere in the pairs")
    assert measured.masked == pytest.approx(np.mean(found), rel=1e-4, abs=1e-7)
    assert np.mean(found) > 0.001
    assert len(effects.measures) == 1
    fitted_there = replace(mask, parameters={"positions": positions})
    again = side_effects(loaded, fitted_there, pairs=pairs, n_random=1)
    assert again.get("KL", "elsewhere in the pairs").masked == measured.masked


@pytest.mark.parametrize("positions", ["last", -1])
def test_nothing_is_elsewhere_when_the_last_token_of_a_causal_model_is_replaced(
    models, pairs, positions
):
    loaded = models["gpt2"]
    effects = side_effects(loaded, last_states_mask(loaded), pairs=pairs, positions=positions)
    assert not effects.measures


def test_a_masked_model_chooses_at_the_mask_and_everything_else_is_elsewhere(models, pairs):
    loaded = models["bert"]
    space = space_of(loaded, "mlp", 1, 512)
    mask = NeuronMask.of(space, range(40), 2.0)
    found = []
    for pair in pairs:
        inputs = encode_pairs(loaded, [pair])
        with torch.no_grad():
            intact = loaded.model(inputs.input_ids).logits[0].double().log_softmax(-1)
            with intervene(loaded, mask):
                changed = loaded.model(inputs.input_ids).logits[0].double().log_softmax(-1)
        each = divergences(intact, changed).tolist()
        del each[inputs.prediction_positions.item()]
        found += each
    effects = side_effects(loaded, mask, pairs=pairs, texts=TEXTS[1:2], n_random=1)
    measured = effects.get("KL", "elsewhere in the pairs").masked
    assert measured == pytest.approx(np.mean(found), rel=1e-4)
    assert effects.get("pseudo-perplexity", "text").intact < 100


@torch.no_grad()
def choices(loaded, pairs):
    """Whether the right word is more probable, pair by pair."""
    found = []
    for pair in pairs:
        inputs = encode_pairs(loaded, [pair])
        logits = loaded.model(inputs.input_ids).logits[0, inputs.prediction_positions[0]]
        found.append(bool(logits[inputs.right[0]] > logits[inputs.wrong[0]]))
    return np.array(found)


def test_other_tasks_counted_pair_by_pair(models, pairs, pronouns):
    loaded = models["lstm-0"]
    values = np.random.default_rng(0).normal(0, 2, 128)
    mask = NeuronMask.of(space_of(loaded, "lstm_cell", 0), range(128), values)
    tasks = {"number": pairs, "pronouns": pronouns}
    effects = side_effects(loaded, mask, tasks=tasks, n_random=2)
    assert [(measure.metric, measure.data) for measure in effects.measures] == [
        (metric, name) for name in tasks for metric in ("accuracy", "choices changed")
    ]
    for name, task in tasks.items():
        intact = choices(loaded, task)
        with intervene(loaded, mask):
            changed = choices(loaded, task)
        accuracy = effects.get("accuracy", name)
        assert (accuracy.intact, accuracy.masked) == (intact.mean(), changed.mean())
        assert effects.get("choices changed", name).masked == np.mean(intact != changed)
    assert effects.get("choices changed", "pronouns").masked > 0


# Chance.


def test_random_masks_have_as_many_neurons_per_layer_replaced_as_far_away():
    rng = np.random.default_rng(0)
    space = NeuronSpace("m", "mlp", (2, 0), (30, 50))
    mean, std = rng.normal(size=80), rng.random(80) + 0.5
    gates = np.zeros(80)
    gates[[3, 7, 40, 41, 79]] = [1, 0.5, 1, 0.25, 1]
    mask = NeuronMask(space, gates, rng.normal(size=80))
    usual = ActivationRange(*(torch.tensor(part) for part in (mean, std, mean - 3, mean + 3)))
    found, values = random_masks(mask, usual, 200, 0)
    assert found.shape == values.shape == (200, 80)
    away = (mask.replacement - mean) / std
    for columns in (slice(0, 30), slice(30, 80)):
        touched = np.flatnonzero(gates[columns]) + columns.start
        wanted = sorted(zip(gates[touched], away[touched].round(6), strict=True))
        for gate, value in zip(found, values, strict=True):
            drawn = np.flatnonzero(gate[columns]) + columns.start
            distances = ((value - mean) / std)[drawn].round(6)
            assert sorted(zip(gate[drawn], distances, strict=True)) == wanted
    # Every neuron of a layer is drawn as often: 2 of 30 and 3 of 50, in 200 masks.
    assert ((found > 0).sum(0) > 0).all()
    again, _ = random_masks(mask, usual, 200, 0)
    other, _ = random_masks(mask, usual, 200, 1)
    assert np.array_equal(found, again) and not np.array_equal(found, other)


def test_a_neuron_that_never_varies_makes_no_infinite_replacement():
    space = NeuronSpace.of_array(4)
    usual = ActivationRange(*(torch.zeros(4) for _ in range(4)))
    _, values = random_masks(NeuronMask.of(space, [1], 5.0), usual, 3, 0)
    assert not values.any()


def test_chance_is_the_mean_and_range_over_random_masks(models):
    """What their masks do is measured by hand; the mean is over all tokens of the texts."""
    loaded = models["gpt2"]
    mask = last_states_mask(loaded)
    encoded = [loaded.tokenizer(text, return_tensors="pt")["input_ids"] for text in TEXTS]
    with torch.no_grad():
        X = torch.cat(
            [loaded.model(ids, output_hidden_states=True).hidden_states[-1][0] for ids in encoded]
        ).double()
    usual = ActivationRange(X.mean(0), X.std(0, correction=0), X.amin(0), X.amax(0))
    expected = []
    for gates, values in zip(*random_masks(mask, usual, 3, 5), strict=True):
        each = NeuronMask(mask.space, gates, values)
        found = [divergences(*log_probabilities(loaded, each, ids)) for ids in encoded]
        expected.append(torch.cat(found).mean().item())
    measured = side_effects(loaded, mask, texts=TEXTS, n_random=3, seed=5).get("KL", "text")
    found = (measured.random_mean, measured.random_low, measured.random_high)
    assert found == pytest.approx((np.mean(expected), min(expected), max(expected)), rel=1e-3)
    assert min(expected) < max(expected)


# What is said and written.


def test_saved_and_loaded(models, pairs, pronouns, tmp_path):
    loaded = models["gpt2"]
    mask = last_states_mask(loaded)
    before = mask.gates.copy(), mask.replacement.copy()
    found = side_effects(loaded, mask, pairs=pairs, texts=TEXTS, tasks={"she": pronouns})
    found.save(tmp_path / "side_effects.json")
    assert SideEffects.load(tmp_path / "side_effects.json") == found
    table = found.to_pandas()
    assert list(table.columns[:3]) == ["metric", "data", "intact"]
    assert table.masked.tolist() == [measure.masked for measure in found.measures]
    summary = found.summary()
    assert list(summary) == [
        "KL with the mask",
        "KL with random masks",
        "perplexity intact",
        "perplexity with the mask",
        "perplexity with random masks",
        "accuracy intact",
        "accuracy with the mask",
        "accuracy with random masks",
        "choices changed with the mask",
        "choices changed with random masks",
    ]
    assert list(summary["KL with the mask"]) == ["text", "elsewhere in the pairs"]
    assert summary["accuracy intact"] == {"she": choices(loaded, pronouns).mean()}
    assert np.array_equal(before[0], mask.gates) and np.array_equal(before[1], mask.replacement)
    with pytest.raises(InputError, match="no KL of she; there are KL of text, perplexity of text"):
        found.get("KL", "she")


# What is refused.


def test_bad_input(models, pairs):
    loaded = models["gpt2"]
    mask = last_states_mask(loaded)
    unknown = MinimalPair(("The", "niece"), "internationalises", "watch", template="simple")

    def refused(message, **options):
        with pytest.raises(InputError, match=message):
            side_effects(loaded, mask, **options)

    refused("nothing to measure side effects on; give pairs, texts or tasks")
    refused("nothing to measure side effects on", tasks={})
    refused("no texts; give at least one", texts=[])
    refused("no minimal pairs; give at least one", pairs=[])
    refused("'internationalises' is .* tokens", pairs=[unknown])
    refused("task 'odd': .*'internationalises' is .* tokens", tasks={"odd": [*pairs, unknown]})
    refused("task 'none': no minimal pairs", tasks={"none": []})
    refused("has 2 words and no word 4", pairs=pairs, positions=4)
    refused("unknown positions 'first'", pairs=pairs, positions="first")
    refused("n_random is 0; give at least 1", texts=TEXTS, n_random=0)


def test_pairs_of_nothing_but_the_choice(models):
    """There is no elsewhere."""
    loaded = models["lstm-0"]
    pair = MinimalPair((), "The", "Those")
    found = side_effects(loaded, lstm_mask(loaded), pairs=[pair])
    assert found.measures == () and found.summary() == {}
    tasks = {"first words": [pair]}
    found = side_effects(loaded, lstm_mask(loaded), pairs=[pair], tasks=tasks)
    assert {measure.metric for measure in found.measures} == {"accuracy", "choices changed"}
    with pytest.raises(InputError, match="no token but where the choice is made"):
        kl_elsewhere(loaded, encode_pairs(loaded, [pair]), Location("lstm_cell"))


def lstm_mask(loaded):
    return NeuronMask.of(space_of(loaded, "lstm_cell", 1), [1], 1.0)


def test_masks_of_other_models(models):
    loaded = models["gpt2"]
    mask = lstm_mask(models["lstm-0"])
    with pytest.raises(InputError, match=r"was made from .* not from this model"):
        side_effects(loaded, mask, texts=TEXTS)
    for space, message in (
        (NeuronSpace("", "hidden_states", (3,), (100,)), "layer 3 has 128 neurons .* not 100"),
        (NeuronSpace("", "hidden_states", (9,), (128,)), "no layer 9 at 'hidden_states'"),
    ):
        with pytest.raises(InputError, match=message):
            side_effects(loaded, NeuronMask.of(space, [1]), texts=TEXTS)
