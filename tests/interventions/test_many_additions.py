"""Many translations in a batch, and metrics input by input."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.interventions import runner as masked_model
from neurox_lite.interventions.addition import add_to_neurons
from neurox_lite.interventions.metrics import (
    evaluate,
    evaluate_additions,
    kl_from_intact,
    pair_log_odds,
    perplexity,
)
from neurox_lite.interventions.pair_inputs import encode_pairs
from neurox_lite.models.loading import load_model
from tests.interventions.test_metrics_in_model import TEXTS, WHERE, pair_odds

MODELS = ("lstm-0", "gpt2", "bert")


@pytest.fixture(scope="module", params=MODELS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def loaded(name):
    return load_model(embedded_path(f"models/{name}"), device="cpu", head="language")


@pytest.fixture(scope="module")
def pairs():
    from neurox_lite.corpora.pair_files import read_pairs

    return read_pairs(embedded_path("corpora/number-pairs.tsv"))[::200]


def shifts_for(metric, n=5):
    rng = np.random.default_rng(2)
    shape = (n, metric.runner.space.n_neurons)
    return (rng.random(shape) < 0.3) * rng.normal(size=shape)


@pytest.mark.parametrize("positions", ["all", "last", "word"])
@torch.no_grad()
def test_translations_are_what_translate_leaves(loaded, pairs, name, positions):
    inputs = encode_pairs(loaded, pairs)
    places = inputs.word_positions(1) if positions == "word" else positions
    metric = pair_log_odds(loaded, inputs, replace(WHERE[name], positions=places))
    shifts = shifts_for(metric)
    expected = np.empty((len(shifts), len(pairs)))
    for row, shift in enumerate(shifts):
        for column, pair in enumerate(pairs):
            place = places[column, None] if positions == "word" else positions
            with add_to_neurons(loaded, metric.runner.space, shift, positions=place):
                expected[row, column] = pair_odds(loaded, [pair])[0]
    close = {"rel": 1e-3, "abs": 1e-3}
    found = evaluate_additions(metric, shifts, per_input=True)
    assert found == pytest.approx(expected, **close)
    assert evaluate_additions(metric, shifts) == pytest.approx(expected.mean(1), **close)


@pytest.mark.parametrize("make", [perplexity, kl_from_intact])
def test_batches_change_nothing(loaded, name, make, monkeypatch):
    metric = make(loaded, TEXTS, WHERE[name])
    shifts = shifts_for(metric)
    before = shifts.copy()
    together = evaluate_additions(metric, shifts)
    assert len(set(together.round(5))) == 5
    monkeypatch.setattr(masked_model, "BATCH_TOKENS", 40)
    assert together == pytest.approx(
        evaluate_additions(metric, shifts, shifts_at_once=2), rel=1e-4, abs=1e-4
    )
    order = [3, 0, 4, 1, 2]
    assert together[order] == pytest.approx(
        evaluate_additions(metric, shifts[order]), rel=1e-4, abs=1e-4
    )
    assert np.array_equal(shifts, before)


def test_no_shift_is_no_gate(loaded, pairs, name):
    metric = pair_log_odds(loaded, encode_pairs(loaded, pairs), WHERE[name])
    zeros = np.zeros((2, metric.runner.space.n_neurons))
    by_shift = evaluate_additions(metric, zeros, per_input=True)
    by_gate = evaluate(metric, zeros, zeros[0], per_input=True)
    assert by_shift.shape == (2, len(pairs))
    np.testing.assert_allclose(by_shift, by_gate, atol=1e-4)


def test_an_input_that_counts_nothing_is_nan_on_its_own(loaded, name):
    metric = perplexity(loaded, ["The", *TEXTS], WHERE[name])
    found = evaluate_additions(metric, shifts_for(metric, 1), per_input=True)[0]
    if name == "bert":  # one input per masked word, so all count
        assert np.isfinite(found).all()
    else:
        n_tokens = metric.runner.lengths.tolist()
        assert np.isnan(found).tolist() == [n == 1 for n in n_tokens]


@pytest.mark.parametrize("shape", [(0, 128), (2, 127), (128,), (1, 2, 128)])
def test_shifts_that_do_not_fit(pairs, shape):
    loaded = load_model(embedded_path("models/lstm-0"), device="cpu", head="language")
    metric = pair_log_odds(loaded, encode_pairs(loaded, pairs), WHERE["lstm-0"])
    with pytest.raises(InputError, match=r"shifts of shape .* for 128 neurons"):
        evaluate_additions(metric, np.zeros(shape))
    with pytest.raises(InputError, match="a shift is NaN, infinite or too large"):
        evaluate_additions(metric, np.full((1, 128), np.nan))
