"""Feasible means it: on all training examples, and on those held out as far as chance explains.

Also of ``neurox_lite.masking.fitting`` and ``neurox_lite.masking.fit_task``.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurox_lite.masking.fit_task import spread_over_templates
from neurox_lite.masking.fitting import fit_mask, mask_from_ranking
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.masking.template_effects import by_template
from neurox_lite.results.random_ranking import random_ranking
from tests.masking.additive_effect import AdditiveEffect

N, N_NEURONS = 400, 8


def two_templates() -> AdditiveEffect:
    """One example in ten is rare: unit 0 adds much to these alone, units 1 to 3 something to all.

    Of as many examples of each template, or nearly, unit 0 alone makes the mean positive.
    """
    rare = np.arange(N) % 10 == 0
    gains = np.zeros((N, N_NEURONS))
    gains[rare, 0] = 20
    gains[:, 1:4] = 1.2
    templates = np.where(rare, "rare", "common")
    return AdditiveEffect(np.full(N, -3.0), gains, templates)


def train_of(effect: AdditiveEffect, seed: int = 0) -> torch.Tensor:
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(effect)))
    return order[round(0.25 * len(effect)) :]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_mask_is_enough_on_all_training_examples(seed: int) -> None:
    effect, alpha = two_templates(), 0.0
    train = train_of(effect, seed)
    rows = spread_over_templates(effect, train, 64)
    assert effect.fewest(rows, alpha) == 1 and effect.fewest(train, alpha) == 2
    fit = fit_mask(effect, alpha=alpha, seed=seed, n_steps=100)
    assert fit.feasible and fit.effect >= alpha and fit.size == 2
    gates = torch.from_numpy(fit.mask.gates)
    assert fit.effect == pytest.approx(float(effect(gates, effect.start, train).mean()), abs=1e-5)


def test_so_is_the_top_of_a_ranking() -> None:
    effect = two_templates()
    ranking = random_ranking(effect.space, seed=0)
    fit = mask_from_ranking(effect, ranking, alpha=-1.0)
    train = train_of(effect)
    gains = effect.gains[train].mean(0).numpy()[ranking.order]
    first = int(np.argmax(-3 + gains.cumsum() >= -1)) + 1
    assert fit.feasible and fit.size >= first and fit.effect >= -1


def test_templates_that_fall_short_are_named() -> None:
    effect = two_templates()
    effect.gains[effect.templates == "common", 1:4] = 0
    fit = fit_mask(effect, alpha=-1.5, n_steps=100)
    assert fit.feasible
    common, rare = fit.templates
    assert (common.name, common.holds, common.effect) == ("common", False, -3)
    assert (rare.name, rare.holds, rare.success) == ("rare", True, 1)
    assert common.n_examples + rare.n_examples == fit.counts["trained on"]
    (short,) = fit.summary()["templates short of it"]
    assert short == f"common ({common.n_examples} examples, effect -3, success 0 %)"


def test_examples_are_taken_evenly_from_templates() -> None:
    effect = two_templates()
    rows = spread_over_templates(effect, torch.arange(N), 64)
    names, counts = np.unique(effect.templates[rows], return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"common": 32, "rare": 32}
    few = spread_over_templates(effect, torch.arange(100), 64)  # ten are rare
    assert len(few) == len(set(few.tolist())) == 64
    assert (effect.templates[few] == "rare").sum() == 10


@pytest.mark.parametrize(("gain", "holds"), [(6.0, True), (5.0, True), (2.0, False)])
def test_held_out_examples_below_alpha_beyond_chance(gain: float, holds: bool) -> None:
    """One unit turns those to train on by 6 nats, those held out by others, give or take."""
    rng = np.random.default_rng(5)
    gains = np.zeros((N, N_NEURONS))
    gains[:, 0] = 6
    held_out = np.setdiff1d(np.arange(N), train_of(AdditiveEffect(gains[:, 0], gains)))
    noise = rng.normal(0, 8, len(held_out))
    gains[held_out, 0] = gain + noise - noise.mean()
    effect = AdditiveEffect(np.full(N, -3.0), gains)
    fit = fit_mask(effect, alpha=2.5, n_steps=60)
    assert fit.size == 1 and fit.effect == pytest.approx(3)
    n = len(held_out)
    expected = gains[held_out, 0] - 3
    assert fit.held_out_effect == pytest.approx(expected.mean(), abs=1e-4)
    half = 1.984 * expected.std(ddof=1) / np.sqrt(n)  # the quantile of t with 99 degrees
    assert fit.held_out_effect_high == pytest.approx(expected.mean() + half, abs=0.01)
    assert fit.feasible == holds
    assert fit.status == ("feasible" if holds else "infeasible on held-out examples")


def test_nothing_is_said_of_examples_without_a_template() -> None:
    nothing = by_template(np.full(3, ""), np.ones(3), np.ones(3, dtype=bool), 0.5, None)
    assert nothing == ()


def test_saved_with_its_templates(tmp_path) -> None:
    fit = fit_mask(two_templates(), success=0.9, n_steps=30)
    fit.save(tmp_path / "fit")
    found = MaskFit.load(tmp_path / "fit")
    assert found.templates == fit.templates and found.success == 0.9
    assert found.summary() == fit.summary() and str(found) == str(fit)
