"""The regularisation search: its score by hand, its best pair, its edges, its figure."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from neurox_lite.errors import InputError
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.search import RegularisationSearch, regularisation_search
from neurox_lite.ranking import linguistic_correlation

L1S, L2S = (1e-3, 1e-2, 3e-1), (1e-4, 1e-2)


def task(seed, n=300, d=20):
    rng = np.random.default_rng(seed)
    X = (1 + rng.normal(size=(n, d))).astype("f4")
    y = np.argmax(X[:, :3] + 0.5 * rng.gumbel(size=(n, 3)), axis=1)
    return X, np.array(["ADJ", "NOUN", "VERB"])[y]


@pytest.fixture(scope="module")
def found():
    return regularisation_search(
        ElasticNetProbe(), *task(0), *task(1), l1s=L1S[::-1], l2s=L2S, share=0.15
    )


def test_the_score_is_the_papers(found):
    """Accuracies from probes fitted and blinded one by one."""
    search, _ = found
    (X, y), (X_dev, y_dev) = task(0), task(1)
    none = ElasticNetProbe(0, 0).fit(X, y).score(X_dev, y_dev)
    assert search.unregularised_accuracy == pytest.approx(none, abs=0.01)
    for i, l1 in enumerate(L1S):
        for j, l2 in enumerate(L2S):
            probe = ElasticNetProbe(l1, l2).fit(X, y)
            order = linguistic_correlation(probe).order
            accuracies = []
            for kept in (order, order[:3], order[-3:]):
                blind = np.zeros_like(X_dev)
                blind[:, kept] = X_dev[:, kept]
                accuracies.append(probe.score(blind, y_dev))
            full, top, bottom = accuracies
            assert search.accuracies[i][j] == pytest.approx(full, abs=0.01)
            expected = 0.5 * (top - bottom) - 0.5 * (search.unregularised_accuracy - full)
            assert search.scores[i][j] == pytest.approx(expected, abs=0.02)


def test_the_best_probe_is_returned_fitted(found):
    search, probe = found
    assert search.best == (probe.l1, probe.l2)
    scores = np.array(search.scores)
    assert scores[L1S.index(probe.l1), L2S.index(probe.l2)] == scores.max()
    assert probe.certificate_.converged


def test_penalties_for_a_ranking_are_those_of_the_best_top():
    """Scores by hand: a probe of the top two alone, on dev."""
    (X, y), (X_dev, y_dev) = task(0), task(1)
    search, best = regularisation_search(
        ElasticNetProbe(), X, y, X_dev, y_dev, l1s=L1S, l2s=L2S, n_neurons=2
    )
    for i, l1 in enumerate(L1S):
        for j, l2 in enumerate(L2S):
            top = linguistic_correlation(ElasticNetProbe(l1, l2).fit(X, y)).order[:2]
            alone = ElasticNetProbe().fit(X[:, top], y).score(X_dev[:, top], y_dev)
            assert search.scores[i][j] == pytest.approx(alone, abs=0.01)
    assert (search.n_neurons, search.best) == (2, (best.l1, best.l2))
    assert search.best_score == max(map(max, search.scores))


@pytest.mark.parametrize("n_neurons", [0, 10_000])
def test_a_number_of_neurons_that_there_are_not(n_neurons):
    with pytest.raises(InputError, match="n_neurons is"):
        regularisation_search(ElasticNetProbe(), *task(0), *task(1), n_neurons=n_neurons)


def test_edges_are_flagged(found):
    search, _ = found
    middle = ((0.0, 0.0), (1.0, 0.5), (0.0, 0.0))
    assert replace(search, scores=middle).at_edge == ("smallest l2",)
    corner = ((0.0, 0.0), (0.0, 0.5), (0.0, 1.0))
    assert replace(search, scores=corner).at_edge == ("largest l1", "largest l2")
    assert replace(search, scores=((2.0, 2.0), (0.0, 2.0), (0.0, 0.0))).best == (1e-2, 1e-2)
    one = replace(search, l2s=(1e-2,), scores=((0.0,), (1.0,), (0.0,)))
    assert one.at_edge == ()


def test_comes_back_from_its_file_and_is_drawn(found, tmp_path):
    search, _ = found
    search.save(tmp_path / "search.json")
    assert RegularisationSearch.load(tmp_path / "search.json") == search
    texts = [text.get_text() for text in search.plot().axes[0].texts]
    assert len(texts) == 6
    assert texts[0].startswith(f"{search.scores[0][0]:.3f}")


def test_a_penalty_given_twice_is_tried_once():
    search, _ = regularisation_search(
        ElasticNetProbe(), *task(0), *task(1), l1s=(1e-2, 1e-2), l2s=(1e-2,)
    )
    assert search.l1s == (1e-2,)
    assert search.best_score == search.scores[0][0]


def test_a_share_out_of_range_is_refused():
    with pytest.raises(InputError, match="share is 1"):
        regularisation_search(ElasticNetProbe(), *task(0), *task(1), share=1.0)


def test_probes_that_did_not_converge_are_told():
    probe = ElasticNetProbe(max_iter=2, tol=1e-9)
    with pytest.warns(ConvergenceWarning):
        search, _ = regularisation_search(probe, *task(0), *task(1), l1s=(1e-3,), l2s=(1e-3,))
    assert not search.all_converged
    assert search.plot().axes[0].texts[0].get_text().endswith("*")


def test_separable_classes_do_not_matter_to_a_search(recwarn):
    X, _ = task(0)
    y = X[:, 0] > 1
    search, _ = regularisation_search(ElasticNetProbe(), X, y, X, y, l1s=(1e-2, 1e-1), l2s=(1e-2,))
    assert search.all_converged
    assert search.unregularised_accuracy > 0.99
    assert not [w for w in recwarn if issubclass(w.category, ConvergenceWarning)]
