"""Which rankers find neurons that were planted, and which cannot: the benchmark at a small size."""

from __future__ import annotations

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.ranking import METHODS, RankingTask, gaussian, rank
from tests.benchmarks.known_units import NumberModel, other_number
from tests.benchmarks.planted import CONDITIONS, Planted, Size
from tests.benchmarks.planted_models import CROSS_MODEL_CONDITIONS
from tests.benchmarks.ranker_measures import CROSS_MODEL

pytestmark = pytest.mark.heavy

SIZE = Size(n_neurons=60, n_planted=6, n_train=2000, n_held_out=500)
KNOW_NO_LABELS = {"variance", "random"}
TREES = {"extra-trees", "permutation-importance"}
SEE_SPREAD = {"gaussian", "iou", "average-precision", "mutual-information", *TREES}
OPTIONS = {
    "gaussian": {"n_neurons": SIZE.n_planted},
    "integrated-gradients": {"n_rows": 200},
    "extra-trees": {"n_trees": 30},
    "permutation-importance": {"n_trees": 30, "n_repeats": 2},
}
CHANCE = 0.5  # of 6 among 60, no more than half by chance


def made(condition: str, seed: int = 0) -> Planted:
    return CONDITIONS[condition](np.random.default_rng(seed), SIZE)


def precision(method: str, data: Planted) -> float:
    train, dev = data.splits.train, data.splits.dev
    task = RankingTask(train.X, train.y, dev.X, dev.y, nx.ElasticNetProbe())
    return data.precision(rank(method, task, **OPTIONS.get(method, {})))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_are_as_described(condition):
    data = made(condition)
    splits = data.splits
    n_planted = 5 * SIZE.n_planted if condition == "spread" else SIZE.n_planted
    assert len(np.unique(data.columns)) == n_planted
    assert len(splits.dev.y) == len(splits.test.y) == SIZE.n_held_out
    n_neurons = 100 * SIZE.n_planted if condition == "1 in 100" else SIZE.n_neurons
    assert splits.train.X.shape == (len(splits.train.y), n_neurons)
    assert not set(splits.train.sentences) & set(splits.test.sentences)
    again = made(condition)
    np.testing.assert_array_equal(again.splits.train.X, splits.train.X)


@pytest.mark.parametrize("method", sorted(set(METHODS) - KNOW_NO_LABELS))
def test_neurons_whose_mean_tells_the_class_are_found(method):
    assert precision(method, made("low noise")) >= (0.5 if method == "mutual-information" else 0.8)


@pytest.mark.parametrize("method", sorted(KNOW_NO_LABELS))
def test_without_labels_they_are_not(method):
    assert precision(method, made("low noise")) <= CHANCE


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"variance"}))
def test_scales_change_nothing(method):
    assert precision(method, made("scales")) == precision(method, made("medium noise"))


@pytest.mark.parametrize("method", METHODS)
def test_spread_is_seen_by_methods_that_look_beyond_means(method):
    # In the data of seed 0 the means of the planted neurons happen to differ, too.
    found = precision(method, made("variance only", seed=1))
    assert found == 1 if method in SEE_SPREAD else found <= CHANCE


@pytest.mark.parametrize("method", ["probeless", "average-precision", "activation-probability"])
def test_neurons_that_only_cancel_noise_are_seen_by_a_probe(method):
    data = made("suppressors")
    assert precision(method, data) <= 0.5  # the others of the pairs
    assert precision("linguistic-correlation", data) == 1


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"gaussian", *TREES}))
def test_pairs_are_not_seen_one_neuron_at_a_time(method):
    assert precision(method, made("xor")) <= CHANCE


@pytest.mark.parametrize("method", sorted(TREES))
def test_pairs_are_seen_by_trees(method):
    assert precision(method, made("xor")) == 1


def test_gaussian_finds_the_partner_of_a_neuron_it_has():
    data = made("xor")
    train, dev = data.splits.train, data.splits.dev
    linear = nx.ElasticNetProbe().fit(train.X, train.y).score(dev.X, dev.y)
    assert linear < 0.6
    only = data.columns
    ranking = gaussian(train.X[:, only], train.y, dev.X[:, only], dev.y, n_neurons=6)
    bits = ranking.provenance["bits"]
    assert bits[0] < 0.02
    assert bits[-1] > 0.8


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("shared by all", {"max-corr", "min-corr", "lin-reg", "svcca"}),
        ("other scales", {"max-corr", "min-corr", "lin-reg"}),
        ("shared by two", {"max-corr"}),
        ("rotated", {"lin-reg", "svcca"}),
    ],
)
def test_what_models_share(condition, found):
    X, others, columns = CROSS_MODEL_CONDITIONS[condition](np.random.default_rng(0))
    for method, ranker in CROSS_MODEL.items():
        top = ranker(X, others).order[: len(columns)]
        hits = np.isin(top, columns).mean()
        assert hits == 1 if method in found else hits <= CHANCE, method


def test_the_deciding_units_of_a_model_are_those_it_cannot_do_without():
    pairs = [
        MinimalPair(("The", "niece", "behind", "the", "boxes"), "watches", "watch"),
        MinimalPair(("The", "bakers"), "help", "helps"),
    ]
    assert other_number(pairs[0]).prefix == ("The", "nieces", "behind", "the", "boxes")
    assert other_number(pairs[1]) == MinimalPair(("The", "baker"), "helps", "help")
    both = NumberModel("lstm-0", [*pairs, *map(other_number, pairs)])
    assert both.intact > 1
    assert both.effect([]) == pytest.approx(0)
    assert both.effect(range(256)) == pytest.approx(1, abs=0.1)
    assert both.last_cells(pairs).shape == (2, 256)
