"""The neurons that correlate most, against numpy.corrcoef.

`neurox_lite.correlation.twins`, `neurox_lite.correlation.neuron_twins`
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from neurox_lite import InputError
from neurox_lite.correlation import twins
from neurox_lite.correlation.neuron_twins import NeuronTwins
from tests.descriptions.test_exemplars import store_of

RNG = np.random.default_rng(0)
N_WORDS, N_NEURONS = 3000, 30
SHARED = RNG.standard_t(3, (N_WORDS, 4))
X = SHARED @ RNG.standard_normal((4, N_NEURONS)) + RNG.standard_normal((N_WORDS, N_NEURONS))
X[:, 7] = 3.25
X[:, 9] = -2 * X[:, 3] + 1e4
Y = SHARED @ RNG.standard_normal((4, 12)) + RNG.standard_normal((N_WORDS, 12))


def corrcoef(X, Y=None):
    """Absolute correlations, -1 for a neuron with itself or of a constant one."""
    n = X.shape[1]
    with np.errstate(invalid="ignore"):
        r = np.corrcoef(X, X if Y is None else Y, rowvar=False)[:n, n:]
    if Y is None:
        np.fill_diagonal(r, np.nan)
    return r


def check(found, r, n_twins=5):
    for column, neuron in enumerate(found.neurons):
        row = np.nan_to_num(np.abs(r[column]), nan=-1.0)
        order = [other for other in np.argsort(-row.round(6), kind="stable") if row[other] >= 0][
            :n_twins
        ]
        assert list(found.columns[column]) == order, neuron
        np.testing.assert_allclose(found.correlations[column], r[column][order], atol=1e-5)


def test_twins_are_those_of_corrcoef():
    found = twins(X)
    check(found, corrcoef(X))
    assert found.columns[7] == () and all(7 not in own for own in found.columns)
    (first, r), *_ = found.of("0:9")
    assert str(first) == "0:3" and r == pytest.approx(-1, abs=1e-6)


def test_twins_in_another_model():
    found = twins(X, Y, n_twins=20)
    check(found, corrcoef(X, Y), n_twins=20)
    assert found.other_space.n_neurons == 12 and len(found.of(0)) == 12
    assert twins(X, X, neurons=[4]).of(4)[0][1] == pytest.approx(1)


def test_parts_do_not_matter(monkeypatch):
    module, whole = sys.modules[twins.__module__], twins(X)
    monkeypatch.setattr(module, "PANEL_NEURONS", 7)
    monkeypatch.setattr(module, "COLUMNS_AT_ONCE", 4)
    monkeypatch.setattr("neurox_lite.activations.access.COLUMN_NUMBERS", 11 * N_WORDS)
    parts = twins(X)
    assert parts.columns == whole.columns
    for one, other in zip(parts.correlations, whole.correlations, strict=True):
        assert one == pytest.approx(other, abs=1e-6)


def test_some_neurons_in_their_order():
    whole, found = twins(X), twins(X, neurons=["0:20", "0:7", "0:2", "0:20"])
    assert [str(neuron) for neuron in found.neurons] == ["0:20", "0:7", "0:2"]
    assert found.columns == (whole.columns[20], (), whole.columns[2])


def test_a_sample_of_words_is_drawn_by_the_seed():
    one, same, other = (twins(X, n_words=500, seed=seed) for seed in (0, 0, 1))
    assert one == same and one.correlations != other.correlations and one.n_words == 500


@pytest.mark.parametrize("scale", [2.0**-100, 2.0**100])
def test_the_size_of_activations_does_not_matter(scale):
    rounded = X.astype(np.float32)
    assert twins(rounded).columns == twins(rounded * np.float32(scale)).columns


def test_half_precision_is_what_it_is_rounded_to():
    rounded = torch.tensor(X).bfloat16()
    assert twins(rounded).columns == twins(rounded.double()).columns


def test_stores_are_aligned(tmp_path):
    one, other = store_of(tmp_path / "1.h5", [4, 9]), store_of(tmp_path / "2.h5", [30])
    found = twins(one, other, n_twins=2)
    assert found.n_words == one.n_rows - 3 and found.of("3:1")[0][1] == pytest.approx(1)
    assert twins(one).n_words == one.n_rows - 2
    check(twins(one), corrcoef(np.delete(np.asarray(one.matrix()), [4, 9], axis=0)))


def test_what_is_saved_and_shown(tmp_path):
    found = twins(X, Y, neurons=[3, 7], n_twins=2)
    found.save(tmp_path / "t.json")
    assert NeuronTwins.load(tmp_path / "t.json") == found
    header, first, second = found.table()
    assert first[0] == second[0] == "0:3" and [first[1], second[1]] == [1, 2]
    assert "neurons 2, words 3000" in str(found)
    assert twins(X, neurons=[7]).table() == [header]
    str(twins(X, neurons=[7]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"activations": X[:2]}, "2 words say nothing"),
        ({"activations": X, "other": Y[:5]}, "3000 rows against 5"),
        ({"activations": X, "neurons": []}, "no neurons"),
        ({"activations": X, "neurons": "0:99"}, "no unit 99"),
        ({"activations": X, "n_twins": 0}, "n_twins"),
        ({"activations": X, "n_words": 2}, "n_words"),
        ({"activations": np.where(X > 5, np.nan, X)}, "is NaN"),
        ({"activations": X, "other": np.where(Y > 5, np.inf, Y)}, "is infinite"),
        ({"activations": "a"}, "give"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(InputError, match=message):
        twins(**arguments)
    found = twins(X, neurons=[3, 7])
    with pytest.raises(InputError, match="none of the 2 whose twins were sought"):
        found.of(4)
    with pytest.raises(InputError, match="2 neurons; give one"):
        found.of([3, 7])


def test_a_store_beside_a_matrix_is_refused(tmp_path):
    with pytest.raises(InputError, match="a store and a matrix"):
        twins(store_of(tmp_path / "1.h5"), X)
