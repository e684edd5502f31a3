"""The table of word embeddings is found in every architecture, or refused in a line."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neurox_lite.errors import InputError
from neurox_lite.models.hooks import record, rewrite
from neurox_lite.models.trace import _short_ids
from neurox_lite.models.word_embeddings import find_word_embeddings
from tests.small_models import small_model

KINDS = ["bert", "roberta", "albert", "gpt2", "llama", "gemma", "opt", "longformer", "xlnet"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_recorded_is_looked_up_and_can_be_written_back(kind):
    model = small_model(kind)
    ids = _short_ids(model)
    sites = find_word_embeddings(model)
    found = {}
    with record(model, sites, found.__setitem__):
        before = model(input_ids=ids)[0]
    looked_up = model.get_input_embeddings()(ids)
    assert torch.equal(found[0], looked_up)
    with rewrite(model, sites, lambda layer, position, states: states.clone()):
        assert torch.equal(model(input_ids=ids)[0], before)
    with rewrite(model, sites, lambda layer, position, states: states + 1):
        assert not torch.equal(model(input_ids=ids)[0], before)


def test_a_model_without_a_table():
    model = small_model("bert")
    model.embeddings.word_embeddings = nn.Sequential(model.embeddings.word_embeddings)
    model.get_input_embeddings = lambda: None
    with pytest.raises(InputError, match="no table of word embeddings"):
        find_word_embeddings(model)
