"""What is found on a GPU is what is found on the CPU; a row per device."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neurox_lite as nx
from neurox_lite.models.location import Location

LSTM, BERT = nx.embedded_path("models/lstm-0"), nx.embedded_path("models/bert")
CORPUS = nx.read_conllu(nx.embedded_path("corpora/english-test.conllu.gz")).section(range(60))
PAIRS = [
    pair
    for pair in nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
    if (pair.template, pair.condition) == ("simple", "singular")
]
WITHOUT_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=WITHOUT_CUDA)]

pytestmark = [pytest.mark.heavy, pytest.mark.parametrize("device", DEVICES)]


def test_activations_of_a_model(device, tmp_path):
    expected = nx.extract(BERT, CORPUS, tmp_path / "cpu.h5", device="cpu")
    found = nx.extract(BERT, CORPUS, tmp_path / "found.h5", device=device)
    np.testing.assert_allclose(found.matrix()[:], expected.matrix()[:], atol=1e-4)


def test_weights_of_a_probe_and_rankings(device):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 20)).astype(np.float32)
    y = np.array(["a", "b", "c"])[np.argmax(X[:, :3] + rng.normal(size=(600, 3)), 1)]
    expected = nx.ElasticNetProbe(l1=0.01, device="cpu").fit(X, y)
    found = nx.ElasticNetProbe(l1=0.01, device=device).fit(X, y)
    assert found.certificate_.converged
    np.testing.assert_allclose(found.coef_, expected.coef_, atol=2e-3)
    tensor = torch.as_tensor(X, device=device)
    for rank in (nx.ranking.probeless, nx.ranking.iou, nx.ranking.mean_select):
        np.testing.assert_allclose(rank(tensor, y).scores, rank(X, y).scores, atol=1e-4)


def test_what_neurons_of_the_model_do(device):
    found, expected = (
        nx.load_model(LSTM, device=name, head="language") for name in (device, "cpu")
    )
    odds = [nx.interventions.score_pairs(loaded, PAIRS) for loaded in (found, expected)]
    np.testing.assert_allclose(*odds, atol=1e-3)
    ranking = nx.ranking.random_ranking(nx.neuron_space(expected))
    curves = []
    for loaded in (found, expected):
        inputs = nx.interventions.encode_pairs(loaded, PAIRS)
        where = Location(site="lstm_cell")
        metric = nx.interventions.metrics.pair_log_odds(loaded, inputs, where)
        curves += nx.interventions.ablate_in_model(ranking, metric, shares=[0.1, 0.5]).curves
    np.testing.assert_allclose(curves[0].remove.top, curves[1].remove.top, atol=1e-3)


def test_a_mask(device):
    loaded = nx.load_model(LSTM, device=device, head="language")
    fit = nx.fit_neuron_mask(loaded, PAIRS[:30], layers=[1], n_steps=5)
    mask = fit.mask
    on_cpu = nx.load_model(LSTM, device="cpu", head="language")
    with nx.intervene(on_cpu, mask):
        odds = nx.interventions.score_pairs(on_cpu, PAIRS)
    with nx.intervene(loaded, mask):
        np.testing.assert_allclose(nx.interventions.score_pairs(loaded, PAIRS), odds, atol=1e-3)


def test_attributions(device):
    rows = nx.attribution.ATTRIBUTION_METHODS.values()
    trained = [row.name for row in rows if "n_steps" in {option.name for option in row.options}]
    few = {name: {"n_steps": 3} for name in trained}
    found, expected = (
        nx.attribution.ExplainedTexts.of_pairs(
            nx.load_model(BERT, device=name, head="language"), PAIRS[:2]
        )
        for name in (device, "cpu")
    )
    for name in nx.attribution.ATTRIBUTION_METHODS:
        one, other = (
            nx.attribution.attribute_by(name, texts, **few.get(name, {})).values
            for texts in (found, expected)
        )
        for values in zip(one, other, strict=True):
            np.testing.assert_allclose(*values, rtol=1e-3, atol=1e-4)
