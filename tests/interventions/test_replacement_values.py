"""What neurons are replaced by: class means and activations of other inputs."""

import numpy as np
import pytest

from neurox_lite.errors import InputError
from neurox_lite.interventions.replacement_values import class_means, resample

X = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
Y = np.array(["b", "a", "b", "b", "a", "c", "a"])


def test_the_means_of_classes():
    means = class_means(X, Y)
    assert list(means) == ["a", "b", "c"]
    expected = np.array([X[[1, 4, 6]], X[[0, 2, 3]]], dtype=np.float64).mean(1)
    np.testing.assert_allclose([means["a"], means["b"]], expected)
    np.testing.assert_array_equal(means["c"], X[5])
    assert all(mean.dtype == np.float64 for mean in means.values())
    assert list(class_means(X, [1, 0, 1, 1, 0, 2, 0])) == [0, 1, 2]


def test_means_are_summed_in_double_precision():
    ones = np.full((10_000, 1), 1e4 + 0.5, dtype=np.float32)
    assert class_means(ones, np.zeros(10_000, dtype=int))[0] == [1e4 + 0.5]


def test_drawn_rows_stay_whole_and_come_from_the_rows():
    drawn = resample(X, 200, seed=1)
    assert drawn.shape == (200, 3)
    rows = {tuple(row) for row in X.tolist()}
    assert {tuple(row) for row in drawn.tolist()} == rows
    np.testing.assert_array_equal(drawn, resample(X, 200, seed=1))
    assert not np.array_equal(drawn, resample(X, 200, seed=2))


@pytest.mark.parametrize(("X", "y"), [(X, Y[:6]), (X[:0], Y[:0])])
def test_no_label_per_row(X, y):
    with pytest.raises(InputError, match=r"rows and \d labels; give one label per row"):
        class_means(X, y)


def test_nothing_to_draw_from():
    with pytest.raises(InputError, match="no activations to draw from; give at least one row"):
        resample(X[:0], 3, seed=0)
