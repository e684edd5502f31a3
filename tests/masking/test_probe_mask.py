"""Masks of a probe's predictions, against the closed form that two classes have."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neurox_lite as nx
from neurox_lite.errors import InputError
from neurox_lite.masking.probe_mask import fit_probe_mask
from neurox_lite.probing.probe import ElasticNetProbe

pytestmark = pytest.mark.heavy

N_NEURONS, N_PLANTED = 60, 8


@pytest.fixture(scope="module")
def fitted():
    """A probe of two classes, the activations that it takes for one of them, and all."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1500)
    X = rng.normal(size=(1500, N_NEURONS)).astype(np.float32)
    X[:, :N_PLANTED] += np.linspace(0.4, 1.2, N_PLANTED) * (2 * y[:, None] - 1)
    probe = ElasticNetProbe().fit(X, y)
    return probe, X[probe.predict(X) == 1], X


def gains(probe, X):
    """What the best replacement of each neuron adds to the mean log-odds of class 0, descending."""
    weights = probe.raw_weights()[0].astype(float)
    target_pairs = weights[:, 0] - weights[:, 1]
    extremes = np.stack([X.min(0), X.max(0)]).astype(float)
    return np.sort(((extremes - X.astype(float).mean(0)) * target_pairs).max(0))[::-1]


def log_odds(probe, X):
    weights, intercept = probe.raw_weights()
    logits = X.astype(float) @ weights + intercept
    return logits[:, 0] - logits[:, 1]


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("as_given", [np.asarray, torch.from_numpy])
def test_fewest_neurons_to_flip_have_a_closed_form(fitted, size, as_given):
    probe, X, _ = fitted
    reached = log_odds(probe, X).mean() + np.cumsum(gains(probe, X))
    alpha = float(np.mean(reached[size - 2 : size])) if size > 1 else float(reached[0]) - 0.3
    fit = fit_probe_mask(probe, as_given(X), alpha=alpha)
    assert fit.feasible and fit.size == size
    # What is said about the held-out rows holds for the probe itself.
    replacing_gates = np.where(fit.mask.gates > 0, fit.mask.replacement, X)
    assert log_odds(probe, replacing_gates).mean() == pytest.approx(fit.held_out_effect, abs=0.3)
    assert (X.min(0) - 1e-5 <= fit.mask.replacement).all()
    assert (fit.mask.replacement <= X.max(0) + 1e-5).all()


def test_what_no_mask_can_do_is_infeasible(fitted):
    probe, X, _ = fitted
    reached = log_odds(probe, X).mean() + gains(probe, X).sum()
    assert fit_probe_mask(probe, X, alpha=float(reached) + 1).status == "infeasible"


def test_sufficiency_keeps_neurons_of_large_weights(fitted):
    probe, _, X = fitted
    fit = fit_probe_mask(probe, X, objective="sufficiency", alpha=-0.05)
    assert fit.feasible and 0 < fit.size < N_NEURONS / 2
    assert fit.held_out_effect > -0.08
    kept = fit.mask.selected
    share = np.abs(probe.raw_weights()[0]).sum(1)
    assert share[kept].mean() > 3 * np.delete(share, kept).mean()


@pytest.mark.parametrize("objective", ["flip", "sufficiency"])
def test_it_depends_on_the_seed_and_on_nothing_else(fitted, objective):
    probe, X, _ = fitted
    first, again = (fit_probe_mask(probe, X, objective=objective, n_steps=50) for _ in range(2))
    np.testing.assert_array_equal(first.mask.gates, again.mask.gates)
    np.testing.assert_array_equal(first.mask.replacement, again.mask.replacement)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "probe"}, "unknown objective 'probe'; use flip or sufficiency"),
        ({"n_rows": 0}, "n_rows is 0; give at least 1"),
        ({"held_out": 1.0}, "held_out is 1.0; give a share below 1"),
        ({"n_steps": 0}, "n_steps 0, batch_size 256; give at least 1"),
    ],
)
def test_options_out_of_range(fitted, options, message):
    with pytest.raises(InputError, match=message):
        fit_probe_mask(*fitted[:2], **options)


def test_copies_are_not_held_out(fitted):
    probe, X, _ = fitted
    once = fit_probe_mask(probe, X[:50], n_steps=5)
    thrice = fit_probe_mask(probe, np.repeat(X[:50], 3, axis=0), n_steps=5)
    assert (once.counts["left out as copies"], thrice.counts["left out as copies"]) == (0, 100)
    for count in ("trained on", "held out"):
        assert thrice.counts[count] == once.counts[count]


def test_of_a_store(tmp_path):
    """Neurons have their layers; a probe of another layer is refused; a missing word is named."""
    path = nx.embedded_path("corpora/english-test.conllu.gz")
    corpus = nx.read_conllu(path).section(range(60))
    store = nx.extract(nx.embedded_path("models/lstm-0"), corpus, tmp_path / "a.h5", device="cpu")
    X = store.matrix([2])
    is_short = np.array([len(word) < 4 for word in corpus.words()])
    probe = ElasticNetProbe().fit(X, is_short)
    fit = fit_probe_mask(probe, X, objective="sufficiency", n_steps=20)
    assert fit.mask.space == X.space and {n.layer for n in fit.mask.neurons} <= {2}
    with pytest.raises(InputError, match="the probe has other neurons than X"):
        fit_probe_mask(probe, store.matrix([1]))


@pytest.mark.parametrize("X", [np.zeros((0, 60)), np.zeros(60), []])
def test_what_are_no_rows(fitted, X):
    with pytest.raises(InputError, match="at least one row"):
        fit_probe_mask(fitted[0], X)


def test_activations_that_do_not_fit(fitted):
    probe, X, _ = fitted
    with pytest.raises(InputError, match="activations of 59 neurons, a readout of 60"):
        fit_probe_mask(probe, X[:, 1:])
    X = X.copy()
    X[3, 5] = np.nan
    with pytest.raises(InputError, match="activation of neuron 0:5 in row 3 is NaN"):
        fit_probe_mask(probe, X)
