"""One gate per head, in models and probes: a planted head, its mask, and other groups."""

import numpy as np
import pytest
import torch

import neurox_lite as nx
from neurox_lite.masking.effects import ReadoutEffect
from neurox_lite.masking.fitting import fit_mask, mask_from_ranking
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.masking.mask_methods import fit_neuron_masks
from neurox_lite.masking.mask_overlaps import MaskOverlaps
from neurox_lite.ranking import RankingTask, rank

pytestmark = pytest.mark.heavy

PLANTED = "0:1"
"""The only head of a GPT-2 whose output is used."""


@pytest.fixture(scope="module")
def loaded():
    loaded = nx.load_model(nx.embedded_path("models/gpt2"), device="cpu", head="language")
    heads = nx.neuron_space(loaded, units="heads")
    used = heads.expand(np.isin(np.arange(heads.n_neurons), heads.columns_of(PLANTED)))
    with torch.no_grad():
        for layer, block in enumerate(loaded.model.transformer.h):
            of_layer = torch.from_numpy(used[heads.ungrouped.columns(layer)])
            block.attn.c_proj.weight[~of_layer] = 0
    return loaded


@pytest.fixture(scope="module")
def pairs():
    every = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
    return [p for p in every if p.template == "simple" and p.condition == "singular"][:16]


OPTIONS = {"units": "heads", "include_incorrect": True, "alpha": 2.0, "n_steps": 60}


def test_the_gate_of_the_planted_head_opens(loaded, pairs, tmp_path):
    fit = nx.fit_neuron_mask(loaded, pairs, **OPTIONS)
    heads = nx.neuron_space(loaded, units="heads")
    assert (fit.size, fit.feasible) == (1, True)
    assert fit.mask.counted == heads
    assert heads.neurons(fit.mask.selected) == [nx.Neuron(0, 1)]
    np.testing.assert_array_equal(fit.mask.columns, heads.members([PLANTED]))
    assert len(np.unique(fit.mask.replacement[fit.mask.columns])) > 1
    assert fit.ranking().top(1) == [nx.Neuron(0, 1)]
    assert fit.summary()["heads"] == [PLANTED] and "1 heads" in str(fit)
    assert f"1 of {heads.n_neurons} heads, {PLANTED}" in repr(fit.mask)
    fit.save(tmp_path / "fit")
    read = MaskFit.load(tmp_path / "fit")
    assert read.mask.counted == heads and read.summary() == fit.summary()
    overlaps = MaskOverlaps.of([fit.mask, nx.NeuronMask.of(heads, [PLANTED, "0:0"], method="own")])
    assert (overlaps.n_neurons, overlaps.overlaps[0].both) == (heads.n_neurons, (nx.Neuron(0, 1),))


@pytest.mark.parametrize("method", ["single-replacement", "integrated-gradients"])
def test_baselines_rank_the_planted_head_first(loaded, pairs, method):
    """Heads whose output is not used have no effect at all."""
    if method == "single-replacement":
        found = nx.masking.rank_by_single_replacement(
            loaded, pairs, units="heads", include_incorrect=True, n_pairs=4, n_steps=3
        )
    else:
        pytest.importorskip("captum")
        every = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
        plural = [p for p in every if p.template == "simple" and p.condition == "plural"][:16]
        found = nx.masking.rank_by_integrated_gradients(
            loaded, pairs, plural, units="heads", include_incorrect=True, n_pairs=4, n_steps=3
        )
    planted = found.space.columns_of(PLANTED)
    others = np.delete(found.scores, planted)
    assert found.space.unit_name == "heads" and np.abs(others).max() < 1e-5
    assert np.abs(found.scores[planted]) > 1e-3


def test_a_mask_by_a_ranking_of_heads_counts_heads(loaded, pairs):
    heads = nx.neuron_space(loaded, units="heads")
    scores = np.zeros(heads.n_neurons)
    scores[heads.columns_of(["1:2", PLANTED])] = [2, 1]
    ranking = nx.NeuronRanking.from_scores(heads, scores, "given")
    fit = nx.fit_neuron_mask(loaded, pairs, method=ranking, include_incorrect=True, alpha=2.0)
    assert (fit.size, fit.mask.counted) == (2, heads)
    neurons = nx.NeuronRanking.from_scores(heads.ungrouped, heads.expand(scores), "given")
    again = fit_neuron_masks(
        loaded, pairs, method=neurons, units="heads", include_incorrect=True, alpha=2.0
    ).best
    assert again.mask.selected.tolist() == fit.mask.selected.tolist()
    by_chance = fit_neuron_masks(loaded, pairs, method="random", **OPTIONS).best
    assert by_chance.mask.counted == heads
    with pytest.raises(nx.InputError, match="heads are of the site 'attention_heads'"):
        nx.fit_neuron_mask(loaded, pairs, site="mlp", **OPTIONS)
    with pytest.raises(nx.InputError, match="not of hidden_states"):
        nx.fit_neuron_mask(loaded, pairs, site="hidden_states", **(OPTIONS | {"units": heads}))


N_NEURONS = 24


def readout(seed=0):
    """Of 6 groups of 4, the neurons of one decide together, a quarter each."""
    X = np.random.default_rng(seed).normal(size=(120, N_NEURONS)).astype(np.float32)
    X[:, 8:12] = 1 + 0.1 * X[:, 8:12]
    weights = np.zeros((N_NEURONS, 2))
    weights[8:12, 0] = 1
    weights[20:, 0] = 0.2
    bounds = np.full(N_NEURONS, -3.0), np.full(N_NEURONS, 3.0)
    return ReadoutEffect(weights, np.zeros(2), X, bounds_from=bounds)


def test_a_group_that_decides_is_one_gate():
    alone = fit_mask(readout(), alpha=2.0, n_steps=60, batch_size=32)
    effect = readout()
    effect.space = effect.space.heads(6)
    grouped = fit_mask(effect, alpha=2.0, n_steps=60, batch_size=32)
    assert alone.size > 1 and alone.mask.units is None
    assert (grouped.size, grouped.mask.selected.tolist()) == (1, [2])
    assert set(np.flatnonzero(grouped.mask.gates)) == set(range(8, 12))


def test_gates_of_one_neuron_each_are_those_of_neurons():
    effect = readout()
    effect.space = effect.space.grouped(np.arange(N_NEURONS))
    one, other = (fit_mask(e, alpha=2.0, n_steps=30, batch_size=32) for e in (readout(), effect))
    np.testing.assert_array_equal(one.mask.gates, other.mask.gates)
    np.testing.assert_array_equal(one.probabilities, other.probabilities)
    ranking = one.ranking()
    by_rank = mask_from_ranking(effect, ranking, alpha=2.0)
    assert by_rank.size == mask_from_ranking(readout(), ranking, alpha=2.0).size


def test_the_mask_over_a_probe_ranks_heads_with_a_gate_each():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=600)
    X = rng.normal(size=(600, 24)).astype(np.float32)
    X[:, 8:12] += 0.7 * y[:, None]
    space = nx.NeuronSpace.of_array(24)
    probe = nx.ElasticNetProbe(1e-2, 1e-3).fit(X, y.astype(str))
    task = RankingTask(X, y.astype(str), probe=probe, units=space.heads(6))
    found = rank("differentiable-mask", task, n_rows=200)
    assert found.space.unit_name == "heads" and found.top(1) == [nx.Neuron(0, 2)]
    assert "grouped_by" not in found.parameters
    alone = RankingTask(X, y.astype(str), probe=probe, units=space.grouped(np.arange(24)))
    of_neurons = rank("differentiable-mask", RankingTask(X, y.astype(str), probe=probe), n_rows=200)
    np.testing.assert_array_equal(
        rank("differentiable-mask", alone, n_rows=200).scores, of_neurons.scores
    )


def test_masks_whose_neurons_do_not_share_gates_are_refused():
    space = nx.NeuronSpace.of_array(4)
    heads, gates = space.heads(2), np.array([1.0, 0, 0, 0])
    with pytest.raises(nx.InputError, match="do not share gates as its units say"):
        nx.NeuronMask(space, gates, np.zeros(4), units=heads)
    with pytest.raises(nx.InputError, match=r"gates are of neurons, not of heads; use NeuronMask"):
        nx.NeuronMask(heads, gates[:2], np.zeros(2))
    neurons, of_heads = nx.NeuronMask.of(space, [0, 1]), nx.NeuronMask.of(heads, [0])
    np.testing.assert_array_equal(neurons.gates, of_heads.gates)
    with pytest.raises(nx.InputError, match="have different neurons"):
        neurons.compare(of_heads)
