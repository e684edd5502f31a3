"""Ablation in the running model: a unit known to carry number, and curves made by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from neurox_lite.corpora.pair_files import read_pairs
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.interventions.ablation import ablate_in_model
from neurox_lite.interventions.intervene import intervene
from neurox_lite.interventions.metrics import evaluate, pair_accuracy, pair_log_odds
from neurox_lite.interventions.pair_inputs import encode_pairs
from neurox_lite.interventions.replacement_values import class_means
from neurox_lite.models.loading import load_model
from neurox_lite.models.location import Location
from neurox_lite.results.ablation import AblationCurves
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.ranking import NeuronRanking

NUMBER = 120
"""The column of unit 0:120 of lstm-0, which carries the subject's number to the verb."""
WHERE = Location("lstm_cell", [0])


@pytest.fixture(scope="module")
def loaded():
    return load_model(embedded_path("models/lstm-0"), device="cpu", head="language")


@pytest.fixture(scope="module")
def pairs():
    every = read_pairs(embedded_path("corpora/number-pairs.tsv"))
    return [p for p in every if p.condition in ("singular_plural", "plural_singular")][::16]


@pytest.fixture(scope="module")
def metric(loaded, pairs):
    return pair_log_odds(loaded, encode_pairs(loaded, pairs), WHERE)


@pytest.fixture(scope="module")
def rankings(metric):
    """The unit first, and any order with the unit last."""
    n = metric.runner.space.n_neurons
    others = np.random.default_rng(3).permutation(np.delete(np.arange(n), NUMBER))
    space = metric.runner.space
    return [
        ranked(space, [NUMBER, *others], "number"),
        ranked(space, [*others, NUMBER], "others"),
    ]


def ranked(space, order, method="given"):
    return NeuronRanking(space, np.array(order), np.zeros(space.n_neurons), method)


@torch.no_grad()
def log_odds(loaded, pairs, space, gates, values, positions="all"):
    """By hand: one forward pass of all pairs inside ``intervene``."""
    inputs = encode_pairs(loaded, pairs)
    mask = NeuronMask(space, gates, np.zeros(space.n_neurons))
    with intervene(loaded, mask, replacement=values, positions=positions):
        logits = loaded.model(inputs.input_ids, attention_mask=inputs.attention_mask).logits
    return inputs.log_odds(logits, torch.arange(len(pairs))).mean().item()


def test_no_other_single_unit_costs_as_much_as_the_one_that_carries_number(metric):
    n = metric.runner.space.n_neurons
    mean = metric.runner.activations().double().mean(0).numpy()
    left = evaluate(metric, np.eye(n), mean)
    assert left.argmin() == NUMBER


def test_more_is_lost_without_it_than_without_random_neurons(metric, rankings):
    number, others = ablate_in_model(rankings, metric, shares=(0.01, 0.1), n_random=5).curves
    lost = number.intact - np.array(number.remove.top)
    by_chance = number.intact - np.array(number.remove.random_mean)
    assert (lost > 0.4).all() and (lost > 3 * by_chance).all()
    assert number.area_below_random > 0.4
    # The unit is at the bottom of the other ranking, which is in random order above.
    assert np.all(others.remove.bottom < np.array(others.remove.top))
    assert others.remove.bottom[0] == pytest.approx(number.remove.top[0], abs=1e-4)
    assert (number.metric, number.retrained, number.method) == ("log odds", False, "number")


def test_the_mean_of_the_other_number_costs_more_than_the_mean_of_both(loaded, pairs, rankings):
    inputs = encode_pairs(loaded, pairs)
    metric = pair_log_odds(loaded, inputs, replace(WHERE, positions=1))
    numbers = np.array([pair.condition.split("_")[0] for pair in pairs])
    means = class_means(metric.runner.activations().numpy(), numbers)
    others = np.array([means["plural" if n == "singular" else "singular"] for n in numbers])
    lost = []
    for replacement in ("mean", others):
        (curve,) = ablate_in_model(
            rankings[:1], metric, shares=(0.01,), replacement=replacement
        ).curves
        lost.append(curve.intact - curve.remove.top[0])
    assert lost[1] > 1.5 * lost[0] > 0.4


def test_accuracy_on_pairs(loaded, pairs, rankings):
    metric = pair_accuracy(loaded, encode_pairs(loaded, pairs), WHERE)
    (curve, _) = ablate_in_model(rankings, metric, shares=(1.0,), n_random=2).curves
    assert curve.intact == curve.keep.top[0] == 1
    assert curve.remove.top[0] < 0.7
    assert curve.metric == "pair accuracy"


@pytest.mark.parametrize("replacement", ["zero", "mean", "given"])
def test_the_curves_are_made_of_what_intervene_leaves(loaded, pairs, metric, rankings, replacement):
    space = metric.runner.space
    n = space.n_neurons
    values = {
        "zero": np.zeros(n),
        "mean": metric.runner.activations().double().mean(0).numpy(),
        "given": np.random.default_rng(0).normal(size=n),
    }[replacement]
    given = values if replacement == "given" else replacement
    curves = ablate_in_model(rankings, metric, shares=(0.05, 0.3), replacement=given).curves
    for ranking, curve in zip(rankings, curves, strict=True):
        assert curve.replacement == ("given values" if replacement == "given" else replacement)
        assert curve.counts == (round(0.05 * n), round(0.3 * n))
        for number, k in enumerate(curve.counts):
            for chosen, remove, keep in (
                (ranking.order[:k], curve.remove.top, curve.keep.top),
                (ranking.order[n - k :], curve.remove.bottom, curve.keep.bottom),
            ):
                gates = np.zeros(n)
                gates[chosen] = 1
                by_hand = log_odds(loaded, pairs, space, gates, values)
                assert remove[number] == pytest.approx(by_hand, abs=1e-3)
                by_hand = log_odds(loaded, pairs, space, 1 - gates, values)
                assert keep[number] == pytest.approx(by_hand, abs=1e-3)
    assert curves[0].intact == pytest.approx(
        log_odds(loaded, pairs, space, np.zeros(n), values), abs=1e-3
    )


def test_values_of_every_input(loaded, pairs, metric, rankings):
    space = metric.runner.space
    values = np.random.default_rng(1).normal(size=(len(pairs), space.n_neurons))
    (curve,) = ablate_in_model(rankings[:1], metric, shares=(0.1,), replacement=values).curves
    gates = np.zeros(space.n_neurons)
    gates[rankings[0].order[: curve.counts[0]]] = 1
    by_hand = log_odds(loaded, pairs, space, gates, values)
    assert curve.remove.top == pytest.approx((by_hand,), abs=1e-3)


def test_neurons_are_replaced_at_the_metric_s_positions_only(loaded, pairs, rankings):
    inputs = encode_pairs(loaded, pairs)
    metric = pair_log_odds(loaded, inputs, replace(WHERE, positions=1))
    (curve,) = ablate_in_model(rankings[:1], metric, shares=(0.1,), replacement="zero").curves
    space = metric.runner.space
    gates = np.zeros(space.n_neurons)
    gates[rankings[0].order[: curve.counts[0]]] = 1
    by_hand = log_odds(loaded, pairs, space, gates, np.zeros(len(gates)), inputs.word_positions(1))
    assert curve.remove.top == pytest.approx((by_hand,), abs=1e-3)


def test_all_neurons_kept_or_removed(metric, rankings):
    one, other = ablate_in_model(rankings, metric, shares=(1.0,), n_random=2).curves
    for curve in (one, other):
        kept = (curve.keep.top, curve.keep.bottom, curve.keep.random_low, curve.keep.random_high)
        assert np.ravel(kept) == pytest.approx(np.full(4, curve.intact), abs=1e-4)
        removed = (
            curve.remove.top,
            curve.remove.bottom,
            curve.remove.random_low,
            curve.remove.random_high,
        )
        assert np.ravel(removed) == pytest.approx(np.full(4, one.remove.top[0]), abs=1e-4)
    assert abs(one.remove.top[0] - one.intact) > 1


def test_the_random_curves_are_shared_and_lie_between_their_extremes(metric, rankings):
    one, other = ablate_in_model(rankings, metric, shares=(0.1, 0.5), n_random=4).curves
    for first, second in ((one.keep, other.keep), (one.remove, other.remove)):
        for name in ("random_mean", "random_low", "random_high"):
            assert getattr(first, name) == getattr(second, name)
        low, mean, high = (
            np.array(getattr(first, f"random_{name}")) for name in ("low", "mean", "high")
        )
        assert (low < mean).all() and (mean < high).all()


@pytest.mark.parametrize("replacement", ["resampled", "mean"])
def test_one_token_s_own_activations_change_nothing(loaded, pairs, rankings, replacement):
    """With one token to draw from, every mask puts back what was there."""
    metric = pair_log_odds(
        loaded, encode_pairs(loaded, pairs[:1]), replace(WHERE, positions="last")
    )
    (curve,) = ablate_in_model(
        rankings[:1], metric, shares=(0.1, 0.5), replacement=replacement, n_random=2
    ).curves
    for values in (curve.remove.top, curve.keep.top, curve.keep.bottom, curve.keep.random_mean):
        assert values == pytest.approx([curve.intact] * 2, abs=1e-4)


def test_a_seed_gives_the_same_curves_again(metric, rankings):
    def run(seed):
        options = {"shares": (0.2,), "replacement": "resampled", "n_random": 2, "seed": seed}
        return ablate_in_model(rankings, metric, **options)

    assert run(1) == run(1)
    one, other = run(1).curves[0], run(2).curves[0]
    assert one.keep.random_mean != other.keep.random_mean
    assert one.remove.top != other.remove.top  # other activations were drawn
    assert one.intact == other.intact
    assert one.replacement == "resampled"


def test_rankings_do_not_depend_on_each_other(metric, rankings):
    together = ablate_in_model(rankings, metric, shares=(0.1,)).curves
    for ranking, curve in zip(rankings, together, strict=True):
        (alone,) = ablate_in_model([ranking], metric, shares=(0.1,)).curves
        assert alone.remove.top == pytest.approx(curve.remove.top, abs=1e-4)
        assert alone.keep.bottom == pytest.approx(curve.keep.bottom, abs=1e-4)
        assert alone.keep.random_mean == pytest.approx(curve.keep.random_mean, abs=1e-4)


def test_saved_loaded_and_plotted(tmp_path, metric, rankings):
    curves = ablate_in_model(rankings, metric, shares=(0.05, 0.5), n_random=2)
    curves.save(tmp_path / "curves.json")
    assert AblationCurves.load(tmp_path / "curves.json") == curves
    figure = curves.plot()
    assert [axis.get_title() for axis in figure.axes] == [
        f"{name}\nin the model, replaced by mean" for name in ("number", "others")
    ]
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert {"all but the top", "all but the bottom", "all but random"} <= set(labels)
    assert figure.axes[0].get_ylabel() == "log odds"


# What is refused.


def test_rankings_of_other_neurons(metric, rankings):
    space = metric.runner.space
    wide = replace(space, layers=(0, 1), widths=space.widths * 2)
    for other in (
        replace(space, site="hidden_states"),
        replace(space, layers=(1,)),
        replace(space, widths=(5,)),
        wide,
    ):
        ranking = ranked(other, np.arange(other.n_neurons), "odd")
        with pytest.raises(InputError, match=r"ranking 'odd' is of .*, not of lstm_cell, layers"):
            ablate_in_model([rankings[0], ranking], metric)


def test_a_ranking_that_names_no_revision_is_taken_at_its_word(metric, rankings):
    ranking = ranked(replace(metric.runner.space, revision=""), rankings[0].order)
    (curve,) = ablate_in_model([ranking], metric, shares=(0.1,), n_random=1).curves
    assert curve.method == "given"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shares": ()}, r"shares \(\): give numbers above 0 and up to 1"),
        ({"shares": (0.0, 0.5)}, "give numbers above 0 and up to 1"),
        ({"shares": (1.1,)}, "give numbers above 0 and up to 1"),
        ({"shares": (float("nan"),)}, "give numbers above 0 and up to 1"),
        ({"n_random": 0}, "n_random is 0; give at least 1"),
        ({"replacement": "median"}, "unknown replacement 'median'; use mean, zero or resampled"),
        ({"replacement": np.zeros(3)}, r"values of shape \(3,\)"),
        ({"replacement": np.zeros((2, 128))}, r"values of shape \(2, 128\)"),
        ({"replacement": np.full(128, np.nan)}, "a replacement is NaN or infinite"),
    ],
)
def test_options_out_of_range(metric, rankings, options, message):
    assert metric.runner.space.n_neurons == 128
    with pytest.raises(InputError, match=message):
        ablate_in_model(rankings, metric, **options)


def test_no_ranking(metric):
    with pytest.raises(InputError, match="no rankings; give at least one"):
        ablate_in_model([], metric)
