"""Many probes at once are those that are fitted one by one.

Also of ``neurox_lite.probing.one_vs_rest``.
"""

import numpy as np
import pytest
import torch

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing import solver
from neurox_lite.probing.batched import fit_grid, fit_one_vs_rest
from neurox_lite.probing.layerwise import fit_layers, layer_scores
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.regression import ElasticNetRegression

pytestmark = pytest.mark.heavy

TOL = 1e-8


def task(n=300, d=12, seed=0):
    rng = np.random.default_rng(seed)
    X = (1 + rng.normal(size=(n, d)) * np.linspace(0.5, 2, d)).astype("f4")
    y = np.argmax(X[:, :3] + 0.5 * rng.gumbel(size=(n, 3)), axis=1)
    return X, np.array(["ADJ", "NOUN", "VERB"])[y]


@pytest.fixture(params=[False, True], ids=["few rows", "many rows"])
def size(request, monkeypatch):
    """Rows of the task: so few that FISTA runs on all, or as if there were too many for it."""
    if request.param:
        monkeypatch.setattr(solver, "MIN_SAMPLE", 100)
        return 4000
    return 300


def assert_same(one, other):
    assert one.certificate_.converged
    assert one.certificate_.objective == pytest.approx(other.certificate_.objective, abs=3 * TOL)
    np.testing.assert_allclose(one.coef_, other.coef_, atol=3e-3)
    np.testing.assert_array_equal(one.classes_, other.classes_)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_a_grid_is_its_probes(size, class_weight):
    X, y = task(size)
    X = X.astype("f8")
    probe = ElasticNetProbe(tol=TOL, class_weight=class_weight)
    grid = fit_grid(probe, X, y, l1s=(1e-2, 1e-1, 1e-3), l2s=(1e-3, 1e-2))
    assert list(grid) == [(a, b) for a in (1e-1, 1e-2, 1e-3) for b in (1e-2, 1e-3)]
    for (l1, l2), fitted in grid.items():
        alone = ElasticNetProbe(l1, l2, tol=TOL, class_weight=class_weight).fit(X, y)
        assert (fitted.l1, fitted.l2) == (l1, l2)
        assert_same(fitted, alone)
        np.testing.assert_array_equal(fitted.coef_ == 0, alone.coef_ == 0)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_one_against_the_rest_is_a_binary_probe(size, class_weight):
    X, y = task(size)
    X = X.astype("f8")
    y[y == "VERB"] = "verb"  # sorted after "not verb", where "ADJ" is before "not ADJ"
    probe = ElasticNetProbe(1e-3, 1e-3, tol=TOL, class_weight=class_weight)
    fitted = fit_one_vs_rest(probe, X, y)
    assert list(fitted) == ["ADJ", "NOUN", "verb"]
    for label, binary in fitted.items():
        two = np.where(y == label, label, f"not {label}")
        alone = ElasticNetProbe(1e-3, 1e-3, tol=TOL, class_weight=class_weight).fit(X, two)
        assert_same(binary, alone)
        np.testing.assert_array_equal(binary.predict(X), alone.predict(X))


@pytest.fixture
def store(tmp_path):
    """Layers 0, 2 and 5 with 5, 4 and 3 units: the columns of the task."""
    X, _ = task()
    corpus = TaggedCorpus([["w"] * 10] * 30)
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    with open_writer(tmp_path / "s.h5", corpus, dtype="float32", metadata=metadata) as writer:
        writer.append({0: X[:, :5], 2: X[:, 5:9], 5: X[:, 9:]})
        writer.finish({})
    with ActivationStore(tmp_path / "s.h5") as opened:
        yield opened


def test_one_against_the_rest_was_trained_on_the_labels_of_the_corpus(store):
    X, y = store.matrix(), task()[1]
    corpus = TaggedCorpus([["w"] * 10] * 30, {"pos": y.reshape(30, 10).tolist()})
    for label, binary in fit_one_vs_rest(ElasticNetProbe(), X, y).items():
        y_binary = corpus.against_rest("pos", label).labels("pos")
        binary.check_trained_on(LabelledActivations(X, y_binary))
        with pytest.raises(InputError, match="other words or labels"):
            binary.check_trained_on(LabelledActivations(X, y))


@pytest.fixture
def two_threads():
    """With which one of three layers is left over."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("cumulative", [False, True])
def test_layers_are_fitted_one_by_one(store, cumulative, two_threads):
    X, y = task()
    probe = ElasticNetProbe(tol=1e-6)
    from_store = fit_layers(probe, store.matrix(), y, cumulative=cumulative)
    from_array = fit_layers(probe, X, y, space=store.space, cumulative=cumulative)
    separate, growing = [(0, 5), (5, 9), (9, 12)], [(0, 5), (0, 9), (0, 12)]
    assert list(from_store) == list(from_array) == [0, 2, 5]
    for layer, (start, stop) in zip([0, 2, 5], growing if cumulative else separate, strict=True):
        alone = ElasticNetProbe(tol=1e-6).fit(X[:, start:stop], y)
        for fitted in (from_store[layer], from_array[layer]):
            np.testing.assert_allclose(fitted.coef_, alone.coef_, atol=1e-5)
            assert fitted.space_.layers[-1] == layer
            assert fitted.space_.n_neurons == stop - start


def test_layers_of_a_regression(store):
    X, _ = task()
    fitted = fit_layers(ElasticNetRegression(), store.matrix(), X[:, 5])
    assert fitted[2].score(store.layer(2), X[:, 5]) > 0.99
    assert fitted[0].score(store.layer(0), X[:, 5]) < 0.2


def test_scores_of_layers(store):
    X, y = task()
    scores = layer_scores(ElasticNetProbe(), store.matrix(), y, X, y)
    alone = ElasticNetProbe().fit(X[:, 5:9], y)
    both = ElasticNetProbe().fit(X[:, :9], y)
    assert scores.layers == (0, 2, 5)
    assert scores.separate[1] == pytest.approx(alone.score(X[:, 5:9], y))
    assert scores.cumulative[1] == pytest.approx(both.score(X[:, :9], y))
    # The first three columns, all of layer 0, make the labels.
    assert scores.separate[0] > 0.6 > 0.45 > scores.separate[2]
    assert scores.baseline == max(np.mean(y == label) for label in np.unique(y))
    assert scores.converged
    assert len(scores.plot().axes[0].lines) == 3


def test_bad_questions_are_refused():
    X, y = task()
    with pytest.raises(InputError, match="no penalties"):
        fit_grid(ElasticNetProbe(), X, y, l1s=[], l2s=[1e-3])
    with pytest.raises(InputError, match="l1=-1"):
        fit_grid(ElasticNetProbe(), X, y, l1s=[-1], l2s=[1e-3])
    with pytest.raises(InputError, match="one class against the rest"):
        fit_one_vs_rest(ElasticNetProbe(class_weight={"ADJ": 2}), X, y)
    with pytest.raises(InputError, match="does not tell its layers"):
        fit_layers(ElasticNetProbe(), X, y)
    space = NeuronSpace("m", "mlp", (0, 2), (5, 7))
    bad = np.where(np.arange(12) == 7, np.inf, X)
    with pytest.raises(InputError, match="neuron 2:2 in row 0 is infinite"):
        fit_layers(ElasticNetProbe(), bad, y, space=space)
    with pytest.raises(InputError, match="space has 3 neurons for 12 columns"):
        fit_layers(ElasticNetProbe(), X, y, space=NeuronSpace.of_array(3))
