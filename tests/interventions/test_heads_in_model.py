"""Heads of a running model: which columns they are, and that they are replaced and moved whole."""

import numpy as np
import pytest
import torch

import neurox_lite as nx
from neurox_lite.interventions.ablation import ablate_in_model
from neurox_lite.interventions.metrics import pair_log_odds
from neurox_lite.interventions.pair_inputs import encode_pairs
from neurox_lite.interventions.side_effects import random_masks
from neurox_lite.interventions.steering import steer
from neurox_lite.models.hooks import record
from neurox_lite.models.location import Location
from neurox_lite.models.sites import find_sites
from tests.architectures import build
from tests.models.test_sites import VOCABULARY, inputs_of

SITE = "attention_heads"


@pytest.fixture(scope="module")
def loaded():
    return nx.load_model(nx.embedded_path("models/gpt2"), device="cpu", head="language")


@pytest.fixture(scope="module")
def pairs():
    every = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
    chosen = [p for p in every if p.template == "simple"]
    return {n: [p for p in chosen if p.condition == n][:12] for n in ("singular", "plural")}


@pytest.fixture(scope="module")
def heads(loaded):
    return nx.neuron_space(loaded, SITE, units="heads")


def ranked(space, *first):
    scores = np.zeros(space.n_neurons)
    scores[space.columns_of(first)] = np.arange(len(first), 0, -1)
    return nx.NeuronRanking.from_scores(space, scores, "given")


def test_a_model_tells_how_many_heads_it_has(loaded, heads):
    config = loaded.model.config
    assert heads.widths == (config.n_head,) * config.n_layer
    assert heads.ungrouped == nx.neuron_space(loaded, SITE)
    with pytest.raises(nx.InputError, match="of 'mlp'; use that site"):
        nx.neuron_space(loaded, "mlp", units="heads")
    with pytest.raises(nx.InputError, match="unknown units 'groups'; use neurons, heads or a sp"):
        nx.neuron_space(loaded, SITE, units="groups")


@torch.no_grad()
@pytest.mark.parametrize(("name", "projection"), [("llama", "q_proj"), ("bert", "query")])
def test_the_query_weights_of_a_head_change_its_columns_only(name, projection):
    model = build(name, VOCABULARY)
    sites = find_sites(model, SITE)
    space = nx.NeuronSpace(name, SITE, tuple(sites.widths), tuple(sites.widths.values()))
    columns = space.heads(list(sites.n_heads.values())).members(["0:1"])

    def first_layer():
        seen = {}
        with record(model, sites, lambda layer, states: seen.setdefault(layer, states)):
            model(**inputs_of(model))
        return seen[0].clone()

    before = first_layer()
    weight = next(p for n, p in model.named_parameters() if f"{projection}.weight" in n)
    weight[len(weight) // 2 :] += 1  # of the second of two heads
    changed = (first_layer() != before).flatten(0, -2).any(0)
    assert changed.any() and set(torch.nonzero(changed)[:, 0].tolist()) <= set(columns.tolist())


@torch.no_grad()
def test_a_removed_head_is_its_columns_set_to_zero_by_hand(loaded, pairs, heads):
    metric = pair_log_odds(loaded, encode_pairs(loaded, pairs["singular"]), Location(SITE))
    ranking = ranked(heads, "1:2", "0:1")
    shares = [1 / heads.n_neurons, 2 / heads.n_neurons]
    curve = ablate_in_model(ranking, metric, shares=shares, replacement="zero", n_random=1).curves[
        0
    ]
    assert (curve.counts, curve.units) == ((1, 2), "heads")
    size = heads.ungrouped.widths[0] // heads.widths[0]

    def zeroed(first):
        def hook(module, args):
            states = args[0].clone()
            states[..., first : first + size] = 0
            return (states,)

        return hook

    blocks = loaded.model.transformer.h
    handles = []
    for place, (layer, head) in enumerate([(1, 2), (0, 1)]):
        projection = blocks[layer].attn.c_proj
        handles.append(projection.register_forward_pre_hook(zeroed(head * size)))
        runner = metric.runner
        rows = torch.arange(len(runner))
        by_hand = metric.inputs.log_odds(runner.intact_logits(rows), rows).double().mean()
        assert curve.remove.top[place] == pytest.approx(float(by_hand), rel=1e-5)
    for handle in handles:
        handle.remove()


def test_steered_heads_have_one_coefficient(loaded, pairs, heads):
    """All heads set is all neurons set; one head is a mask of its columns."""
    options = {"target_pairs": pairs["plural"], "n_random": 1}
    of_heads = steer(
        ranked(heads, "1:2"), loaded, pairs["singular"], counts=[1, heads.n_neurons], **options
    ).curves[0]
    columns = heads.members(["1:2"])
    neurons = heads.ungrouped
    of_neurons = steer(
        ranked(neurons, *columns.tolist()),
        loaded,
        pairs["singular"],
        counts=[len(columns), neurons.n_neurons],
        **options,
    ).curves[0]
    assert of_heads.units == "heads" and of_heads.counts == (1, heads.n_neurons)
    np.testing.assert_allclose(of_heads.log_odds.top, of_neurons.log_odds.top, rtol=1e-5)
    with pytest.raises(nx.InputError, match="not of heads of attention_heads"):
        both = [ranked(heads), ranked(neurons)]
        steer(both, loaded, pairs["singular"], counts=[1], **options)


def test_chance_for_a_mask_of_heads_are_heads(heads, loaded, pairs):
    mask = nx.NeuronMask.of(heads, ["1:2", "0:0"])
    metric = pair_log_odds(loaded, encode_pairs(loaded, pairs["singular"]), Location(SITE))
    gates, _ = random_masks(mask, metric.runner.activation_range(), 6, 0)
    for gate in gates:
        units = heads.any_member(gate > 0)
        np.testing.assert_array_equal(heads.expand(units), gate > 0)
        assert [units[heads.columns(layer)].sum() for layer in (0, 1)] == [1, 1]
