"""What every ranker promises, whatever it computes: one test per promise, over all of them.

Also of ``neurox_lite.ranking.differentiable_mask``, ``neurox_lite.results.random_ranking``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
import torch

import neurox_lite as nx
from neurox_lite.activations.writer import open_writer
from neurox_lite.ranking import (
    METHODS,
    RankingTask,
    activation_difference,
    lin_reg,
    max_corr,
    min_corr,
    rank,
    svcca,
)
from neurox_lite.results.ranking import NeuronRanking

N, D, PLANTED, CONSTANT = 800, 24, 13, (5, 20)


@dataclass(frozen=True)
class Data:
    """Activations and labels, and the same words in another model."""

    X: np.ndarray
    y: np.ndarray
    other: np.ndarray
    probe: nx.ElasticNetProbe | None = None

    def columns(self, columns: np.ndarray) -> Data:
        return Data(self.X[:, columns], self.y, self.other)

    def scaled(self, scale: np.ndarray) -> Data:
        return Data((self.X * scale).astype(np.float32), self.y, self.other)


def data(n_classes: int = 3, n: int = N, seed: int = 0) -> Data:
    """One neuron knows the classes, and only it is shared with the other model."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    X = rng.normal(size=(n, D))
    X[:, PLANTED] = 4 * y + 0.3 * rng.normal(size=n)
    X[:, CONSTANT[0]] = 0
    X[:, CONSTANT[1]] = 0.1
    other = rng.normal(size=(n, 7))
    other[:, 2] = -X[:, PLANTED] + 0.1 * rng.normal(size=n)
    return Data(X.astype(np.float32), np.array([f"c{i:02d}" for i in y]), other.astype(np.float32))


FEW = {"n_rows": 2000, "n_trees": 10}
OPTIONS = {
    "matching-pursuit": {"n_neurons": 5},
    "extra-trees": FEW,
    "permutation-importance": {**FEW, "n_repeats": 2},
}
"""For the sake of time."""


def labelled(method: str) -> Callable[[Data], NeuronRanking]:
    def ranker(data: Data) -> NeuronRanking:
        half = len(data.y) // 2
        X, y = data.X, data.y
        probe = data.probe or nx.ElasticNetProbe(tol=1e-7)
        dev = X if len(np.unique(y[:half])) < len(np.unique(y)) else X[half:]
        task = RankingTask(X, y, dev, y[len(y) - len(dev) :], probe)
        return rank(method, task, **OPTIONS.get(method, {}))

    return ranker


RANKERS: dict[str, Callable[[Data], NeuronRanking]] = {
    **{method: labelled(method) for method in METHODS},
    "activation-difference": lambda data: activation_difference(
        data.X[: len(data.X) // 2], data.X[len(data.X) // 2 :]
    ),
    "max-corr": lambda data: max_corr(data.X, [data.other]),
    "min-corr": lambda data: min_corr(data.X, [data.other]),
    "lin-reg": lambda data: lin_reg(data.X, [data.other]),
    "svcca": lambda data: svcca(data.X, [data.other]),
}
KNOW_NOTHING = {"random", "activation-difference"}
ONLY_SIGNS = {"activation-probability", "lape"}
"""See no more than whether a neuron is above 0, as the one planted is except in the first class."""
NEED_SCALE = {"variance", "svcca"}
SLOW = {"differentiable-mask", "integrated-gradients"}

every = pytest.mark.parametrize(
    "name",
    [pytest.param(m, marks=[pytest.mark.heavy] if m in SLOW else []) for m in RANKERS],
)


@cache
def probe_of(n_classes: int, n: int) -> nx.ElasticNetProbe:
    """Of data with so many classes and rows; it takes seconds."""
    given = data(n_classes, n=n)
    return nx.ElasticNetProbe(tol=1e-7).fit(given.X, given.y)


@cache
def reference(name: str) -> NeuronRanking:
    """The ranking that most promises are about; nobody changes it."""
    return RANKERS[name](data())


@every
def test_a_permutation_of_all_neurons_under_its_name(name):
    ranking = reference(name)
    assert ranking.method == name
    assert sorted(ranking.order.tolist()) == list(range(D))
    assert ranking.scores.dtype == np.float64
    if ranking.class_scores is not None:
        assert ranking.classes == ("c00", "c01", "c02")
        assert np.all(ranking.class_scores >= 0)


@every
def test_the_planted_neuron_is_first(name):
    if name in KNOW_NOTHING:
        pytest.skip("knows nothing of the labels")
    assert reference(name).order[0] == PLANTED


@every
def test_constant_neurons_are_last_and_reported(name):
    ranking = reference(name)
    assert sorted(ranking.order[-2:].tolist()) == sorted(CONSTANT)
    assert [neuron.unit for neuron in ranking.unscored] == list(CONSTANT)
    assert np.isfinite(np.delete(ranking.scores, CONSTANT)).all()


@every
def test_a_neuron_that_is_constant_but_for_rounding_is_constant(name):
    given = data()
    X = given.X.astype(np.float64)
    X[:, CONSTANT[0]] = 7 + 1e-13 * given.X[:, 0]
    ranking = RANKERS[name](Data(X, given.y, given.other))
    assert [neuron.unit for neuron in ranking.unscored] == list(CONSTANT)


@every
def test_deterministic_and_the_input_stays(name):
    given = data()
    copies = given.X.copy(), given.y.copy(), given.other.copy()
    given.X.setflags(write=False)
    first = RANKERS[name](given)
    second = RANKERS[name](data())
    np.testing.assert_array_equal(first.order, second.order)
    np.testing.assert_array_equal(first.scores, second.scores)
    for now, before in zip((given.X, given.y, given.other), copies, strict=True):
        np.testing.assert_array_equal(now, before)


@every
def test_neurons_move_with_their_columns(name):
    if name == "random":
        pytest.skip("an order of columns by seed")
    columns = np.random.default_rng(1).permutation(D)
    there, here = RANKERS[name](data().columns(columns)), reference(name)
    np.testing.assert_allclose(there.scores, here.scores[columns], rtol=2e-3, atol=2e-4)
    scored = D - len(CONSTANT)
    same_order = columns[there.order[:scored]] == here.order[:scored]
    # Neurons of (nearly) equal score may change places.
    gaps = here.scores[columns[there.order[:scored]]] - here.scores[here.order[:scored]]
    assert np.all(same_order | (np.abs(gaps) < 1e-3))


@every
def test_scale_does_not_matter(name):
    if name in NEED_SCALE:
        pytest.skip("measures the scale")
    scale = 10.0 ** np.random.default_rng(1).integers(-3, 4, size=D)
    there, here = RANKERS[name](data().scaled(scale)), reference(name)
    if name != "mutual-information":  # scikit-learn adds noise of 1e-10
        np.testing.assert_allclose(there.scores, here.scores, rtol=2e-3, atol=2e-4)
    assert there.order[0] == here.order[0]


@every
def test_float16_and_float32_agree(name):
    given = data()
    half = Data(given.X.astype(np.float16), given.y, given.other.astype(np.float16))
    same = Data(half.X.astype(np.float32), given.y, half.other.astype(np.float32))
    np.testing.assert_allclose(
        RANKERS[name](half).scores, RANKERS[name](same).scores, rtol=2e-3, atol=2e-4
    )


@every
def test_tensors_are_as_good_as_arrays(name):
    given = data()
    tensors = Data(torch.from_numpy(given.X), given.y, torch.from_numpy(given.other))
    np.testing.assert_allclose(
        RANKERS[name](tensors).scores, RANKERS[name](given).scores, rtol=1e-6, atol=1e-9
    )


@every
def test_streaming_equals_in_memory(name, tmp_path):
    given = data(n=9000)
    stores = []
    corpus = nx.TaggedCorpus([["word"] * 10] * 900)
    for model, X in (("a", given.X), ("b", given.other)):
        metadata = {"model": model, "revision": "", "site": "hidden_states"}
        with open_writer(
            tmp_path / f"{model}.h5", corpus, dtype="float32", metadata=metadata
        ) as writer:
            writer.append({0: X[:, :3], 1: X[:, 3:]})
            writer.finish({"n_truncated_words": 0, "n_dropped_words": 0})
        stores.append(nx.ActivationStore(tmp_path / f"{model}.h5"))
    if name == "activation-difference":
        X = stores[0].matrix()
        rows = np.arange(9000)
        streamed = activation_difference(
            X.store.matrix(rows=rows[:4500]), X.store.matrix(rows=rows[4500:])
        )
    elif name in METHODS:
        X, half = stores[0].matrix(), stores[0].matrix(rows=np.arange(4500, 9000))
        task = RankingTask(X, given.y, half, given.y[4500:], nx.ElasticNetProbe(tol=1e-7))
        streamed = rank(name, task, **OPTIONS.get(name, {}))
    else:
        streamed = RANKERS[name](Data(stores[0].matrix(), given.y, stores[1].matrix()))
    assert streamed.space == stores[0].space
    np.testing.assert_allclose(streamed.scores, RANKERS[name](given).scores, rtol=1e-4, atol=1e-6)


@pytest.mark.heavy
@every
@pytest.mark.parametrize("n_classes", [2, 45])
def test_few_and_many_classes(name, n_classes):
    given = data(n_classes, n=4000)
    if name in METHODS and METHODS[name].needs_probe:
        given = replace(given, probe=probe_of(n_classes, n=4000))
    ranking = RANKERS[name](given)
    # By chance the entropies of other neurons over 45 classes of 90 words are as small.
    if name not in KNOW_NOTHING and (name, n_classes) != ("lape", 45):
        # Linguistic correlation ties the best neurons of the classes.
        assert ranking.scores[PLANTED] == np.nanmax(ranking.scores)
    if ranking.classes:
        assert len(ranking.classes) == n_classes


@every
def test_a_class_with_one_example(name):
    given = data()
    y = given.y.copy()
    y[7] = "only once"
    ranking = RANKERS[name](Data(given.X, y, given.other))
    assert sorted(ranking.order.tolist()) == list(range(D))
    assert np.isfinite(np.delete(ranking.scores, CONSTANT)).all()


@every
def test_a_neuron_that_is_constant_within_the_classes(name):
    given = data()
    given.X[:, 3] = 10.3 + (given.y == "c01")
    ranking = RANKERS[name](given)
    assert np.isfinite(np.delete(ranking.scores, CONSTANT)).all()
    # It adds nothing to the planted neuron, which the Gaussian selects first.
    if name in METHODS and name not in {"random", "variance", "gaussian", *ONLY_SIGNS}:
        assert 3 in ranking.order[:2]


@every
def test_any_layout_and_byte_order(name):
    given = data()
    columns, rows = np.arange(D)[::-1], np.arange(N)[::-1]
    other = Data(given.X[rows][:, columns].copy()[::-1, ::-1], given.y, given.other)
    np.testing.assert_array_equal(RANKERS[name](other).scores, RANKERS[name](given).scores)
    swapped = Data(given.X.astype(">f4"), given.y, given.other)
    np.testing.assert_array_equal(RANKERS[name](swapped).scores, RANKERS[name](given).scores)


@every
def test_a_tensor_with_a_gradient(name):
    given = data()
    tensor = Data(torch.from_numpy(given.X).requires_grad_(), given.y, given.other)
    np.testing.assert_allclose(
        RANKERS[name](tensor).scores, RANKERS[name](given).scores, rtol=1e-6, atol=1e-9
    )


@every
def test_tiny_activations_are_not_constant(name):
    if name in NEED_SCALE:
        pytest.skip("measures the scale")
    given = data()
    tiny = Data(given.X * np.float32(1e-30), given.y, given.other)
    assert len(RANKERS[name](tiny).unscored) == len(CONSTANT)


@every
def test_nan_is_an_error_that_names_row_and_neuron(name):
    given = data()
    given.X[123, 17] = np.nan
    with pytest.raises(nx.InputError, match="neuron 0:17 in row 123 is NaN"):
        RANKERS[name](given)


@pytest.mark.heavy
def test_the_hash_seed_changes_nothing():
    code = (
        "import sys; sys.path.insert(0, '.');"
        "from tests.ranking.test_contract import RANKERS, data;"
        "print({name: r(data()).scores.tolist() for name, r in RANKERS.items()})"
    )
    here = os.environ.get("PYTHONHASHSEED")  # at random if there is none
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "1" if here == "0" else "0"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed == f"{ {name: reference(name).scores.tolist() for name in RANKERS} }\n"
    assert "linguistic-correlation" in printed
