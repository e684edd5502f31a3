"""Rankings of groups of neurons: from scores, of planted heads, and what is done with them.

Also of ``neurox_lite.results.units``.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neurox_lite as nx
from neurox_lite.errors import InputError
from neurox_lite.evaluation.ablation import ablate
from neurox_lite.evaluation.minimal_set import minimal_set
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.ranking import require_space
from neurox_lite.results.sweep import NeuronSets

SPACE = NeuronSpace("m", "attention_heads", (0, 1), (6, 6))
HEADS = SPACE.heads(3)
NAN = np.nan


def ranked(scores, space=SPACE, **details):
    return nx.NeuronRanking.from_scores(space, np.array(scores, dtype=float), "given", **details)


RANKING = ranked([9, 0, 2, 2, NAN, NAN, 0, 0, 5, NAN, 3, 4])


@pytest.mark.parametrize(
    ("by", "scores"),
    [
        ("mean", [4.5, 2, NAN, 0, 5, 3.5]),
        ("sum", [9, 4, NAN, 0, 5, 7]),
        ("max", [9, 2, NAN, 0, 5, 4]),
        ("first", [1, 1 - 4 / 12, NAN, 1 - 7 / 12, 1 - 1 / 12, 1 - 2 / 12]),
    ],
)
def test_a_head_has_the_mean_or_another_number_of_its_neurons(by, scores):
    found = RANKING.group(HEADS, by)
    np.testing.assert_allclose(found.scores, scores)
    assert found.parameters["grouped_by"] == by and found.method == "given"
    assert found.unscored == [nx.Neuron(0, 2)]


def test_where_neurons_are_needed_heads_are_refused_by_name():
    message = "'given' is of heads, where neurons are needed; give a ranking of neurons"
    with pytest.raises(InputError, match=message):
        require_space(RANKING.group(HEADS), SPACE)


def test_the_mean_is_the_default_unless_scores_do_not_fall():
    assert RANKING.group(HEADS).parameters["grouped_by"] == "mean"
    order = np.argsort([3, 2, 1, 0, *range(4, 12)])
    greedy = nx.NeuronRanking(SPACE, order, np.arange(12.0), "greedy")
    found = greedy.group(HEADS)
    assert found.parameters["grouped_by"] == "first"
    assert found.top(2) == [nx.Neuron(0, 1), nx.Neuron(0, 0)]


def test_scores_per_class_are_grouped_too():
    per_class = np.arange(24.0).reshape(2, 12)
    found = ranked(range(12), classes=("a", "b"), class_scores=per_class).group(HEADS)
    np.testing.assert_allclose(found.class_scores, per_class.reshape(2, 6, 2).mean(2))
    assert found.for_class("b").space == HEADS
    assert found.per_layer(2) == {0: 0, 1: 2}
    assert found.restrict_to_layers([1]).space == SPACE.select([1]).heads(3)


def test_a_ranking_of_heads_is_saved_and_compared_with_rankings_of_heads_only(tmp_path):
    heads = RANKING.group(HEADS)
    heads.save(tmp_path / "heads.json")
    read = nx.NeuronRanking.load(tmp_path / "heads.json")
    assert read.space == HEADS and read.top(3) == heads.top(3)
    assert heads.compare(read.reversed(), 2).n_neurons == 6
    assert "heads 6" in str(heads)
    with pytest.raises(InputError, match=r"is of attention_heads, .*, not of heads of att"):
        heads.overlap(RANKING, 2)
    with pytest.raises(InputError, match="'given' is of heads, 'given' of neurons; give rankings"):
        ablate([heads, RANKING], np.zeros((4, 12)), ["a", "b"] * 2)


def test_a_grouping_of_another_model_or_way_is_refused():
    with pytest.raises(InputError, match="give groups of these neurons"):
        RANKING.group(SPACE)
    with pytest.raises(InputError, match="group these"):
        RANKING.group(NeuronSpace("m", "attention_heads", (0, 2), (6, 6)).heads(3))
    with pytest.raises(InputError, match="unknown way to group 'middle'"):
        RANKING.group(HEADS, "middle")
    with pytest.raises(InputError, match="these are heads already"):
        RANKING.group(HEADS).group(HEADS)


def data(n=1200, seed=0):
    """The last of 6 heads of 8 knows, each neuron a little; one of the first a little more."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 48)).astype(np.float32)
    y = rng.integers(2, size=n)
    X[:, 40:] += 0.4 * y[:, None]
    X[:, 3] += 0.7 * y
    return X, y.astype(str)


PLANTED = NeuronSpace.of_array(48)
PLANTED_HEADS = PLANTED.heads(6)


@pytest.fixture(scope="module")
def fitted():
    X, y = data()
    probe = nx.ElasticNetProbe(1e-3, 1e-3).fit(X, y)
    return probe, X, y, *data(seed=1)


def test_the_head_stands_out_where_none_of_its_neurons_does(fitted):
    probe, X, y, *test = fitted
    for ranking in (nx.ranking.probeless(X, y), nx.ranking.linguistic_correlation(probe)):
        assert ranking.top(1) == [nx.Neuron(0, 3)]
        heads = ranking.group(PLANTED_HEADS)
        assert heads.top(1) == [nx.Neuron(0, 5)]
    curves = ablate(
        [heads], X, y, probe=probe, X_test=test[0], y_test=test[1], shares=[0.16, 0.5], n_random=2
    )
    frozen, retrained = curves.curves
    assert (retrained.counts, retrained.n_neurons, retrained.units) == ((1, 3), 6, "heads")
    only = nx.ElasticNetProbe(1e-3, 1e-3).fit(X[:, 40:], y).score(test[0][:, 40:], test[1])
    assert retrained.keep.top[0] == pytest.approx(only, abs=0.01)
    removed = test[0].copy()
    removed[:, 40:] = 0
    assert frozen.remove.top[0] == pytest.approx(probe.score(removed, test[1]))
    assert "all 6 heads" in str(curves)
    figure = curves.plot()
    assert figure.axes[0].get_xlabel() == "heads (%)"


def test_a_minimal_set_of_heads_has_all_of_their_neurons(fitted):
    probe, X, y, *test = fitted
    ranking = nx.ranking.probeless(X, y).group(PLANTED_HEADS)
    found = minimal_set(ranking, probe, X, y, *test, delta=0.05, shares=[0.1, 0.34, 1.0])
    assert found.columns is not None and len(found.columns) % 8 == 0
    assert set(range(40, 48)) <= set(found.columns)
    assert found.units == "heads" and "of heads" in str(found)


@given(st.integers(0, 99))
def test_groups_of_one_neuron_are_neurons(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=12)
    scores[rng.integers(12, size=2)] = np.nan
    ranking = ranked(scores)
    alone = ranking.group(SPACE.grouped(np.arange(12)))
    np.testing.assert_array_equal(alone.order, ranking.order)
    np.testing.assert_array_equal(alone.scores, ranking.scores)
    one, other = (NeuronSets.of([each], (1, 3, 12), 2, seed) for each in (ranking, alone))
    for columns, same in zip(one.columns(), other.columns(), strict=True):
        np.testing.assert_array_equal(columns, same)
    np.testing.assert_array_equal(one.weights(np.arange(12.0)), other.weights(np.arange(12.0)))


def test_ablation_of_groups_of_one_neuron_is_that_of_neurons(fitted):
    probe, X, y, X_test, y_test = fitted
    ranking = nx.ranking.probeless(X, y)
    alone = ranking.group(PLANTED.grouped(np.arange(48)))
    options = {"probe": probe, "X_test": X_test, "y_test": y_test, "retrain": False}
    one, other = (ablate([each], X, y, **options).curves[0] for each in (ranking, alone))
    assert (one.keep, one.remove) == (other.keep, other.remove)
