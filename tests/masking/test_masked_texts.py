"""Outputs and states of texts as they are, kept or computed again.

`neurox_lite.masking.masked_texts`
"""

from __future__ import annotations

import pytest
import torch

import neurox_lite as nx
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.masking import masked_texts
from neurox_lite.masking.masked_texts import IntactTexts

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
