"""Steering: cells known to carry number turn the verb, and curves made by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.corpora.pair_files import read_pairs
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.interventions import runner as masked_model
from neurox_lite.interventions.addition import add_to_neurons
from neurox_lite.interventions.intervene import intervene
from neurox_lite.interventions.pair_inputs import encode_pairs
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.interventions.steering import steer
from neurox_lite.interventions.steering_curves import SteeringCurves
from neurox_lite.models.loading import load_model
from neurox_lite.models.location import Location
from neurox_lite.ranking import probeless
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.ranking import NeuronRanking

NUMBER = (55, 120, 33, 93, 39)
"""The cells of layer 0 of lstm-0 that masks at every word find, whatever their seed."""

TEXTS = ["The niece watches those boxes .", "No bakers near this bike probably help the expert ."]


@pytest.fixture(scope="module")
def loaded():
    return load_model(embedded_path("models/lstm-0"), device="cpu", head="language")


@pytest.fixture(scope="module")
def every():
    found = read_pairs(embedded_path("corpora/number-pairs.tsv"))
    return [pair for pair in found if pair.template in ("simple", "adv", "nounpp")]


@pytest.fixture(scope="module")
def pairs(every):
    return every[::6]


def of(pairs, number):
    return [pair for pair in pairs if pair.condition.startswith(number)]


@pytest.fixture(scope="module")
def sides(pairs):
    return of(pairs, "singular"), of(pairs, "plural")


@pytest.fixture(scope="module")
def space(loaded, pairs):
    return cells(loaded, pairs).space


def cells(loaded, pairs, positions="all"):
    where = Location("lstm_cell", [0], positions)
    return InterventionRunner.of_pairs(loaded, encode_pairs(loaded, pairs), where)


def ranked(space, order, method="given"):
    return NeuronRanking(space, np.array(order), np.zeros(space.n_neurons), method)


@pytest.fixture(scope="module")
def number(space):
    """The cells that carry number first, the others in any order."""
    others = np.random.default_rng(3).permutation(np.delete(np.arange(128), NUMBER))
    return ranked(space, [*NUMBER, *others], "number")


def by_hand(loaded, pairs, context):
    """Log odds of each pair, and logits of each text, inside a context."""
    inputs = encode_pairs(loaded, pairs)
    with torch.no_grad(), context:
        logits = loaded.model(inputs.input_ids, attention_mask=inputs.attention_mask).logits
    return inputs.log_odds(logits, torch.arange(len(pairs))).numpy()


# Known truth.


def test_the_cells_that_carry_number_turn_the_verb_and_random_ones_do_not(loaded, sides, number):
    options = {"counts": [1, 5], "mode": "add", "texts": TEXTS}
    for pairs, target_pairs in (sides, sides[::-1]):
        (curve,) = steer(number, loaded, pairs, target_pairs, **options).curves
        assert curve.success.top[1] > 0.9 and curve.fewest(0.9) == 5
        assert curve.success.random_high[1] == curve.success.bottom[1] == 0
        assert curve.log_odds.top[1] < 0 < 4 < curve.log_odds.random_low[1]
        assert curve.success.intact == 0 < curve.log_odds.intact
        assert curve.kl.top[1] > 5 * curve.kl.random_mean[1] > curve.kl.intact
        assert (curve.n_pairs, curve.n_left_out) == (len(pairs), 0)


def test_few_cells_of_a_ranking_by_class_means_set_at_the_subject_turn_the_verb(
    loaded, every, sides
):
    """Ranked on other pairs than those that are steered; 20 of 256 cells, of both layers."""
    inputs = encode_pairs(loaded, every[1::2])
    masked = InterventionRunner.of_pairs(loaded, inputs, Location("lstm_cell", positions=1))
    number = [pair.condition.split("_")[0] for pair in inputs.pairs]
    ranking = replace(probeless(masked.activations(), number), space=masked.space)
    for turned, target_pairs in (sides, sides[::-1]):
        (curve,) = steer(ranking, loaded, turned, target_pairs, positions=1, counts=[20]).curves
        assert curve.success.top[0] > 0.75
        assert curve.success.random_high[0] < 0.1 and curve.success.bottom[0] == 0
        assert curve.kl is None


def test_the_effect_on_the_last_states_has_a_closed_form(loaded, sides):
    """The output layer W is linear in them: set h to mu', or add alpha (mu' - mu)."""
    where = Location("hidden_states", [2], "last")
    inputs, other = (encode_pairs(loaded, side) for side in sides)
    states, others = (InterventionRunner.of_pairs(loaded, each, where) for each in (inputs, other))
    X, mean = states.activations().double().numpy(), others.activations().double().mean(0).numpy()
    W = loaded.model.get_output_embeddings().weight.detach().double().numpy()
    direction = W[inputs.right.numpy()] - W[inputs.wrong.numpy()]
    order = np.random.default_rng(0).permutation(128)
    ranking = ranked(states.space, order)
    intact = by_hand(loaded, sides[0], torch.no_grad())
    alpha = 3 * (0.001 / 3) ** (np.arange(128) / 127)
    for mode, strength in (("set", None), ("add", 3.0)):
        (curve,) = steer(
            ranking, loaded, *sides, mode=mode, strength=strength, positions="last", counts=[9, 128]
        ).curves
        for place, k in enumerate((9, 128)):
            top = order[:k]
            moved = mean[top] - X[:, top]
            if mode == "add":
                moved = np.tile(alpha[:k] * (mean[top] - X[:, top].mean(0)), (len(X), 1))
            odds = intact + (moved * direction[:, top]).sum(1)
            assert curve.log_odds.top[place] == pytest.approx(odds.mean(), abs=1e-3)
            assert curve.success.top[place] == np.mean(odds < 0)


@pytest.mark.parametrize("positions", ["all", "last", 1])
def test_the_curves_are_made_of_what_intervene_and_translate_leave(
    loaded, sides, number, positions
):
    pairs, target_pairs = sides
    mean, other = (
        cells(loaded, side, positions).activations().double().mean(0).numpy() for side in sides
    )
    inputs = encode_pairs(loaded, pairs)
    places = inputs.word_positions(positions) if isinstance(positions, int) else positions
    options = {"positions": positions, "counts": [1, 4, 20], "n_random": 1}
    (set_to,) = steer(number, loaded, pairs, target_pairs, **options).curves
    (moved,) = steer(
        number, loaded, pairs, target_pairs, mode="add", strength=2.0, **options
    ).curves
    for curve in (set_to, moved):
        for place, k in enumerate(curve.counts):
            for order, measured in (
                (number.order, curve.log_odds.top),
                (number.order[::-1], curve.log_odds.bottom),
            ):
                context = intervene(
                    loaded,
                    NeuronMask.of(number.space, order[:k], other),
                    positions=places,
                )
                if curve is moved:
                    shift = np.zeros(128)
                    alpha = 2 * (0.001 / 2) ** (np.arange(k) / 127)
                    shift[order[:k]] = alpha * (other - mean)[order[:k]]
                    context = add_to_neurons(loaded, number.space, shift, positions=places)
                expected = by_hand(loaded, pairs, context)
                assert measured[place] == pytest.approx(expected.mean(), abs=1e-3)


def test_side_effects_are_of_texts_steered_at_every_token(loaded, sides, number):
    (curve,) = steer(number, loaded, *sides, positions=1, counts=[5], texts=TEXTS).curves
    mean = cells(loaded, sides[1], 1).activations().double().mean(0).numpy()
    mask = NeuronMask.of(number.space, NUMBER, mean)
    divergences, losses = [], []
    for text in TEXTS:
        ids = loaded.tokenizer([text], return_tensors="pt")["input_ids"]
        with torch.no_grad():
            intact = loaded.model(ids).logits[0].double().log_softmax(-1)
            with intervene(loaded, mask):
                found = loaded.model(ids).logits[0].double().log_softmax(-1)
        divergences += (intact.exp() * (intact - found)).sum(-1).tolist()
        losses += (-found[:-1].gather(1, ids[0, 1:, None])[:, 0]).tolist()
    assert curve.kl.top == pytest.approx((np.mean(divergences),), rel=1e-3)
    assert curve.perplexity.top == pytest.approx((np.exp(np.mean(losses)),), rel=1e-3)
    assert curve.kl.intact == pytest.approx(0, abs=1e-6)


def test_pairs_that_the_model_gets_wrong(loaded, sides, number):
    """Pairs whose words are swapped, so that the model is wrong about them."""
    swapped = [replace(p, right=p.wrong, wrong=p.right) for p in sides[0][:5]]
    mixed = [*swapped, *sides[0][5:]]
    (curve,) = steer(number, loaded, mixed, sides[1], counts=[5]).curves
    (alone,) = steer(number, loaded, sides[0][5:], sides[1], counts=[5]).curves
    assert (curve.n_pairs, curve.n_left_out) == (len(mixed) - 5, 5)
    assert curve.log_odds.top == pytest.approx(alone.log_odds.top, abs=1e-4)
    (kept,) = steer(number, loaded, mixed, sides[1], counts=[5], include_incorrect=True).curves
    assert (kept.n_pairs, kept.n_left_out) == (len(mixed), 0)
    assert kept.success.intact == 5 / len(mixed)
    with pytest.raises(InputError, match="gets all 5 pairs wrong; give others, or use them"):
        steer(number, loaded, swapped, sides[1])


# Promises.


@pytest.mark.parametrize("mode", ["set", "add"])
def test_neither_batches_nor_the_order_of_pairs_change_anything(
    loaded, sides, number, mode, monkeypatch
):
    pairs, target_pairs = sides
    options = {"mode": mode, "counts": [3, 40], "n_random": 2, "texts": TEXTS}

    def values(curves):
        (curve,) = curves.curves
        measures = (curve.success, curve.log_odds, curve.kl, curve.perplexity)
        return np.array([[m.top, m.bottom, m.random_low, m.random_high] for m in measures])

    together = values(steer(number, loaded, pairs, target_pairs, **options))
    monkeypatch.setattr(masked_model, "BATCH_TOKENS", 50)
    others = steer(number, loaded, pairs[::-1], target_pairs[::-1], **options)
    assert values(others) == pytest.approx(together, rel=1e-3, abs=1e-3)


def test_a_seed_gives_the_same_curves_again(loaded, sides, number):
    def run(seed):
        return steer(number, loaded, *sides, counts=[40], n_random=2, seed=seed)

    assert run(1) == run(1)
    one, other = run(1).curves[0], run(2).curves[0]
    assert one.log_odds.random_mean != other.log_odds.random_mean
    assert one.log_odds.top == other.log_odds.top


def test_several_rankings_share_the_random_neurons(loaded, sides, number, space):
    other = ranked(space, number.order[::-1], "reversed")
    curves = steer([number, other], loaded, *sides, shares=[0.04, 0.05, 1.0], n_random=2).curves
    assert [curve.method for curve in curves] == ["number", "reversed"]
    assert curves[0].counts == (5, 6, 128)
    assert curves[0].success.random_high == curves[1].success.random_high
    assert curves[0].log_odds.top == pytest.approx(curves[1].log_odds.bottom, abs=1e-4)
    for curve in curves:  # all neurons are the same set in every order
        every = (curve.log_odds.top, curve.log_odds.bottom, curve.log_odds.random_low)
        assert [row[-1] for row in every] == pytest.approx([every[0][-1]] * 3, abs=1e-4)


def test_a_bert_and_a_model_by_its_path(sides):
    path = embedded_path("models/bert")
    space = replace(
        cells(load_model(embedded_path("models/lstm-0"), head="language"), sides[0]).space,
        site="mlp",
        model="bert",
        revision="",
        widths=(load_model(path, device="cpu").model.config.intermediate_size,),
    )
    ranking = ranked(space, np.arange(space.n_neurons))
    (curve,) = steer(
        ranking, path, sides[0][:5], sides[1][:5], counts=[10], n_random=1, texts=TEXTS[:1]
    ).curves
    assert curve.perplexity.top[0] > 1 and curve.n_pairs + curve.n_left_out == 5


# Saved, shown.


def test_saved_loaded_and_plotted(loaded, sides, number, tmp_path):
    bare = steer(number, loaded, *sides, counts=[1, 5], n_random=1)
    full = steer(number, loaded, *sides, counts=[1, 5], n_random=1, texts=TEXTS, mode="add")
    for curves in (bare, full):
        curves.save(tmp_path / "steering.json")
        assert SteeringCurves.load(tmp_path / "steering.json") == curves
    figure = full.plot()
    assert [axis.get_ylabel() for axis in figure.axes] == [
        "pairs turned",
        "KL on other text (nats per token)",
    ]
    lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[1].lines}
    assert lines["top"] == list(full.curves[0].kl.top)
    assert len(bare.plot().axes) == 1
    full.save(tmp_path / "steering.csv")
    rows = [line.split(",") for line in (tmp_path / "steering.csv").read_text().splitlines()]
    assert rows[0] == ["method", "neurons", "count", "success", "log_odds", "kl", "perplexity"]
    assert len(rows) == 2 + 5 * 2
    assert rows[1][:4] == ["number", "none", "0", "0.0"]
    assert [float(cell) for cell in rows[3][3:]] == [
        getattr(full.curves[0], name).top[1] for name in ("success", "log_odds", "kl", "perplexity")
    ]
    assert bare.table()[2][5:] == [None, None]
    bare.save(tmp_path / "bare.csv")
    assert (tmp_path / "bare.csv").read_text().splitlines()[2].endswith(",,")
    assert bare.curves[0].fewest(2.0) is None
    assert str(full).endswith("with 5 neurons; 5 turn 90 %")
    few = replace(full.curves[0], success=replace(full.curves[0].success, top=(0.0, 0.5)))
    assert str(SteeringCurves((few,))).endswith("none of the counts turns 90 %")


# What is refused.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "push"}, "unknown mode 'push'; use set or add"),
        ({"strength": 2.0}, "strength applies to mode add; set neurons without it"),
        ({"mode": "add", "strength": 0.0}, r"strength is 0.0; give a number above 0.001"),
        ({"mode": "add", "strength": np.nan}, "strength is nan; give a number above 0.001"),
        ({"mode": "add", "strength": np.inf}, "strength is inf; give a number above 0.001"),
        ({"positions": "first"}, "unknown positions 'first'; use all, last or a whole number"),
        ({"positions": 9}, "words and no word 9; give one that every prefix has"),
        ({"counts": [1, 129]}, r"counts \(1, 129\): give whole numbers from 1 to 128"),
        ({"counts": [0]}, r"counts \(0,\): give whole numbers from 1 to 128"),
        ({"counts": [float("nan")]}, "give whole numbers from 1 to 128"),
        ({"positions": True}, "positions True; give all, last or the number of a word"),
        ({"counts": [1.5]}, "give whole numbers from 1 to 128"),
        ({"counts": []}, r"counts \(\): give whole numbers"),
        ({"shares": [0.0]}, "give numbers above 0 and up to 1"),
        ({"shares": []}, r"shares \(\): give numbers above 0"),
        ({"shares": [0.1], "counts": [1]}, "shares and counts are given; give one of them"),
        ({"n_random": 0}, "n_random is 0; give at least 1"),
        ({"texts": []}, "no texts; give at least one"),
    ],
)
def test_options_out_of_range(loaded, sides, number, options, message):
    with pytest.raises(InputError, match=message):
        steer(number, loaded, *sides, **options)


def test_no_ranking_and_rankings_of_other_neurons(loaded, sides, number, space):
    with pytest.raises(InputError, match="no ranking"):
        steer([], loaded, *sides)
    wide = replace(space, layers=(0, 1), widths=(128, 128))
    for other in (replace(space, site="hidden_states"), replace(space, layers=(1,)), wide):
        ranking = ranked(other, np.arange(other.n_neurons), "odd")
        with pytest.raises(InputError, match=r"ranking 'odd' is of .*, not of lstm_cell, layers"):
            steer([number, ranking], loaded, *sides)
    for other, message in (
        (replace(space, site="mlp"), "use another site"),
        (replace(space, layers=(7,)), "no layer 7"),
        (replace(space, widths=(64,)), "ranking 'odd' is of lstm_cell"),
        (replace(space, revision="sha256:0"), "ranking 'odd' was made from .*not from this model"),
    ):
        with pytest.raises(InputError, match=message):
            steer(ranked(other, np.arange(other.n_neurons), "odd"), loaded, *sides)


def test_pairs_that_will_not_do(loaded, sides, number):
    with pytest.raises(InputError, match="no minimal pairs; give at least one"):
        steer(number, loaded, [], sides[1])
    with pytest.raises(InputError, match="no minimal pairs; give at least one"):
        steer(number, loaded, sides[0], [])
    with pytest.raises(InputError, match="among the pairs to turn and those of the target class"):
        steer(number, loaded, sides[0], [*sides[1], sides[0][2]])
    unknown = MinimalPair(("The", "boy"), "smiles", "xyzzy")
    with pytest.raises(InputError, match="does not know 'xyzzy'; leave the pair out"):
        steer(number, loaded, [unknown], sides[1])
