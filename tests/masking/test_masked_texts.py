"""Outputs and states of texts as they are, kept or computed again.

`neurox_lite.masking.masked_texts`
"""

from __future__ import annotations

from functools import partial

import pytest
import torch

import neurox_lite as nx
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.token_states import keep_tokens
from neurox_lite.masking import masked_texts
from neurox_lite.masking.masked_texts import IntactTexts, masked_output
from neurox_lite.masking.token_draws import Drawn

TEXTS = ["the nurse", "the nurse near the boys is happy", "a girl", "the boys near a girl"]


@pytest.fixture(scope="module")
def explained():
    return ExplainedTexts.of_texts(nx.embedded_path("models/gpt2"), TEXTS)


@pytest.mark.parametrize("most", [masked_texts.MOST_KEPT, 0])
@pytest.mark.parametrize("rows", [[3, 0], [1, 2, 0], [2]])
def test_states_are_those_of_the_model(explained, monkeypatch, most, rows):
    monkeypatch.setattr(masked_texts, "MOST_KEPT", most)
    intact = IntactTexts(explained, [0, 0, 2], keep_states=True)
    rows = torch.tensor(rows)
    read = explained.token_states(rows)
    real = explained.inputs.batch(rows)["attention_mask"] != 0
    for own, state in zip(intact.states(rows, [0, 2]), (0, 2), strict=True):
        assert own.shape == read[state].shape
        torch.testing.assert_close(own[real], read[state][real], rtol=1e-4, atol=1e-5)
    (expected,) = explained.intact(rows)
    torch.testing.assert_close(intact(rows)[0], expected, rtol=1e-4, atol=1e-5)


def test_states_that_fit_are_read_once(explained, monkeypatch):
    kept = IntactTexts(explained, [0, 1], keep_states=True)
    monkeypatch.setattr(ExplainedTexts, "token_states", None)
    assert len(kept.states(torch.arange(4), [0, 1])) == 2
    with pytest.raises(TypeError):
        IntactTexts(explained, [0, 1]).states(torch.arange(4), [0])


@pytest.mark.parametrize("is_input", [True, False])
def test_texts_masked_at_random_in_the_same_pass_are_as_alone(explained, is_input):
    """Also where they are shorter than the others, and so are their gates."""
    rows, more, state = torch.tensor([1, 3]), torch.tensor([0, 2]), 1
    intact = IntactTexts(explained, [0, state])
    shape = explained.inputs.batch(more)["attention_mask"].shape
    assert shape[1] < explained.inputs.batch(rows)["attention_mask"].shape[1]
    at_random = torch.eye(*shape)
    placeholder = intact.means[0].clone().requires_grad_()

    def draw(phi):
        return Drawn(phi, torch.sigmoid(phi[:, 0]), phi[:, 0])

    def locations(states):
        assert len(states[0]) == len(rows)
        return states[-1].mean(-1)[:, None]

    masked = partial(masked_output, intact, rows, [state], is_input, locations, placeholder, draw)
    alone, drawn = masked()
    (both,), drawn_too = masked((more, lambda: at_random))
    assert torch.equal(drawn.gates, drawn_too.gates)
    torch.testing.assert_close(both[:2], alone[0], rtol=1e-4, atol=1e-4)
    change = keep_tokens(at_random, placeholder)
    (expected,) = explained.parts(more, 0 if is_input else state, change)
    torch.testing.assert_close(both[2:], expected, rtol=1e-4, atol=1e-4)
    assert torch.autograd.grad(both[2:].sum(), placeholder)[0].any()
