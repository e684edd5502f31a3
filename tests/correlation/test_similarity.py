"""Similarity of layers: the formulas on whole matrices, and what must not change it."""

from dataclasses import replace

import numpy as np
import pytest

from neurox_lite.correlation.cca import canonical_correlations
from neurox_lite.correlation.similarity import LayerSimilarity, layer_similarity
from neurox_lite.errors import InputError
from neurox_lite.neurons import NeuronSpace

SPACE = NeuronSpace("one", "hidden_states", (0, 1, 4), (3, 5, 4))
OTHER = NeuronSpace("two", "mlp", (2, 3), (6, 2))


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(3000, 5))
    X, Y = (latent @ rng.normal(size=(5, w)) + rng.normal(size=(3000, w)) + 3 for w in (12, 8))
    return X, Y


def cka(A, B):
    """Kornblith et al. 2019 by the n x n matrices of inner products."""
    A, B = A - A.mean(0), B - B.mean(0)
    K, L = A @ A.T, B @ B.T
    return np.sum(K * L) / np.sqrt(np.sum(K * K) * np.sum(L * L))


def parts(X, space):
    return [X[:, space.columns(layer)] for layer in space.layers]


def compare(X, Y, measure):
    return layer_similarity(X, Y, space=SPACE, other_space=OTHER, measure=measure)


def test_cka_is_that_of_the_formula(pair):
    X, Y = pair
    found = compare(X, Y, "cka")
    expected = [[cka(A, B) for B in parts(Y, OTHER)] for A in parts(X, SPACE)]
    np.testing.assert_allclose(found.matrix, expected, atol=1e-12)
    assert (found.layers, found.other_layers) == ((0, 1, 4), (2, 3))
    assert (found.model, found.other, found.measure) == ("one", "two", "cka")


def test_svcca_is_the_mean_canonical_correlation(pair):
    X, Y = pair
    found = compare(X, Y, "svcca")
    expected = [
        [canonical_correlations(A, B).correlations.mean() for B in parts(Y, OTHER)]
        for A in parts(X, SPACE)
    ]
    np.testing.assert_allclose(found.matrix, expected, atol=1e-12)


@pytest.mark.parametrize("measure", ["cka", "svcca"])
def test_rotation_scale_and_offset_do_not_matter(pair, measure):
    X, Y = pair
    rng = np.random.default_rng(1)
    turned = np.hstack(
        [
            2.5 * A @ np.linalg.qr(rng.normal(size=(A.shape[1],) * 2))[0] - 10
            for A in parts(X, SPACE)
        ]
    )
    before, after = (compare(Z, Y, measure).matrix for Z in (X, turned))
    np.testing.assert_allclose(after, before, atol=1e-9)
    itself = layer_similarity(X, turned, space=SPACE, other_space=SPACE, measure=measure)
    np.testing.assert_allclose(np.diag(itself.matrix), 1, atol=1e-9)


def test_unrelated_models_are_not_similar():
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(2, 20_000, 10)).astype("f4")
    assert layer_similarity(X, Y).matrix[0][0] < 0.01
    assert layer_similarity(X, Y, measure="svcca").matrix[0][0] < 0.05


def test_saved_loaded_and_drawn(pair, tmp_path):
    found = compare(*pair, "cka")
    found.save(tmp_path / "cka.json")
    assert LayerSimilarity.load(tmp_path / "cka.json") == found
    axis, _ = found.plot().axes
    (image,) = axis.images
    np.testing.assert_array_equal(image.get_array(), found.matrix)
    assert image.get_clim() == (0, 1)
    assert [label.get_text() for label in axis.get_xticklabels()] == ["2", "3"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["0", "1", "4"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("layer of two", "layer of one")
    assert len(axis.texts) == 6
    assert axis.figure.get_suptitle() == "one and two"
    assert replace(found, other="one").plot().get_suptitle() == "one"
    many = replace(found, other_layers=tuple(range(20)), matrix=((0.5,) * 20,) * 3)
    assert not many.plot().axes[0].texts


def test_errors(pair):
    X, Y = pair
    with pytest.raises(InputError, match="unknown measure 'rsa'; use cka or svcca"):
        layer_similarity(X, Y, measure="rsa")
    with pytest.raises(InputError, match="space has 8 neurons for 12 columns"):
        layer_similarity(X, Y, space=OTHER)
    dead = X.copy()
    dead[:, 3:8] = 1
    for measure in ("cka", "svcca"):
        with pytest.raises(InputError, match="layer 1 of one is constant"):
            compare(dead, Y, measure)
