"""Rank intervals: narrow for planted neurons, wide for noise, and those of fits by hand.

Also of ``neurox_lite.evaluation.resampling``.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from neurox_lite.activations.access import load, space_of
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.evaluation.rank_intervals import RankIntervals, rank_intervals
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.ranking import linguistic_correlation
from neurox_lite.results.ranking import NeuronRanking

N, D = 600, 24
PLANTED = [2, 11, 17]
GROUPS = np.arange(N) // 6


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    y = rng.integers(4, size=N)
    X = rng.normal(size=(N, D)).astype(np.float32)
    X[:, PLANTED] += 3 * np.eye(4, 3, dtype=np.float32)[y]
    y = np.array(["A", "B", "C", "D"])[y]
    return ElasticNetProbe(1e-3, 1e-3).fit(X, y), X, y


@pytest.fixture(scope="module")
def intervals(fitted):
    return of_probe(*fitted)


def of_probe(probe, X, y, groups=GROUPS, rank=linguistic_correlation, **options):
    return rank_intervals(rank, X, y, groups, probe=probe, **options)


def class_distance(X, y):
    """Between the class means furthest apart, in standard deviations; NaN for constant neurons."""
    means = np.stack([X[y == label].mean(0) for label in np.unique(y)]).astype(np.float64)
    with np.errstate(invalid="ignore"):
        scores = np.ptp(means, axis=0) / X.std(0)
    return NeuronRanking.from_scores(space_of(X), scores, "distance")


def test_planted_neurons_are_on_top_and_noise_is_anywhere(fitted, intervals):
    assert intervals.ranks == tuple(np.argsort(linguistic_correlation(fitted[0]).order))
    low, high = np.array(intervals.low), np.array(intervals.high)
    assert np.all(low <= high)
    assert sorted(np.argsort(intervals.ranks)[:3]) == PLANTED
    assert high[PLANTED].max() < 3
    noise = np.delete(high - low, PLANTED)
    assert noise.min() > 5
    assert noise.mean() > 12
    top = intervals.top_share(3)
    np.testing.assert_array_equal(np.flatnonzero(top), PLANTED)
    np.testing.assert_array_equal(top[PLANTED], 1)
    np.testing.assert_array_equal(intervals.top_share(D), 1)
    assert intervals.top_share(8).sum() == pytest.approx(8)
    assert intervals.converged


def test_overlap_of_resamples_with_the_full_fit(intervals):
    assert intervals.overlap(3) == 1
    assert intervals.overlap(D) == 1
    for k in (1, 8):
        top = set(np.argsort(intervals.ranks)[:k])
        shared = [len(top & set(np.argsort(ranks)[:k])) / k for ranks in intervals.resampled]
        assert intervals.overlap(k) == pytest.approx(np.mean(shared))
    for k in (0, D + 1):
        with pytest.raises(InputError, match=f"k is {k}; give a number from 1 to 24"):
            intervals.overlap(k)


def make_store(path, X):
    """Two layers, of 4 neurons and of the others; a sentence per group."""
    words = [[f"w{row}" for row in np.flatnonzero(group == GROUPS)] for group in range(N // 6)]
    metadata = {"model": "m", "revision": "", "tokenizer": "t", "site": "mlp"}
    metadata["aggregation"] = "last"
    with open_writer(path, TaggedCorpus(words), dtype="float32", metadata=metadata) as writer:
        writer.append({0: X[:, :4], 3: X[:, 4:]})
        writer.finish({"n_truncated_words": 0, "n_dropped_words": 0})
    return ActivationStore(path)


def test_any_ranker_planted_neurons_stay_on_top(fitted):
    _, X, y = fitted
    found = rank_intervals(class_distance, X, y, GROUPS)
    assert (found.method, found.converged, len(found.resampled)) == ("distance", True, 20)
    assert found.ranks == tuple(class_distance(X, y).ranks)
    np.testing.assert_array_equal(found.top_share(3)[PLANTED], 1)
    assert found.overlap(3) == 1
    noise = np.delete(np.array(found.high) - found.low, PLANTED)
    assert noise.mean() > 12
    assert rank_intervals(class_distance, X, y, GROUPS) == found
    assert rank_intervals(class_distance, X, y, GROUPS, seed=1).resampled != found.resampled


def test_any_ranker_gets_sentences_repeated(fitted):
    _, X, y = fitted
    seen = []

    def rank(X, y):
        seen.append((X, y))
        return class_distance(X, y)

    found = rank_intervals(rank, X, y, GROUPS, n_resamples=3, seed=8)
    assert seen.pop(0)[0] is X
    rng = np.random.default_rng(8)
    for (drawn_X, drawn_y), ranks in zip(seen, found.resampled, strict=True):
        sentences = np.sort(rng.integers(100, size=100))
        rows = np.concatenate([np.flatnonzero(s == GROUPS) for s in sentences])
        assert sorted(map(tuple, drawn_X)) == sorted(map(tuple, X[rows]))
        assert Counter(drawn_y) == Counter(y[rows])
        assert ranks == tuple(class_distance(X[rows], y[rows]).ranks)


def test_a_ranker_of_probes_either_way(fitted):
    """Repeated rows and weights are the same resample, but for the certificate they stop at."""
    probe, X, y = fitted

    def rank(X, y):
        return linguistic_correlation(ElasticNetProbe(1e-3, 1e-3).fit(X, y))

    repeated = rank_intervals(rank, X, y, GROUPS, n_resamples=3)
    weighted = of_probe(probe, X, y, n_resamples=3)
    assert repeated.ranks == weighted.ranks
    difference = np.subtract(repeated.resampled, weighted.resampled)
    assert np.abs(difference).mean() < 1
    for resampled in (repeated.resampled, weighted.resampled):
        assert set(np.array(resampled)[:, PLANTED].ravel()) == {0, 1, 2}
    assert repeated.converged


def test_a_ranker_that_says_it_has_not_converged(fitted):
    _, X, y = fitted

    def rank(X, y):
        return linguistic_correlation(ElasticNetProbe(1e-3, 1e-3, max_iter=2).fit(X, y))

    with pytest.warns(ConvergenceWarning):
        assert not rank_intervals(rank, X, y, GROUPS, n_resamples=1).converged


def test_any_ranker_constant_neurons_stay_last(fitted):
    _, X, y = fitted
    X = np.column_stack([np.ones(N, np.float32), X])
    X[:, 5] = np.where(GROUPS == 3, X[:, 5], 0)  # constant where its sentence is not drawn
    found = rank_intervals(class_distance, X, y, GROUPS)
    # Last in all, or the last but one: those without a score stand in the order of the columns.
    assert found.ranks[0] == D
    assert found.low[0] == D - 1
    assert found.high[5] == D


def test_any_ranker_gets_the_classes_that_were_drawn(fitted):
    _, X, y = fitted
    y = np.where(GROUPS == 0, "E", y)
    classes = []

    def rank(X, y):
        classes.append("".join(np.unique(y)))
        return class_distance(X, y)

    rank_intervals(rank, X, y, GROUPS, n_resamples=8)
    assert classes[0] == "ABCDE"
    assert set(classes) == {"ABCD", "ABCDE"}


def test_arrays_tensors_and_stores_give_the_same(fitted, tmp_path):
    _, X, y = fitted
    of_array = rank_intervals(class_distance, X, y, GROUPS, n_resamples=4)

    def rank(X, y):
        ranking = class_distance(load(X), y)
        return replace(ranking, space=X.space) if isinstance(X, ActivationMatrix) else ranking

    tensor = torch.from_numpy(X)
    assert rank_intervals(rank, tensor, y, GROUPS, n_resamples=4) == of_array
    with make_store(tmp_path / "s.h5", X) as store:
        of_store = rank_intervals(rank, store.matrix(), y, GROUPS, n_resamples=4)
    assert of_store.resampled == of_array.resampled
    assert of_store.space == store.space


def test_with_95_percent_of_20_they_are_the_extremes(intervals):
    assert len(intervals.resampled) == 20
    np.testing.assert_array_equal(intervals.low, np.min(intervals.resampled, axis=0))
    np.testing.assert_array_equal(intervals.high, np.max(intervals.resampled, axis=0))


def test_a_resample_is_sentences_repeated(fitted, monkeypatch):
    monkeypatch.setattr("neurox_lite.probing.side_by_side.REFIT_TOL", 1e-6)
    _, X, y = fitted
    seen = []

    def rank(fitted_probe):
        seen.append(fitted_probe)
        return linguistic_correlation(fitted_probe)

    strict = ElasticNetProbe(1e-3, 1e-3, tol=1e-6).fit(X, y)
    of_probe(strict, X, y, rank=rank, n_resamples=3, seed=8)
    assert seen.pop(0) is strict
    rng = np.random.default_rng(8)
    for resampled in seen:
        rows = np.concatenate([np.flatnonzero(s == GROUPS) for s in rng.integers(100, size=100)])
        repeated = ElasticNetProbe(1e-3, 1e-3, tol=1e-6).fit(X[rows], y[rows])
        np.testing.assert_allclose(resampled.mean_, repeated.mean_, atol=1e-6)
        np.testing.assert_allclose(resampled.scale_, repeated.scale_, atol=1e-6)
        np.testing.assert_allclose(resampled.coef_, repeated.coef_, atol=0.01)


def test_a_class_without_a_sentence_is_left_out_of_a_resample(fitted):
    _, X, y = fitted
    y = np.where(GROUPS == 0, "E", y)
    probe = ElasticNetProbe(1e-3, 1e-3).fit(X, y)
    classes = []

    def rank(fitted_probe):
        classes.append("".join(fitted_probe.classes_))
        return linguistic_correlation(fitted_probe)

    found = of_probe(probe, X, y, rank=rank, n_resamples=8)
    assert set(classes) == {"ABCD", "ABCDE"}
    assert len(found.resampled) == 8


def test_deterministic_by_seed_and_the_probe_stays(fitted, intervals):
    before = fitted[0].coef_.copy()
    assert of_probe(*fitted) == intervals
    other = of_probe(*fitted, seed=1)
    assert other.resampled != intervals.resampled
    np.testing.assert_array_equal(fitted[0].coef_, before)


def test_saved_and_loaded_it_is_the_same(tmp_path, intervals):
    space = NeuronSpace("m", "mlp", (0, 3), (20, 4), "main")
    elsewhere = replace(intervals, space=space)
    elsewhere.save(tmp_path / "r.json")
    assert RankIntervals.load(tmp_path / "r.json") == elsewhere


def test_errors(fitted):
    probe, X, y = fitted
    bad = X.copy()
    bad[437, 2] = np.inf
    for some in (
        lambda X, y, groups, **options: of_probe(probe, X, y, groups, **options),
        lambda *data, **options: rank_intervals(class_distance, *data, **options),
    ):
        with pytest.raises(InputError, match="n_resamples is 0"):
            some(X, y, GROUPS, n_resamples=0)
        with pytest.raises(InputError, match="level is 2"):
            some(X, y, GROUPS, level=2)
        with pytest.raises(InputError, match="600 rows of activations for 599 labels"):
            some(X, y[1:], GROUPS[1:])
        with pytest.raises(InputError, match="neuron 0:2 in row 437 is infinite"):
            some(bad, y, GROUPS)
        with pytest.raises(InputError, match="all words are from one sentence"):
            some(X, y, np.zeros(len(y)))
        with pytest.raises(InputError, match="only one class, 'A'"):
            some(X, np.full(N, "A"), GROUPS)


def test_a_resample_of_one_class_is_drawn_again(fitted):
    """Of one sentence with the other class, a third of the resamples have none."""
    _, X, _ = fitted
    two = np.where(GROUPS == 0, "B", "A")
    probe = ElasticNetProbe().fit(X, two)
    found = of_probe(probe, X, two, n_resamples=10)
    assert len(found.resampled) == 10


def test_neurons_that_are_not_told_apart_are_left_out_where_the_first_are_shown(intervals):
    ranks = tuple(np.argsort(np.argsort(intervals.ranks)).tolist())
    tied = replace(intervals, ranks=ranks, n_ordered=2, resampled_ordered=(2,) * 20)
    assert "not told apart 22" in str(tied) and str(tied).count(": rank ") == 2
    (axis,) = tied.plot().axes
    assert len(axis.get_yticks()) == 2 and "of the top 2" in axis.get_title()
    assert "bar: in 95 % of 20 resamples" in axis.get_xlabel()
    none = replace(intervals, n_ordered=0, resampled_ordered=(0,) * 20)
    assert len(none.plot().axes[0].get_yticks()) == 0 and ": rank" not in str(none)
    assert "not told apart" not in str(replace(intervals, n_ordered=D))
