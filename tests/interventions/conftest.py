"""What the tests of changed neurons share."""

from __future__ import annotations

import pytest
import torch

from neurox_lite.models.sites import find_sites
from neurox_lite.neurons import NeuronSpace
from tests.architectures import ARCHITECTURES, build
from tests.models.test_sites import VOCABULARY, inputs_of


@pytest.fixture(scope="session")
def case():
    """Model, sites, space and inputs of an architecture, each made once."""
    models, found = {}, {}

    def make(name, side="encoder", site="hidden_states"):
        if name not in models:
            models[name] = build(name, VOCABULARY, ARCHITECTURES[name].head)
        model = models[name]
        if (name, side, site) not in found:
            found[name, side, site] = find_sites(model, site, side=side)
        sites = found[name, side, site]
        space = NeuronSpace(name, site, tuple(sites.widths), tuple(sites.widths.values()))
        inputs = inputs_of(model)
        if model.config.is_encoder_decoder:
            inputs["decoder_attention_mask"] = torch.tensor([[1] * 5, [1, 1, 1, 0, 0]])
        return model, sites, space, inputs

    return make
