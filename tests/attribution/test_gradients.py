"""Gradients are those of captum, and complete.

`neurox_lite.attribution.integrated_gradients`, `neurox_lite.attribution.gradient_times_input`
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient, LayerIntegratedGradients

import neurox_lite as nx
from neurox_lite.attribution import ExplainedTexts, gradient_times_input, integrated_gradients
from neurox_lite.errors import InputError
from neurox_lite.interventions.token_states import keep_tokens
from neurox_lite.models.loading import LoadedModel
from tests.small_models import small_model

MASKED = "The baker near the doctors [MASK] the man ."
ROW = torch.tensor([0])


@pytest.fixture(scope="module")
def bert():
    return nx.load_model(nx.embedded_path("models/bert"), head="language")


@pytest.fixture(scope="module")
def explained(bert):
    return ExplainedTexts.of_texts(bert, [MASKED])


@pytest.fixture(scope="module")
def ids(bert):
    return bert.tokenizer(MASKED, return_tensors="pt")["input_ids"]


@pytest.fixture(scope="module")
def log_probability(bert, ids):
    """Of the most probable word in the place of the mask; of word ids or of embeddings."""
    place = ids[0].tolist().index(bert.tokenizer.mask_token_id)
    with torch.no_grad():
        word = bert.model(input_ids=ids).logits[0, place].argmax()

    def score(given):
        what = "inputs_embeds" if given.is_floating_point() else "input_ids"
        return bert.model(**{what: given}).logits[:, place].log_softmax(-1)[:, word]

    return score


def test_from_the_placeholder_they_are_those_of_captum_at_the_layer(
    bert, explained, ids, log_probability
):
    masks = torch.full_like(ids, bert.tokenizer.mask_token_id)
    layer = bert.model.get_input_embeddings()
    by_layer = LayerIntegratedGradients(log_probability, layer)
    expected = by_layer.attribute(ids, baselines=masks, n_steps=20).sum(-1)[0].detach()
    found = integrated_gradients(explained, baseline="placeholder", n_points=20).values[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("state", range(5))
def test_they_are_complete_at_every_state(explained, state):
    values = integrated_gradients(explained, state=state, n_points=300).values[0]
    intact = explained.intact(ROW)
    gates = torch.zeros(1, len(values))
    zeros = torch.zeros(explained.states.widths[state])
    at_zero = explained.parts(ROW, state, keep_tokens(gates, zeros))
    difference = explained.output.score(intact, intact) - explained.output.score(intact, at_zero)
    assert values.sum() == pytest.approx(float(difference), rel=0.02)
    assert len(values) == len(explained.inputs.tokens[0])


@pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients")
def test_gradient_times_input_is_that_of_captum(bert, explained, ids, log_probability):
    embeddings = bert.model.get_input_embeddings()(ids).detach()
    expected = InputXGradient(log_probability).attribute(embeddings).sum(-1)[0].detach()
    found = gradient_times_input(explained).values[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_one_point_of_the_integral_is_a_gradient_half_way(explained):
    """The point of Gauss and Legendre is one half."""
    half = explained.token_states(ROW, 1)[1] / 2
    state = half.clone().requires_grad_()
    intact = explained.intact(ROW)
    score = explained.output.score(intact, explained.parts(ROW, 1, lambda _: state))
    (gradient,) = torch.autograd.grad(score, state)
    expected = (2 * half * gradient).sum(-1)[0]
    found = integrated_gradients(explained, state=1, n_points=1).values[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_a_model_may_change_its_states_in_place(bert):
    """CTRL multiplies its embeddings by the root of their width."""
    ctrl = small_model("ctrl", "AutoModelForSequenceClassification", vocab_size=2000)
    ctrl.config.pad_token_id = 0
    loaded = LoadedModel(ctrl.requires_grad_(False), bert.tokenizer, "ctrl", "none")
    explained = ExplainedTexts.of_texts(loaded, ["The nurse sings ."])
    values = integrated_gradients(explained, n_points=100).values[0]
    intact = explained.intact(ROW)
    at_zero = explained.parts(ROW, 0, torch.zeros_like)
    difference = explained.output.score(intact, intact) - explained.output.score(intact, at_zero)
    assert values.sum() == pytest.approx(float(difference), rel=0.01)
    assert gradient_times_input(explained).values[0].any()
    assert torch.equal(explained.states_and_parts(ROW)[0][0], explained.token_states(ROW, 0)[0])


def test_what_integrated_gradients_refuse(explained, monkeypatch):
    with pytest.raises(InputError, match="for state 2 give baseline zero"):
        integrated_gradients(explained, state=2, baseline="placeholder")
    with pytest.raises(InputError, match="use zero or placeholder"):
        integrated_gradients(explained, baseline="mean")
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(InputError, match="pip install 'neurox-lite"):
        integrated_gradients(explained)
