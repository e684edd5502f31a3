"""Rankings of a running model's neurons by two sets of minimal pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neurox_lite as nx
from neurox_lite.interventions import runner as runner_module
from neurox_lite.masking.neuron_mask import pair_effect
from neurox_lite.models.hooks import record
from neurox_lite.models.sites import find_sites

pytestmark = pytest.mark.heavy

LAST = {"site": "lstm_cell", "layers": [1], "positions": -1}


@pytest.fixture(scope="module")
def lstm():
    return nx.load_model(nx.embedded_path("models/lstm-0"), head="language")


@pytest.fixture(scope="module")
def by_number():
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
    return {
        number: [p for p in pairs if p.template == "nounpp" and p.condition.startswith(number)]
        for number in ("singular", "plural")
    }


def last_cells(loaded, pairs):
    """Cells of the upper layer at the last word, and what they add to the wrong verb.

    With output gate o the state is o tanh(c), and the log odds are linear in it. Shapes
    (n_pairs, n_cells).
    """
    inputs = nx.interventions.encode_pairs(loaded, pairs)
    found = {}
    for site, layer in (("lstm_cell", 1), ("hidden_states", 2)):
        sites = find_sites(loaded.model, site)

        def keep(_, states, site=site):
            found[site] = states

        with torch.no_grad(), record(loaded.model, sites, keep, [layer]):
            loaded.model(input_ids=inputs.input_ids, attention_mask=inputs.attention_mask)
    rows = torch.arange(len(pairs))
    cells, states = (found[site][rows, inputs.prediction_positions].double() for site in found)
    embeddings = loaded.model.get_output_embeddings().weight.detach().double()
    target_pairs = (embeddings[inputs.wrong] - embeddings[inputs.right]) * states / cells.tanh()
    return cells.numpy(), target_pairs.numpy()


def test_a_single_replacement_does_what_the_closed_form_says(lstm, by_number):
    pairs = by_number["singular"][::10]
    cells, target_pairs = last_cells(lstm, pairs)
    gains = [(target_pairs * (sign - np.tanh(cells))).mean(0) for sign in (-1, 1)]
    best = np.maximum(*gains)
    found = nx.masking.rank_by_single_replacement(
        lstm, pairs, n_pairs=len(pairs), n_steps=30, **LAST
    )
    assert found.method == "single-replacement"
    assert (found.scores <= best + 1e-4).all()
    top = np.argsort(-best)[:10]
    np.testing.assert_allclose(found.scores[top], best[top], rtol=0.02)
    assert found.order[:3].tolist() == top[:3].tolist()


def test_integrated_gradients_are_what_each_last_cell_adds(lstm, by_number):
    """At the last word the effects of cells add up, and so do integrated gradients: exactly."""
    cells, target_pairs = last_cells(lstm, by_number["singular"])
    others, _ = last_cells(lstm, by_number["plural"])
    expected = (target_pairs * (np.tanh(others.mean(0)) - np.tanh(cells))).mean(0)
    found = nx.masking.rank_by_integrated_gradients(
        lstm, by_number["singular"], by_number["plural"], n_pairs=1000, **LAST
    )
    np.testing.assert_allclose(found.scores, expected, atol=1e-4)
    assert found.parameters["n_pairs"] == len(cells)


@pytest.mark.parametrize("positions", ["all", 1])
def test_integrated_gradients_sum_to_the_whole_effect(lstm, by_number, positions):
    """Completeness, also where the effect of one step propagates to others."""
    where = {"site": "lstm_cell", "positions": positions}
    singular, plural = by_number["singular"], by_number["plural"]
    found = nx.masking.rank_by_integrated_gradients(
        lstm, singular, plural, n_pairs=len(singular), n_steps=50, **where
    )
    effect, _ = pair_effect(lstm, singular, **where)
    other, _ = pair_effect(lstm, plural, **where)
    every = torch.arange(len(effect))
    with torch.no_grad():
        before, after = (
            effect(torch.full((effect.space.n_neurons,), gate), other.start, every).mean()
            for gate in (0.0, 1.0)
        )
    assert np.nansum(found.scores) == pytest.approx(float(after - before), rel=0.01)


def test_activation_difference_is_that_of_the_means(lstm, by_number):
    here, _ = last_cells(lstm, by_number["singular"])
    there, _ = last_cells(lstm, by_number["plural"])
    both = np.concatenate([here, there])
    expected = abs(here.mean(0) - there.mean(0)) / both.std(0)
    found = nx.masking.rank_by_activation_difference(
        lstm, by_number["singular"], by_number["plural"], **LAST
    )
    np.testing.assert_allclose(found.scores, expected, rtol=1e-3)


def test_pairs_are_checked_once(lstm, by_number, monkeypatch):
    """One runner reads the pairs of a mask, whatever is asked of them, and one those of bounds."""
    lengths = []

    def check(loaded, ids, mask):
        lengths.append(len(ids))

    monkeypatch.setattr(runner_module, "check_padding", check)
    singular = by_number["singular"][:9]
    pair_effect(lstm, singular, positions=-1, bounds_from=singular[:3])
    assert lengths == [9, 3]


def test_a_mask_by_a_ranking_is_its_top(lstm, by_number):
    ranking = nx.masking.rank_by_integrated_gradients(
        lstm, by_number["singular"], by_number["plural"], **LAST
    )
    fit = nx.fit_neuron_mask(lstm, by_number["singular"], method=ranking, **LAST)
    assert fit.feasible and fit.mask.method == "integrated-gradients"
    assert set(fit.mask.columns.tolist()) == set(ranking.order[: fit.size].tolist())


def test_site_and_layers_are_those_of_the_ranking(lstm, by_number):
    ranking = nx.ranking.random_ranking(nx.neuron_space(lstm, "hidden_states", [2, 1]))
    fit = nx.fit_neuron_mask(lstm, by_number["singular"], method=ranking, positions=-1)
    assert fit.mask.space == ranking.space
    with pytest.raises(nx.InputError, match="give the model, site and layers"):
        nx.fit_neuron_mask(lstm, by_number["singular"], method=ranking, layers=[1])


def test_a_ranking_made_on_the_way_sees_no_held_out_pair(lstm, by_number):
    seen = []

    def rank(train):
        seen.extend(train)
        return nx.masking.rank_by_integrated_gradients(lstm, train, by_number["plural"], **LAST)

    fit = nx.fit_neuron_mask(lstm, by_number["singular"], method=rank, **LAST)
    assert len(set(seen)) == fit.counts["trained on"]
    assert fit.counts["held out"] > 10
    assert fit.ranking().method == "integrated-gradients"
    assert "held-out success" in repr(fit) and repr(fit).startswith("MaskFit(feasible")


def test_one_neuron_kept_alone(lstm, by_number):
    """Of sufficiency: its score is what keeping it adds to the best replacement of all."""
    pairs = by_number["singular"][:20]
    found = nx.masking.rank_by_single_replacement(
        lstm, pairs, objective="sufficiency", n_pairs=8, n_steps=5, **LAST
    )
    scores = found.scores[~np.isnan(found.scores)]
    assert np.median(abs(scores)) < 0.1 * scores.max()


def test_bad_input(lstm, by_number):
    pairs = by_number["singular"]
    with pytest.raises(nx.InputError, match="n_pairs is 0"):
        nx.masking.rank_by_integrated_gradients(lstm, pairs, pairs, n_pairs=0)
    with pytest.raises(nx.InputError, match="n_steps is 0"):
        nx.masking.rank_by_single_replacement(lstm, pairs, n_steps=0)
    with pytest.raises(nx.InputError, match="no layer 7"):
        nx.masking.rank_by_activation_difference(lstm, pairs, pairs, layers=[7])
    with pytest.raises(nx.InputError, match="unknown method 'magic'"):
        nx.fit_neuron_mask(lstm, pairs, method="magic")
