"""Leaving a token out is reading the text with a mask in its place."""

from __future__ import annotations

import numpy as np
import torch

import neurox_lite as nx
from neurox_lite.attribution import ExplainedTexts, leave_one_out

TEXTS = ["The baker near the doctors [MASK] the man .", "The nurse [MASK] ."]


def test_it_is_the_divergence_from_the_text_with_a_mask_there():
    bert = nx.load_model(nx.embedded_path("models/bert"), head="language")
    found = leave_one_out(ExplainedTexts.of_texts(bert, TEXTS))
    for text, values in zip(TEXTS, found.values, strict=True):
        ids = bert.tokenizer(text, return_tensors="pt")["input_ids"]
        place = ids[0].tolist().index(bert.tokenizer.mask_token_id)
        masked = ids.repeat(ids.shape[1], 1).fill_diagonal_(bert.tokenizer.mask_token_id)
        with torch.no_grad():
            read = bert.model(input_ids=torch.cat([ids, masked])).logits[:, place].log_softmax(-1)
        whole, without = read[:1].double(), read[1:].double()
        expected = (whole.exp() * (whole - without)).sum(-1)
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)
        assert values[place] == 0
