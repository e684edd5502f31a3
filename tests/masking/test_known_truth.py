"""Masks where the truth is known (METHODS.md, section 5, checks a to c).

Also of ``neurox_lite.masking.fit_task``, ``neurox_lite.masking.mask_scores``,
``neurox_lite.results.objective``.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

import neurox_lite as nx
from neurox_lite.interventions.metrics import pair_log_odds
from neurox_lite.interventions.pair_inputs import encode_pairs
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.masking.effects import PairEffect, ReadoutEffect
from neurox_lite.masking.exhaustive import best_masks
from neurox_lite.masking.fitting import fit_mask
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.masking.neuron_mask import fit_neuron_mask, pair_effect
from neurox_lite.masking.path import mask_path
from neurox_lite.masking.reinforce import reinforce_mask
from neurox_lite.masking.replacement_fit import fit_replacements
from neurox_lite.models.location import Location
from tests.benchmarks.mask_table import number_pairs as pairs_by_number
from tests.benchmarks.mask_truth import N_NEURONS, U1, U2, optimum, two_units

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("alpha", "allowed"),
    [
        (-5.5, [set()]),
        (-1.5, [{U1}, {U2}]),
        (0.5, [{U1}]),
        (3.0, [{U1, U2}]),
    ],
)
def test_the_mask_is_the_true_minimum(alpha, allowed, seed):
    fit = fit_mask(two_units(), alpha=alpha, seed=seed)
    assert fit.feasible
    assert set(fit.mask.columns.tolist()) in allowed
    assert fit.size == len(fit.mask.columns)
    assert fit.held_out_effect >= alpha - 0.1
    if allowed == [{U1}]:
        assert fit.held_out_success == 1
        assert fit.mask.replacement[U1] == pytest.approx(-1, abs=0.25)


def test_more_than_can_be_had_is_infeasible():
    fit = fit_mask(two_units(), alpha=6.0)
    assert (fit.feasible, fit.status) == (False, "infeasible")
    assert fit.effect == pytest.approx(5, abs=0.3)  # the best there was, said as it is


def test_no_unit_has_an_effect():
    fit = fit_mask(two_units(weights=(0.0, 0.0)), alpha=1.0)
    assert fit.status == "infeasible"
    assert fit.effect == pytest.approx(0, abs=1e-6)


def test_sufficiency_keeps_the_two_units():
    fit = fit_mask(two_units("sufficiency"), alpha=-1e-3)
    # They hardly vary: a constant in their place keeps the predictions.
    assert fit.feasible and fit.size == 0
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, N_NEURONS)).astype(np.float32)
    readout = np.zeros((N_NEURONS, 2))
    readout[[U1, U2], 0] = 3, 2
    fit = fit_mask(
        ReadoutEffect(readout, np.zeros(2), X, objective="sufficiency"),
        alpha=-1e-3,
    )
    assert fit.feasible and fit.size == 2
    assert set(np.flatnonzero(fit.mask.gates == 0)) == {U1, U2}
    assert fit.ranking().order[:2].tolist() in ([U1, U2], [U2, U1])
    assert fit.held_out_success > 0.9


def test_along_the_path_the_stronger_unit_enters_first():
    ranking = mask_path(two_units())
    assert ranking.order[:2].tolist() == [U1, U2]
    assert ranking.scores[U1] > ranking.scores[U2] > 5 * np.delete(ranking.scores, [U1, U2]).max()
    again = mask_path(two_units())
    np.testing.assert_array_equal(ranking.scores, again.scores)


def test_every_mask_of_one_and_two_neurons():
    rows = torch.arange(40)
    best, effects = best_masks(two_units(), rows, n_steps=200, size=1)
    assert best.columns == (U1,) and best.effect == pytest.approx(1, abs=0.2)
    assert effects[U2].item() == pytest.approx(-1, abs=0.2)
    others = np.delete(effects.numpy(), [U1, U2])
    np.testing.assert_allclose(others, others[0])
    best, effects = best_masks(two_units(), rows, n_steps=200, size=2)
    assert best.columns == (U2, U1) and best.effect == pytest.approx(5, abs=0.3)
    assert len(effects) == N_NEURONS * (N_NEURONS - 1) // 2


def test_reinforce_finds_the_two_units_with_more_steps():
    fit = fit_mask(two_units(), alpha=3.0, search=reinforce_mask, n_steps=1500)
    assert fit.feasible
    assert set(fit.mask.columns.tolist()) == {U1, U2}


def test_a_path_of_a_model_leads_with_what_it_uses(lstm):
    """The optimum of the last step and layer stands first, and any ablation takes the ranking."""
    pairs = number_pairs("singular")[::16]
    ranking = nx.masking.rank_by_neuron_mask(lstm, pairs, layers=[1], positions=-1)
    assert ranking.method == "differentiable-mask"
    # Those that add most, by the closed form of `optimum`.
    assert set(ranking.order[:6].tolist()) == {92, 47, 13, 32, 49, 109}
    inputs = nx.interventions.encode_pairs(lstm, pairs)
    metric = pair_log_odds(lstm, inputs, Location("lstm_cell", [1]))
    (curve,) = nx.interventions.ablate_in_model(
        [ranking], metric, shares=[0.05], replacement="zero"
    ).curves
    assert curve.remove.top[0] < curve.remove.random_low[0]


# A trained model: at its last step and layer, the effects of an LSTM's cells add up.


def number_pairs(number):
    return pairs_by_number()[number]


def short_pairs(number):
    """Where the number of words does not matter: two and the verb."""
    return [pair for pair in number_pairs(number) if pair.template == "simple"]


@pytest.fixture(scope="module")
def lstm():
    return nx.load_model(nx.embedded_path("models/lstm-0"), head="language")


@pytest.mark.parametrize("number", ["singular", "plural"])
def test_the_cells_of_an_lstm_are_as_few_as_can_be(lstm, number):
    pairs = number_pairs(number)[::4]
    fit = fit_neuron_mask(lstm, pairs, layers=[1], positions=-1, n_steps=150)
    best = optimum(lstm, pairs, fit.alpha)
    assert best > 2  # it is no easy case
    assert fit.feasible
    assert fit.size <= best + 1
    assert fit.held_out_success >= 0.95
    assert fit.mask.space.layers == (1,)


def test_a_layer_that_cannot_reach_the_choice_is_infeasible(lstm):
    """The token before the choice of the topmost layer is read by nobody."""
    pairs = [pair for pair in number_pairs("singular") if pair.template == "adv"]
    fit = fit_neuron_mask(lstm, pairs, site="hidden_states", layers=[2], positions=0, n_steps=20)
    assert fit.status == "infeasible"
    assert fit.effect == pytest.approx(fit.intact)


def test_the_seed_decides():
    first, again, other = (fit_mask(two_units(), alpha=3.0, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.mask.gates, again.mask.gates)
    np.testing.assert_array_equal(first.mask.replacement, again.mask.replacement)
    assert first.effects == again.effects != other.effects


def test_replacements_stay_within(lstm):
    pairs = number_pairs("singular")[::12]
    every = [*pairs, *number_pairs("plural")[::12]]
    fit = fit_neuron_mask(lstm, pairs, bounds_from=every, n_steps=150)
    inputs = encode_pairs(lstm, every)
    effect = PairEffect(InterventionRunner.of_pairs(lstm, inputs, Location("lstm_cell")), inputs)
    X = effect.runner.activations().double().numpy()
    chosen = fit.mask.columns
    assert len(chosen)
    assert (fit.mask.replacement[chosen] >= X[:, chosen].min(0) - 1e-5).all()
    assert (fit.mask.replacement[chosen] <= X[:, chosen].max(0) + 1e-5).all()


def test_the_model_is_left_as_it_was(lstm):
    lstm.model.requires_grad_(True)
    try:
        fit_neuron_mask(lstm, short_pairs("singular")[::3], layers=[1], n_steps=3)
        assert all(parameter.grad is None for parameter in lstm.model.parameters())
    finally:
        lstm.model.requires_grad_(False)


def test_pairs_the_model_gets_wrong(lstm):
    pairs = short_pairs("singular")[:40]
    turned = [type(p)(p.prefix, p.wrong, p.right, p.suffix, p.template) for p in pairs[:10]]
    options = {"layers": [1], "positions": -1, "n_steps": 5}
    fit = fit_neuron_mask(lstm, [*pairs[10:], *turned], **options)
    assert fit.counts == {
        "trained on": 22,
        "held out": 8,
        "left out as copies": 0,
        "left out as wrong": 10,
    }
    kept = fit_neuron_mask(lstm, [*pairs[10:], *turned], include_incorrect=True, **options)
    assert (kept.counts["trained on"], kept.counts["held out"]) == (30, 10)
    assert kept.counts["left out as wrong"] == 0
    with pytest.raises(nx.InputError, match="gets all 10 pairs wrong"):
        fit_neuron_mask(lstm, turned, **options)


def test_an_objective_of_ones_own(lstm):
    """Half as sure of the right word, said by a function: the same as flip with that alpha."""
    pairs = short_pairs("singular")[::3]
    options = {"layers": [1], "positions": -1, "n_steps": 10, "alpha": 1.0}

    def wrong_minus_right(logits, inputs, rows):
        return -inputs.log_odds(logits, rows)

    own = fit_neuron_mask(lstm, pairs, objective=wrong_minus_right, **options)
    named = fit_neuron_mask(lstm, pairs, **options)
    np.testing.assert_array_equal(own.mask.gates, named.mask.gates)
    assert own.objective == "custom"


def test_an_objective_of_ones_own_succeeds_where_it_reaches_alpha(lstm):
    """Its zero means nothing: as a log-probability it never is above."""
    pairs = number_pairs("singular")[::14]

    def wrong_word(logits, inputs, rows):
        words = inputs.wrong[rows][:, None]
        return inputs.choice_logits(logits, rows).log_softmax(-1).gather(1, words)[:, 0]

    fit = fit_neuron_mask(lstm, pairs, layers=[1], objective=wrong_word, alpha=-4.5, n_steps=100)
    assert fit.feasible and fit.held_out_effect < 0
    assert fit.held_out_success > 0.5


def test_keeping_nothing_is_scored_with_replacements_from_training(lstm):
    """Those of the held-out pairs themselves would be better, and say nothing of new ones."""
    pairs = number_pairs("singular")[::7]
    fit = fit_neuron_mask(lstm, pairs, objective="sufficiency", layers=[1], n_steps=20, seed=1)
    effect, _ = pair_effect(lstm, pairs, objective="sufficiency", layers=[1])
    order = torch.from_numpy(np.random.default_rng(1).permutation(len(effect)))
    n_out = round(0.25 * len(effect))
    closed = torch.zeros(1, effect.space.n_neurons)
    _, values = fit_replacements(effect, closed, effect.start, order[n_out:], 30)
    with torch.no_grad():
        expected = effect(closed[0], values[0], order[:n_out]).mean().item()
    assert fit.held_out_intact == pytest.approx(expected, abs=1e-5)


def test_saved_and_loaded(lstm, tmp_path):
    fit = fit_neuron_mask(lstm, short_pairs("singular")[::3], layers=[1], n_steps=60)
    fit.save(tmp_path)
    mask = nx.NeuronMask.load(tmp_path)
    np.testing.assert_array_equal(mask.gates, fit.mask.gates)
    np.testing.assert_array_equal(mask.replacement, fit.mask.replacement)
    assert mask.space == fit.mask.space
    other = nx.load_model(nx.embedded_path("models/lstm-1"), head="language")
    with pytest.raises(nx.InputError, match="not from this model"), nx.intervene(other, mask):
        pytest.fail("the block ran")
    loaded = nx.NeuronRanking.load(tmp_path / "ranking.json")
    np.testing.assert_array_equal(loaded.order, fit.ranking().order)
    assert set(loaded.order[: fit.size].tolist()) == set(fit.mask.columns.tolist())


@pytest.mark.parametrize("by", ["differentiable-mask", nx.masking.rank_by_single_replacement])
@pytest.mark.parametrize("held_out", [0.25, 0.0])
def test_a_fit_is_loaded_as_it_was(lstm, tmp_path, by, held_out):
    where = {"layers": [1], "positions": -1}

    def ranked(train):
        return by(lstm, train, n_steps=2, **where)

    options = {"method": by if isinstance(by, str) else ranked, "held_out": held_out, "n_steps": 20}
    fit = fit_neuron_mask(lstm, short_pairs("singular")[::3], **where, **options)
    fit.save(tmp_path)
    loaded = MaskFit.load(tmp_path)
    for name in (field.name for field in fields(fit) if field.name not in ("mask", "order")):
        np.testing.assert_equal(getattr(loaded, name), getattr(fit, name))
    np.testing.assert_array_equal(loaded.mask.gates, fit.mask.gates)
    assert (loaded.order is None) == (fit.order is None)
    np.testing.assert_array_equal(loaded.ranking().order, fit.ranking().order)
    assert repr(loaded) == repr(fit) and loaded.status == fit.status
    (tmp_path / "fit.json").write_text('{"kind": "mask fit"}')
    with pytest.raises(nx.InputError, match=r"fit.json: the mask fit cannot be read"):
        MaskFit.load(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_steps": 0}, "n_steps 0"),
        ({"held_out": 1.0}, "held_out is 1.0"),
        ({"layers": [5]}, "no layer 5"),
        ({"positions": 9}, "no word 9"),
        ({"positions": "first"}, "unknown positions 'first'"),
        ({"objective": "both"}, "unknown objective 'both'"),
        ({"site": "mlp"}, "another site"),
    ],
)
def test_errors(lstm, options, message):
    with pytest.raises(nx.InputError, match=message):
        fit_neuron_mask(lstm, number_pairs("singular")[:20], **options)


def test_copies_are_not_held_out(lstm):
    pairs = short_pairs("singular")[:10]
    options = {"layers": [1], "positions": -1, "n_steps": 5, "held_out": 0.3}
    fit = fit_neuron_mask(lstm, pairs * 4, **options)
    alone = fit_neuron_mask(lstm, pairs, **options)
    assert fit.counts["left out as copies"] == 30
    assert fit.counts["trained on"] + fit.counts["held out"] == 10
    assert fit.held_out_effect == alone.held_out_effect


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (lambda logits, inputs, rows: logits.mean(), r"numbers of shape \(\); give \(\d+,\)"),
        (lambda logits, inputs, rows: 3, "one per row"),
        (lambda logits, inputs, rows: inputs.log_odds(logits.detach(), rows), "no gradient"),
        (lambda logits, inputs, rows: inputs.log_odds(logits, rows) * np.nan, "NaN or infinite"),
    ],
)
def test_objectives_that_cannot_be_searched_by(lstm, objective, message):
    with pytest.raises(nx.InputError, match=f"objective: .*{message}"):
        fit_neuron_mask(lstm, number_pairs("singular")[:20], objective=objective, alpha=1.0)


def test_numbers_of_numpy_are_as_good(lstm, tmp_path):
    pairs = number_pairs("singular")[:20]
    options = {"n_steps": 5, "held_out": 0}
    plain = fit_neuron_mask(lstm, pairs, layers=[1], positions=1, alpha=0.5, seed=3, **options)
    numbers = {"layers": np.arange(1, 2), "positions": np.int64(1), "alpha": np.float32(0.5)}
    fit = fit_neuron_mask(lstm, pairs, **numbers, seed=np.int64(3), **options)
    fit.save(tmp_path)
    np.testing.assert_array_equal(fit.mask.replacement, plain.mask.replacement)
    assert fit.mask.parameters == plain.mask.parameters
    with pytest.raises(nx.InputError, match="seed is -1; give a whole number from 0"):
        fit_neuron_mask(lstm, pairs, seed=-1)
    with pytest.raises(nx.InputError, match=r"layer is 1\.0; give a whole number"):
        fit_neuron_mask(lstm, pairs, layers=[1.0])


def test_one_step_has_not_settled(recwarn):
    assert fit_mask(two_units(), alpha=3.0, n_steps=1).status == "not converged"
    assert not recwarn.list


def test_rows_are_read_in_blocks_that_fit():
    """With the same effects and replacements, also when one mask needs several blocks."""
    whole = two_units()
    blocks = two_units()
    blocks.rows_at_once = 7
    one, other = (fit_mask(effect, alpha=3.0, n_steps=30) for effect in (whole, blocks))
    np.testing.assert_allclose(one.mask.replacement, other.mask.replacement, atol=1e-4)
    np.testing.assert_array_equal(one.mask.gates, other.mask.gates)
    assert one.n_runs == other.n_runs
