"""Each ranker against its definition, written out, or against another library.

Also of ``neurox_lite.ranking.activation_difference``, ``neurox_lite.ranking.average_precision``,
``neurox_lite.ranking.class_scores``, ``neurox_lite.ranking.gaussian_selection``,
``neurox_lite.ranking.integrated_gradients``, ``neurox_lite.ranking.iou``,
``neurox_lite.ranking.mean_select``, ``neurox_lite.ranking.point_biserial``,
``neurox_lite.ranking.variance``.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import average_precision_score

import neurox_lite as nx
from neurox_lite.activations.inputs import sample_rows
from neurox_lite.activations.moments import moments
from neurox_lite.activations.writer import open_writer
from neurox_lite.ranking import (
    METHODS,
    RankingTask,
    activation_difference,
    average_precision,
    gaussian,
    integrated_gradients,
    iou,
    mean_select,
    mutual_information,
    point_biserial,
    probeless,
    random_ranking,
    rank,
    variance,
)

LABELS = np.array(["A", "B", "C"])


def task(n=900, n_neurons=12, seed=0):
    """Neuron 2 is high on A, neuron 7 low on B; all have means and scales of their own."""
    rng = np.random.default_rng(seed)
    ids = rng.choice(3, size=n, p=[0.5, 0.3, 0.2])
    X = rng.normal(size=(n, n_neurons))
    X[:, 2] += 2 * (ids == 0)
    X[:, 7] -= 2 * (ids == 1)
    X = 5 * rng.normal(size=n_neurons) + X * rng.uniform(0.1, 10, size=n_neurons)
    return X.astype(np.float32), LABELS[ids]


def test_probeless_is_the_sum_of_distances():
    X, y = task()
    Z = (X.astype(float) - X.mean(0, dtype=float)) / X.std(0, dtype=float)
    for ranking, data in ((probeless(X, y), Z), (probeless(X, y, standardize=False), X)):
        means = [data[y == label].mean(0, dtype=float) for label in LABELS]
        pairs = [np.abs(means[a] - means[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
        np.testing.assert_allclose(ranking.scores, sum(pairs), rtol=1e-4)
        np.testing.assert_allclose(ranking.class_scores[0], pairs[0] + pairs[1], rtol=1e-4)
    assert set(probeless(X, y).order[:2]) == {2, 7}


def test_point_biserial_is_a_correlation_and_mean_select_a_mean():
    X, y = task()
    correlations, means = point_biserial(X, y), mean_select(X, y)
    for c, label in enumerate(LABELS):
        is_class = y == label
        for j in range(X.shape[1]):
            r = np.corrcoef(X[:, j], is_class)[0, 1]
            assert correlations.class_scores[c, j] == pytest.approx(abs(r), abs=1e-5)
            z = abs(X[is_class, j].mean() - X[:, j].mean()) / X[:, j].std()
            assert means.class_scores[c, j] == pytest.approx(z, abs=1e-4)
    np.testing.assert_array_equal(correlations.scores, correlations.class_scores.max(0))
    np.testing.assert_array_equal(means.scores, means.class_scores.max(0))


def test_variance_is_the_variance():
    X, _ = task()
    np.testing.assert_allclose(variance(X).scores, X.var(0, dtype=float), rtol=1e-5)


def test_large_means_do_not_hide_what_a_neuron_knows():
    X, y = task()
    shifted = X.astype(np.float64) + 1e6
    for ranker in (probeless, point_biserial, mean_select, average_precision, iou):
        np.testing.assert_allclose(
            ranker(shifted, y).scores, ranker(X.astype(np.float64), y).scores, rtol=1e-4
        )


def overlap_by_hand(active, is_class):
    return (active & is_class).sum() / (active | is_class).sum()


def test_iou_by_hand():
    X, y = task(400)
    ranking = iou(X, y, quantile=0.1)
    for j in range(X.shape[1]):
        high = X[:, j] >= np.sort(X[:, j])[-40]
        low = X[:, j] <= np.sort(X[:, j])[39]
        assert high.sum() == low.sum() == 40
        for c, label in enumerate(LABELS):
            expected = max(overlap_by_hand(a, y == label) for a in (high, low))
            assert ranking.class_scores[c, j] == pytest.approx(expected)
    assert set(ranking.order[:2]) == {2, 7}


def test_iou_of_neurons_that_are_mostly_zero():
    y = np.repeat(["A", "B"], [10, 90])
    X = np.zeros((100, 4), dtype=np.float32)
    X[:2, 0] = [1, 2]  # active on these, and not on all zeros
    X[:10, 1] = 1  # the class, exactly: as many as tie
    X[:, 2] = -X[:, 1]
    ranking = iou(X, y, quantile=0.05)
    np.testing.assert_allclose(ranking.class_scores[0, :3], [0.2, 1, 1])
    assert ranking.order.tolist() == [1, 2, 0, 3]
    assert [neuron.unit for neuron in ranking.unscored] == [3]


def test_iou_thresholds_of_many_rows_come_from_a_sample():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40_000, 3)).astype(np.float32)
    y = np.where(X[:, 1] > np.quantile(X[:, 1], 0.95), "high", "other")
    ranking = iou(X, y)
    assert ranking.class_scores[0, 1] > 0.9
    assert ranking.class_scores[0, [0, 2]].max() < 0.05


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_iou_has_the_one_rule_for_constant_neurons(dtype):
    """Also of neurons that are constant, or nearly, in the sample of the thresholds only."""
    X = np.zeros((9000, 9))
    unsampled = 300  # between the first two of the sampled runs
    X[:, 1:5] = [3, -0.1, 1e6, 1e-30]
    X[:, 5:] = 7
    X[unsampled, 4:7] = [2e-30, 7 + 1e-8, 8]
    X[:, 7] += np.random.default_rng(0).normal(size=len(X)) * 1e-13
    X[unsampled, 8] = np.nextafter(dtype(7), dtype(8))
    X = np.append(X, X[:, :1], axis=1).astype(dtype)
    X[unsampled, 9] = 1e-20
    y = np.arange(len(X)) % 2
    is_constant = np.isnan(iou(X, y).scores)
    np.testing.assert_array_equal(is_constant, moments(X).is_constant)
    is_float32 = dtype == np.float32
    expected = [True] * 4 + [False, is_float32, False, True, not is_float32, False]
    assert is_constant.tolist() == expected


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_average_precision_is_scikit_learns_also_with_ties(data):
    n = data.draw(st.integers(4, 40))
    # Few values, hence ties.
    values = data.draw(st.lists(st.integers(-3, 3), min_size=2 * n, max_size=2 * n))
    ids = data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    ids[:2] = [0, 1]
    X, y = np.reshape(values, (n, 2)).astype(np.float32), LABELS[ids]
    ranking = average_precision(X, y)
    for c, label in enumerate(ranking.classes):
        for j in range(2):
            best = max(average_precision_score(y == label, sign * X[:, j]) for sign in (1, -1))
            share = np.mean(y == label)
            expected = max(0, (best - share) / (1 - share))
            assert ranking.class_scores[c, j] == pytest.approx(expected, abs=1e-12)


def test_average_precision_by_blocks_of_columns(monkeypatch):
    X, y = task()
    whole = average_precision(X, y)
    monkeypatch.setattr("neurox_lite.activations.access.COLUMN_NUMBERS", 5 * len(X))
    np.testing.assert_array_equal(average_precision(X, y).scores, whole.scores)


def test_average_precision_of_a_rare_class_is_beyond_chance():
    rng = np.random.default_rng(0)
    y = np.where(np.arange(2000) < 1800, "common", "rare")
    X = rng.normal(size=(2000, 5)).astype(np.float32)
    X[:, 3] += 1.0 * (y == "rare")
    ranking = average_precision(X, y)
    other = [0, 1, 2, 4]
    assert average_precision_score(y == "common", X[:, 0]) > 0.85  # of chance alone
    assert ranking.class_scores[:, other].max() < 0.1
    assert ranking.order[0] == 3


def test_mutual_information_is_scikit_learns_and_sees_what_is_not_linear():
    rng = np.random.default_rng(0)
    y = LABELS[rng.integers(2, size=1200)]
    X = rng.normal(size=(1200, 4))
    X[:, 1] *= np.where(y == "A", 0.3, 2.0)
    ranking = mutual_information(X, y, n_rows=1200)
    each = [mutual_info_classif(X[:, [j]], y, random_state=0)[0] for j in range(4)]
    np.testing.assert_allclose(ranking.scores, np.array(each) / np.log(2))
    assert ranking.order[0] == 1
    assert ranking.scores[1] > 0.3
    assert mutual_information(X, y, n_rows=500).parameters["n_rows"] in (500, 501)


def gaussian_by_hand(Z, y, Z_dev, y_dev, selected):
    """Bits that the selected neurons tell of the dev labels, from densities of scipy."""
    k, logits = len(selected), []
    classes, counts = np.unique(y, return_counts=True)
    for label, n in zip(classes, counts, strict=True):
        of_class = Z[y == label][:, selected]
        cov = np.atleast_2d(np.cov(of_class.T, bias=True))
        normal = multivariate_normal(
            of_class.mean(0), (np.diag(np.diag(cov)) + n * cov) / (n + 2 * k + 4)
        )
        logits.append(np.log(n / len(y)) + normal.logpdf(Z_dev[:, selected]))
    of_dev = np.searchsorted(classes, y_dev)
    log_p = np.stack(logits)[of_dev, np.arange(len(y_dev))] - logsumexp(logits, axis=0)
    entropy = -np.mean(np.log(counts / len(y))[of_dev])
    return (entropy + log_p.mean()) / np.log(2), entropy / np.log(2)


def test_gaussian_selects_what_exhaustive_search_selects():
    X, y = task(1500)
    X = X @ np.random.default_rng(3).normal(size=(12, 12)).astype(np.float32)  # correlated
    train, dev = slice(0, 1000), slice(1000, 1500)
    test = {"X_test": X[:300], "y_test": y[:300]}
    ranking = gaussian(X[train], y[train], X[dev], y[dev], n_neurons=6, **test)
    Z = (X - X[train].mean(0, dtype=float)) / X[train].std(0, dtype=float)
    selected: list[int] = []
    for step in range(6):
        bits = {
            j: gaussian_by_hand(Z[train], y[train], Z[dev], y[dev], [*selected, j])
            for j in range(12)
            if j not in selected
        }
        selected.append(max(bits, key=lambda j: bits[j][0]))
        found, entropy = bits[selected[-1]]
        assert ranking.order[step] == selected[-1]
        assert ranking.provenance["selection_bits"][step] == pytest.approx(found, abs=1e-4)
        # What is reported is of the other words.
        found, entropy = gaussian_by_hand(Z[train], y[train], Z[:300], y[:300], selected)
        assert ranking.provenance["bits"][step] == pytest.approx(found, abs=1e-4)
        assert ranking.provenance["nmi"][step] == pytest.approx(found / entropy, abs=1e-4)
    assert ranking.provenance["bits_of"] == "300 test words"
    next_bits = [bits[j][0] for j in ranking.order[6:].tolist()]
    assert next_bits == sorted(next_bits, reverse=True)


def test_gaussian_of_noise_tells_nothing():
    """The best of 300 gains is luck on the words it was selected on, and none on others."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1800, 300)).astype(np.float32)
    y = LABELS[rng.integers(3, size=1800)]
    rows = slice(0, 1000), slice(1000, 1400), slice(1400, 1800)
    (X_train, y_train), (X_dev, y_dev), (X_test, y_test) = ((X[some], y[some]) for some in rows)
    for test in ({}, {"X_test": X_test, "y_test": y_test}):
        ranking = gaussian(X_train, y_train, X_dev, y_dev, n_neurons=10, **test)
        assert ranking.provenance["selection_bits"][-1] > 0.04
        assert max(ranking.provenance["bits"]) < 0.01
    # Without test, two thirds of dev select, and the last third reports: as if it were test.
    of_class = [np.flatnonzero(y_dev == label) for label in LABELS]
    first = np.concatenate([rows[: (2 * len(rows) + 2) // 3] for rows in of_class])
    some = np.isin(np.arange(400), first)
    alone = gaussian(X_train, y_train, X_dev, y_dev, n_neurons=3)
    given = gaussian(
        X_train,
        y_train,
        X_dev[some],
        y_dev[some],
        X_test=X_dev[~some],
        y_test=y_dev[~some],
        n_neurons=3,
    )
    np.testing.assert_array_equal(alone.order, given.order)
    assert alone.provenance["bits"] == pytest.approx(given.provenance["bits"])
    with pytest.raises(nx.InputError, match="no dev word is left to report on"):
        gaussian(X_train, y_train, X_dev[:1], y_dev[:1])


def test_gaussian_finds_a_pair_that_only_together_knows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 10)).astype(np.float32)
    y = np.where(X[:, 3] * X[:, 8] > 0, "same", "different")
    ranking = gaussian(X[:2000], y[:2000], X[2000:], y[2000:], n_neurons=4)
    first = min(np.flatnonzero(np.isin(ranking.order, [3, 8])))
    assert set(ranking.order[first : first + 2]) == {3, 8}
    assert ranking.provenance["bits"][first + 1] > ranking.provenance["bits"][first] + 0.1


def test_gaussian_of_a_neuron_that_is_constant_in_its_classes():
    rng = np.random.default_rng(0)
    y = LABELS[rng.integers(2, size=20_000)]
    X = rng.normal(size=(20_000, 4)).astype(np.float32)
    X[:, 2] = 10.3 + (y == "A")
    ranking = gaussian(X[:15_000], y[:15_000], X[15_000:], y[15_000:], n_neurons=2)
    assert ranking.order[0] == 2
    assert np.isfinite(ranking.scores).all()
    assert ranking.provenance["bits"][0] > 0.99


def test_gaussian_of_large_means_and_of_dev_far_from_train():
    X, y = task(1500)
    train, dev = slice(0, 1000), slice(1000, 1500)
    plain = gaussian(X[train], y[train], X[dev], y[dev], n_neurons=3)
    far = X.astype(np.float64) + 1e8
    shifted = gaussian(far[train], y[train], far[dev], y[dev], n_neurons=3)
    np.testing.assert_allclose(shifted.scores, plain.scores, atol=1e-4)
    X[:, 5] = np.where(np.arange(1500) == 1200, 1e30, 1e-15 * (y == "A"))
    outlier = gaussian(X[train], y[train], X[dev], y[dev], n_neurons=3)
    assert np.isfinite(outlier.scores).all()


def test_gaussian_samples_dev_to_what_memory_allows(monkeypatch):
    X, y = task(1500)
    # The function has the name of its module.
    monkeypatch.setattr(sys.modules["neurox_lite.ranking.gaussian"], "DEV_NUMBERS", 3 * 12 * 100)
    assert gaussian(X, y, X, y, n_neurons=1).parameters["n_dev"] in range(100, 105)
    assert gaussian(X, y, X, y, n_neurons=1, n_dev=500).parameters["n_dev"] in range(500, 505)


def test_samples_have_every_class_in_its_share():
    ids = np.repeat([0, 1, 2], [9000, 900, 2])
    rows = sample_rows(ids, 1000, seed=0)
    assert np.bincount(ids[rows]).tolist() == [909, 91, 1]
    assert np.all(np.diff(rows) > 0)
    assert not np.array_equal(rows, sample_rows(ids, 1000, seed=1))
    assert len(sample_rows(ids, 20_000, seed=0)) == 9902


def test_mutual_information_needs_classes_of_two_words():
    X, _ = task(12)
    with pytest.raises(nx.InputError, match="fewer than two classes have two words"):
        mutual_information(X, np.arange(12).astype(str))


def test_gaussian_takes_one_of_two_equal_neurons():
    X, y = task(1500)
    X = np.hstack([X, X[:, [2]]])
    ranking = gaussian(X[:1000], y[:1000], X[1000:], y[1000:], n_neurons=2)
    assert set(ranking.order[:2]) in ({2, 7}, {7, 12})


def test_integrated_gradients_of_one_neuron_is_the_whole_change():
    X, y = task()
    probe = nx.ElasticNetProbe().fit(X[:, [2]], y)
    for baseline, origin in (("mean", probe.mean_), ("zero", [0.0])):
        ranking = integrated_gradients(probe, X[:, [2]], y, baseline=baseline, n_rows=len(y))
        log_p = np.log(probe.predict_proba(X[:, [2]]))
        of_word = np.searchsorted(LABELS, y)
        change = log_p[np.arange(len(y)), of_word]
        change = np.abs(change - np.log(probe.predict_proba([origin]))[0, of_word])
        assert ranking.scores[0] == pytest.approx(change.mean(), rel=1e-3)
        assert ranking.class_scores[1, 0] == pytest.approx(change[y == "B"].mean(), rel=1e-3)


def test_integrated_gradients_ignore_neurons_without_weight():
    X, y = task()
    probe = nx.ElasticNetProbe(0.05, 0).fit(X, y)
    unused = np.flatnonzero((probe.coef_ == 0).all(0))
    ranking = integrated_gradients(probe, X, y)
    assert len(unused)
    np.testing.assert_array_equal(ranking.scores[unused], 0)
    assert set(ranking.order[:2]) == {2, 7}


def test_activation_difference_by_hand():
    rng = np.random.default_rng(0)
    X, other = rng.normal(size=(2, 50, 6)) * 10.0 ** np.arange(-3, 3)
    other[:, 4] += 300
    ranking = activation_difference(X, other)
    std = np.concatenate((X, other)).std(0)
    np.testing.assert_allclose(ranking.scores, np.abs(X - other).mean(0) / std)
    assert ranking.order[0] == 4


def test_activation_difference_of_scattered_rows_of_a_store(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(9100, 4)).astype(np.float32)
    corpus = nx.TaggedCorpus([["word"] * 10] * 910)
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    with open_writer(tmp_path / "s.h5", corpus, dtype="float32", metadata=metadata) as writer:
        writer.append({0: X})
        writer.finish({"n_truncated_words": 0, "n_dropped_words": 0})
    store = nx.ActivationStore(tmp_path / "s.h5")
    for left, right in [
        ([0, 5000, 5001, 5002], [1, 2, 3, 9000]),
        (np.sort(rng.choice(9100, 300, False)), np.sort(rng.choice(9100, 300, False))),
    ]:
        found = activation_difference(store.matrix(rows=left), store.matrix(rows=right))
        np.testing.assert_allclose(found.scores, activation_difference(X[left], X[right]).scores)


def test_random_is_uniform_and_by_seed():
    space = nx.NeuronSpace.of_array(5)
    first = [random_ranking(space, seed).order[0] for seed in range(1000)]
    assert np.bincount(first, minlength=5).min() > 150
    assert len({tuple(random_ranking(space, seed).order) for seed in range(1000)}) == 120


def test_rank_by_name_passes_options():
    X, y = task()
    inputs = RankingTask(X, y, X, y, nx.ElasticNetProbe())
    assert rank("iou", inputs, quantile=0.2).parameters == {"quantile": 0.2}
    assert len(rank("gaussian", inputs, n_neurons=3).provenance["bits"]) == 3
    fitted = nx.ElasticNetProbe(0.1, 0).fit(X, y)
    given = RankingTask(X, y, X, y, fitted)
    assert given.fitted_probe is fitted
    assert rank("linguistic-correlation", given).parameters["l1"] == 0.1
    with pytest.raises(nx.InputError, match=f"unknown method 'best'; use {', '.join(METHODS)}"):
        rank("best", inputs)


def test_errors():
    X, y = task(60)
    with pytest.raises(nx.InputError, match="only one class, 'A'"):
        probeless(X, np.full(60, "A"))
    with pytest.raises(nx.InputError, match="60 rows of activations for 59 labels"):
        iou(X, y[1:])
    with pytest.raises(nx.InputError, match="give real numbers"):
        mean_select(X.astype(str), y)
    with pytest.raises(nx.InputError, match=r"shape \(60,\); give \(n_words, n_neurons\)"):
        variance(X[:, 0])
    for quantile in (0, 1, -0.1):
        with pytest.raises(nx.InputError, match="give a share between 0 and 1"):
            iou(X, y, quantile=quantile)
    with pytest.raises(nx.InputError, match="n_rows is 5"):
        mutual_information(X, y, n_rows=5)
    with pytest.raises(nx.InputError, match="n_neurons is 0"):
        gaussian(X, y, X, y, n_neurons=0)
    with pytest.raises(nx.InputError, match="no dev word has a class"):
        gaussian(X, y, X, np.full(60, "other"))
    with pytest.raises(nx.InputError, match=r"dev activations of shape \(60, 11\)"):
        gaussian(X, y, X[:, 1:], y)
    with pytest.raises(nx.InputError, match="same neurons for both sides"):
        activation_difference(X, X[1:])


def test_errors_of_integrated_gradients():
    X, y = task(60)
    probe = nx.ElasticNetProbe().fit(X, y)
    with pytest.raises(nx.InputError, match="unknown baseline 'max'"):
        integrated_gradients(probe, X, y, baseline="max")
    with pytest.raises(nx.InputError, match="activations of 11 neurons, a probe of 12"):
        integrated_gradients(probe, X[:, 1:], y)
    with pytest.raises(nx.InputError, match="the probe has no class 'D'"):
        integrated_gradients(probe, X, np.where(y == "A", "D", y))
    numbers = nx.probing.ElasticNetRegression().fit(X, X[:, 0])
    with pytest.raises(nx.InputError, match="give a fitted ElasticNetProbe"):
        integrated_gradients(numbers, X, y)
