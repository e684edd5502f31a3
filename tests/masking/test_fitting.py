"""The top of a ranking as a mask, REINFORCE in its plain form, and attributions of gates.

Of `fitting`, `fit_task`, `mask_scores`, `reinforce` and `attribution`.
"""

from __future__ import annotations

from functools import partial
from itertools import combinations

import numpy as np
import pytest
import torch

import neurox_lite as nx
from neurox_lite.masking.attribution import gate_gradients
from neurox_lite.masking.effects import ReadoutEffect
from neurox_lite.masking.fitting import fit_mask, mask_from_ranking
from neurox_lite.masking.gate_search import initial_state, search_mask
from neurox_lite.masking.reinforce import _LeaveOneOut, reinforce_mask
from neurox_lite.masking.replacement_fit import fit_replacements, gates_of
from neurox_lite.masking.seed_spread import SeedSpread

N_NEURONS, STRONG, WEAK = 20, 13, 5


def readout(weights=(3.0, 2.0), bounds_from=True):
    """Two units are 1 and decide by 5 nats; replaced by -1, the first alone makes it 1."""
    X = np.random.default_rng(0).normal(size=(200, N_NEURONS)).astype(np.float32)
    X[:, [STRONG, WEAK]] = 1
    coefficients = np.zeros((N_NEURONS, 2))
    coefficients[[STRONG, WEAK], 0] = weights
    bounds = np.full(N_NEURONS, -1.0), np.full(N_NEURONS, 1.0)
    return ReadoutEffect(coefficients, np.zeros(2), X, bounds_from=bounds if bounds_from else None)


def ordered(effect, *first):
    scores = np.zeros(N_NEURONS)
    scores[list(first)] = np.arange(len(first), 0, -1)
    return nx.NeuronRanking.from_scores(effect.space, scores, "by hand")


@pytest.mark.parametrize(
    ("first", "alpha", "size"),
    [
        ((STRONG, WEAK), 0.5, 1),
        ((WEAK, STRONG), 0.5, 2),
        ((0, 1, 2, STRONG, WEAK), 0.5, 4),
        ((0, 1, 2, STRONG, WEAK), 3.0, 5),
    ],
)
def test_the_shortest_head_that_reaches_the_effect(first, alpha, size):
    effect = varying(readout())
    fit = mask_from_ranking(effect, ordered(effect, *first), alpha=alpha)
    assert (fit.feasible, fit.status, fit.size) == (True, "feasible", size)
    assert set(fit.mask.columns.tolist()) == set(first[:size])
    assert fit.mask.method == "by hand"
    assert fit.held_out_effect >= alpha - 0.01


def varying(effect):
    """Constant units never get away from where they are: give them a step."""
    effect.std = torch.ones_like(effect.std)
    return effect


def test_a_ranking_is_made_of_the_examples_to_train_on():
    effect, seen = varying(readout()), []

    def rank(rows):
        seen.append(rows)
        return ordered(effect, WEAK, STRONG)

    fit = mask_from_ranking(effect, rank, alpha=0.5, held_out=0.3)
    (rows,) = seen
    assert len(rows) == fit.counts["trained on"] == 140
    assert fit.size == 2 and fit.ranking().order[:2].tolist() == [WEAK, STRONG]


def test_no_head_is_enough():
    effect = varying(readout())
    fit = mask_from_ranking(effect, ordered(effect, STRONG), alpha=6.0)
    assert fit.status == "infeasible"
    assert fit.effect == pytest.approx(5, abs=0.01)


def test_a_ranking_of_other_neurons_is_refused():
    other = nx.ranking.random_ranking(nx.NeuronSpace.of_array(N_NEURONS + 1))
    with pytest.raises(nx.InputError, match="give the model, site and layers"):
        mask_from_ranking(readout(), other)


def test_probabilities_are_those_of_the_gates_that_were_drawn():
    """Of REINFORCE sigmoid(phi), of hard concrete gates more, since they may be small."""
    effect = varying(readout())
    options = {
        "rows": torch.arange(100),
        "scale": 5.0,
        "start": initial_state(effect),
        "n_steps": 20,
        "batch_size": 8,
    }
    for search, shift in ((reinforce_mask, 0.0), (search_mask, 0.2 * np.log(11))):
        found = search(effect, 3.0, generator=torch.Generator().manual_seed(0), **options)
        torch.testing.assert_close(found.probabilities, torch.sigmoid(found.phi + shift))


def test_plain_reinforce_rewards_the_size_too():
    effect = varying(readout())

    def plain(*arguments, **options):
        return reinforce_mask(*arguments, exact_size=False, **options)

    fit = fit_mask(effect, alpha=3.0, search=plain, method="plain", n_steps=600)
    assert fit.feasible
    assert set(fit.mask.columns.tolist()) == {STRONG, WEAK}
    assert fit.mask.method == "plain"


def test_the_baseline_of_leaving_one_out():
    rewards = torch.tensor([1.0, 2.0, 6.0, 0.0, 0.0, 3.0])
    found = _LeaveOneOut(3).surplus(rewards)
    assert found.tolist() == [1 - 4, 2 - 3.5, 6 - 1.5, -1.5, -1.5, 3]


def test_reinforce_with_several_draws_for_each_example():
    fit = fit_mask(
        varying(readout()), alpha=3.0, search=partial(reinforce_mask, draws=4), n_steps=200
    )
    assert fit.feasible
    assert set(fit.mask.columns.tolist()) == {STRONG, WEAK}


def test_gates_cut_at_one_half_are_the_fewest_that_are_enough():
    """Beside the truth: how many it takes is known for every alpha."""
    effect = varying(readout())
    for alpha, size in ((0.5, 1), (3.0, 2)):
        found = search_mask(
            effect,
            alpha,
            rows=torch.arange(len(effect)),
            scale=alpha + 5,
            start=initial_state(effect),
            n_steps=200,
            batch_size=16,
            generator=torch.Generator().manual_seed(0),
        )
        assert found.n_open == size
        gates = (found.phi > 0).float()
        assert effect(gates, found.values, torch.arange(len(effect))).mean() >= alpha


def test_enough_ends_the_fit_of_replacements():
    effect = varying(readout())
    gates = gates_of(effect, [[STRONG], [STRONG, WEAK], [0]])
    rows = torch.arange(10)
    start = effect.n_runs
    best, _ = fit_replacements(effect, gates, effect.start, rows, 50)
    assert best.tolist() == pytest.approx([1, 5, -5], abs=0.01)
    everything = effect.n_runs - start
    enough, _ = fit_replacements(effect, gates, effect.start, rows, 50, enough=-4)
    assert (enough[:2] >= -4).all() and enough[2] == pytest.approx(-5)
    assert effect.n_runs - start - everything < everything / 2


def test_attributions_of_a_linear_readout_are_what_each_neuron_adds():
    """Of two classes, the effect is linear: replacing x by b adds (b - x) w, whatever else is."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, N_NEURONS)).astype(np.float32)
    weights = np.stack([rng.normal(size=N_NEURONS), np.zeros(N_NEURONS)], axis=1)
    effect = ReadoutEffect(weights, np.zeros(2), X)
    values = rng.normal(size=N_NEURONS)
    found = gate_gradients(effect, torch.from_numpy(values).float(), rows=torch.arange(50))
    # The class that is predicted loses: its sign is that of the logit.
    sign = np.sign(X @ weights[:, 0])[:, None]
    expected = (-sign * (values - X) * weights[:, 0]).mean(0)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_keeping_nothing_is_reported_with_the_replacements_that_do_it():
    """Sufficiency: the saved mask has the effect that is said, also when no neuron is kept."""
    X = np.random.default_rng(0).normal(size=(200, N_NEURONS)).astype(np.float32)
    coefficients = np.zeros((N_NEURONS, 2))
    coefficients[STRONG, 0], coefficients[WEAK, 0] = 0.5, 0.3
    effect = ReadoutEffect(coefficients, np.zeros(2), X, objective="sufficiency")
    fit = fit_mask(effect, alpha=-1.0, n_steps=20, held_out=0)
    assert (fit.size, fit.status) == (0, "feasible")
    rows = torch.arange(200)
    values = torch.from_numpy(fit.mask.replacement).float()
    with torch.no_grad():
        again = effect(torch.zeros(N_NEURONS), values, rows).double().mean()
    assert float(again) == pytest.approx(fit.effect, abs=1e-6)


def test_replacements_begin_within_their_bounds():
    """Also when the mean of a neuron lies outside, as of pairs of another kind."""
    X = np.random.default_rng(0).normal(5, 1, size=(50, N_NEURONS)).astype(np.float32)
    coefficients = np.random.default_rng(1).normal(size=(N_NEURONS, 2))
    bounds = np.full(N_NEURONS, -1.0), np.full(N_NEURONS, 1.0)
    effect = ReadoutEffect(coefficients, np.zeros(2), X, bounds_from=bounds)
    gates = gates_of(effect, [[column] for column in range(N_NEURONS)])
    _, values = fit_replacements(effect, gates, effect.start, torch.arange(20), 3)
    chosen = values[gates > 0]
    assert chosen.min() >= -1 and chosen.max() <= 1


@pytest.mark.parametrize(("alpha", "message"), [(float("nan"), "alpha is nan"), (None, "give al")])
def test_nothing_to_turn(alpha, message):
    effect = readout()
    if alpha is None:  # a model that is as sure of either
        effect.weights = torch.zeros_like(effect.weights)
    with pytest.raises(nx.InputError, match=message):
        fit_mask(effect, alpha=alpha, n_steps=1)


def test_seeds_agree_as_far_as_the_neurons_sought_do():
    """Of sufficiency those that are kept, not the many that are replaced."""
    X = np.random.default_rng(0).normal(size=(200, N_NEURONS)).astype(np.float32)
    coefficients = np.zeros((N_NEURONS, 2))
    coefficients[[STRONG, WEAK], 0] = 3, 2
    effect = ReadoutEffect(coefficients, np.zeros(2), X, objective="sufficiency")
    by = [ordered(effect, STRONG, WEAK), ordered(effect, WEAK, STRONG), ordered(effect, STRONG)]
    fits = [mask_from_ranking(effect, order, alpha=-0.01) for order in by]
    kept = [set(fit.mask.selected.tolist()) for fit in fits]
    shares = [len(a & b) / len(a | b) for a, b in combinations(kept, 2)]
    assert SeedSpread(tuple(fits)).overlap == pytest.approx(np.mean(shares))
    assert min(shares) < 0.5
