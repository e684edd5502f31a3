"""Probes that are fitted side by side are those that are fitted alone.

Also of ``neurox_lite.probing.fit_task`` and ``neurox_lite.evaluation.refitting``.
"""

import warnings

import numpy as np
import pytest

from neurox_lite.activations import matrix as matrix_module
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.evaluation.refitting import refit, refit_scores
from neurox_lite.probing import fit_inputs, frozen_scores, side_by_side, solver
from neurox_lite.probing.frozen_scores import scores_of
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.regression import ElasticNetRegression
from neurox_lite.probing.side_by_side import fit_weighted, refit_on_neurons

pytestmark = pytest.mark.heavy

TOL = 1e-7
D = 24


@pytest.fixture(params=[False, True], ids=["few rows", "many rows"])
def train(request, monkeypatch):
    """So few rows that FISTA runs on all, or as if there were too many for it."""
    monkeypatch.setattr(side_by_side, "REFIT_TOL", TOL)
    n = 300
    if request.param:
        monkeypatch.setattr(solver, "MIN_SAMPLE", 100)
        n = 1000
    rng = np.random.default_rng(0)
    X = (3 + rng.normal(size=(n, D)) * np.linspace(0.5, 2, D)).astype("f4")
    X[:, 5] = 1
    y = np.argmax(X[:, :4] + 0.7 * rng.gumbel(size=(n, 4)), axis=1)
    return LabelledActivations(X, np.array(["ADJ", "NOUN", "VERB", "X"])[y])


def assert_same(one, alone):
    assert one.certificate_.converged
    assert one.certificate_.objective == pytest.approx(alone.certificate_.objective, abs=5e-7)
    np.testing.assert_allclose(one.coef_, alone.coef_, atol=4e-3)
    # The same added to all classes changes nothing.
    centred = [probe.intercept_ - probe.intercept_.mean() for probe in (one, alone)]
    np.testing.assert_allclose(*centred, atol=4e-3)
    np.testing.assert_allclose(one.mean_, alone.mean_, rtol=1e-6)
    np.testing.assert_allclose(one.scale_, alone.scale_, rtol=1e-5)
    np.testing.assert_array_equal(one.constant_, alone.constant_)


SETS = [np.arange(20, 3, -1), np.array([7]), np.arange(D), np.arange(4, 21), np.array([1, 2, 5])]
"""In any order, one of them twice, one with a constant neuron."""


@pytest.mark.parametrize(
    ("options", "at_once"),
    [({}, 1), ({"standardize": False}, 3), ({"class_weight": "balanced"}, 2), ({"l1": 0.0}, 8)],
    ids=str,
)
def test_refits_are_fits_of_the_columns_alone(train, options, at_once, monkeypatch):
    monkeypatch.setattr(side_by_side, "MOST_PROBLEMS", at_once)
    probe = ElasticNetProbe(tol=TOL).set_params(**options).fit(train)
    for columns, wide in zip(SETS, refit_on_neurons(probe, train, SETS), strict=True):
        columns = np.sort(columns)
        alone = ElasticNetProbe(tol=TOL).set_params(**options).fit(train.X[:, columns], train.y)
        narrow = refit(probe, train, columns)
        assert_same(narrow, alone)
        np.testing.assert_allclose(wide.coef_[:, columns], narrow.coef_, atol=4e-3)
        assert not np.delete(wide.coef_, columns, axis=1).any()
        assert np.array_equal(wide.classes_, alone.classes_)
        same = pytest.approx(alone.score(train.X[:, columns], train.y), abs=3 / len(train))
        assert wide.score(train) == same


def test_a_regression_is_refitted_in_its_own_units(train):
    numbers = LabelledActivations(train.X, 100 + 40 * train.X[:, 0] - 9 * train.X[:, 1])
    probe = ElasticNetRegression(l1=0.5, l2=0.01, tol=TOL).fit(numbers)
    for columns, wide in zip(SETS, refit_on_neurons(probe, numbers, SETS), strict=True):
        columns = np.sort(columns)
        alone = ElasticNetRegression(l1=0.5, l2=0.01, tol=TOL).fit(train.X[:, columns], numbers.y)
        np.testing.assert_allclose(wide.coef_[:, columns], alone.coef_, atol=0.01)
        assert wide.certificate_.objective == pytest.approx(alone.certificate_.objective, rel=1e-5)


def test_refits_with_weights_are_those_of_repeated_rows(train):
    times = np.random.default_rng(3).integers(0, 3, len(train))
    rows = np.repeat(np.arange(len(train)), times)
    probe = ElasticNetProbe(tol=TOL).fit(train)
    [narrow] = [refit(probe, train, np.arange(3, 11), times)]
    assert_same(narrow, ElasticNetProbe(tol=TOL).fit(train.X[rows, 3:11], train.y[rows]))


@pytest.mark.parametrize("memory", ["much", "little"])
def test_a_store_gives_what_its_array_gives(train, memory, tmp_path, monkeypatch):
    """Also where columns, weights, outputs and rows are held a few at a time."""
    if memory == "little":
        monkeypatch.setattr(side_by_side, "COLUMN_BYTES", 8 * 5 * len(train))
        monkeypatch.setattr(side_by_side, "SMALL", 0.8)
        monkeypatch.setattr(frozen_scores, "MAP_BYTES", 1)
        monkeypatch.setattr(matrix_module, "BLOCK_NUMBERS", 70 * D)
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    corpus = TaggedCorpus([["w"] * 10] * (len(train) // 10))
    with open_writer(tmp_path / "s.h5", corpus, dtype="float32", metadata=metadata) as writer:
        writer.append({0: train.X[:, : D // 2], 1: train.X[:, D // 2 :]})
        writer.finish({})
    matrix = ActivationStore(tmp_path / "s.h5").matrix()
    monkeypatch.setattr(fit_inputs, "HELD_BYTES", 0)
    probe = ElasticNetProbe(tol=TOL).fit(train)
    on_disk = LabelledActivations(matrix, train.y)
    for one, alone in zip(
        refit_on_neurons(probe, on_disk, SETS), refit_on_neurons(probe, train, SETS), strict=True
    ):
        assert_same(one, alone)
        assert one.space_ == matrix.space
    scores, converged = refit_scores(probe, on_disk, [*SETS, np.array([], int)], on_disk)
    assert converged
    assert scores[:5] == pytest.approx(scores_of(refit_on_neurons(probe, train, SETS), train))
    assert scores[5] == pytest.approx(np.unique(train.y, return_counts=True)[1].max() / len(train))


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_weights_are_repeated_rows(train, class_weight):
    """Also where a neuron is constant in the rows that count."""
    rng = np.random.default_rng(1)
    train.X[:, 6] = 2
    train.X[0, 6] = 4
    weights = rng.integers(0, 3, size=(5, len(train)))
    weights[2, 0] = 0
    weights[3, 0] = 2
    probe = ElasticNetProbe(tol=TOL, class_weight=class_weight).fit(train)
    for times, one in zip(weights, fit_weighted(probe, train, weights), strict=True):
        rows = np.repeat(np.arange(len(train)), times)
        alone = ElasticNetProbe(tol=TOL, class_weight=class_weight)
        alone.fit(train.X[rows], train.y[rows])
        assert one.constant_[6] == (times[0] == 0)
        assert_same(one, alone)
        np.testing.assert_allclose(one.class_shares_, alone.class_shares_)


def test_memory_bounds_how_many_are_side_by_side():
    assert side_by_side.problems_at_once(1000, 17) == side_by_side.MOST_PROBLEMS
    assert side_by_side.problems_at_once(10**9, 17) == 1
    few = side_by_side.problems_at_once(200_000, 17)
    assert few > 1 and few * 200_000 * 17 * 4 * side_by_side.SCORE_COPIES <= 512 << 20


def test_a_resample_in_which_all_neurons_are_constant_has_no_weights():
    train = LabelledActivations(np.ones((50, 3), "f4"), np.array(["a", "b"] * 25))
    train.X[0] = 2
    probe = ElasticNetProbe().fit(train)
    times = np.ones(50)
    times[0] = 0
    [fitted] = fit_weighted(probe, train, [times])
    assert fitted.constant_.all() and not fitted.coef_.any()
    assert fitted.certificate_.converged


def test_an_outlier_that_is_not_drawn_makes_no_neuron_constant():
    rng = np.random.default_rng(0)
    train = LabelledActivations(rng.normal(size=(100, 3)), rng.choice(["a", "b"], 100))
    train.X[0, 1] = 1e5
    times = np.ones(100)
    times[0] = 0
    [fitted] = fit_weighted(ElasticNetProbe().fit(train), train, [times])
    assert not fitted.constant_.any()
    np.testing.assert_allclose(fitted.scale_, train.X[1:].std(0), rtol=1e-6)
    np.testing.assert_allclose(fitted.mean_, train.X[1:].mean(0), atol=1e-6)


def test_equal_sets_are_fitted_once_and_threads_change_no_warnings(train, monkeypatch):
    filters = list(warnings.filters)
    probe = ElasticNetProbe(max_iter=1).fit(train)
    fitted = refit_on_neurons(probe, train, [np.array([k]) for k in (1, 2, 3, 4, 2)])
    assert fitted[1] is fitted[4]
    assert warnings.filters == filters
