"""Masks without amortisation find the tokens that decide a text, where these are known.

`neurox_lite.attribution.mask_each_text`, `neurox_lite.attribution.diffmask_per_text`,
`neurox_lite.attribution.reinforce`
"""

from __future__ import annotations

import numpy as np
import pytest

from neurox_lite.attribution import diffmask_per_text, exact_erasure, reinforce
from neurox_lite.errors import InputError
from tests.masking.token_truth import DECIDING, TEXTS, texts_of_words

FEW = texts_of_words(TEXTS[:40])


@pytest.mark.parametrize("method", [diffmask_per_text, reinforce])
@pytest.mark.parametrize("state", [0, 1])
def test_the_smallest_set_that_suffices_is_kept(method, state):
    found = method(FEW, state=state, epsilon=0.05, n_steps=300)
    exact = exact_erasure(FEW, state=state, keep="output", epsilon=0.05)
    for tokens, values, kept in zip(found.tokens, found.values, exact.values, strict=True):
        deciding = [token in DECIDING for token in tokens]
        assert list(kept > 0) == deciding
        assert list(values > 0.5) == deciding


def test_the_size_is_known():
    with pytest.raises(InputError, match="unknown size 'sum'; use log or count"):
        diffmask_per_text(FEW, size="sum")
    log, count = (
        diffmask_per_text(FEW, size=size, n_steps=60).values[0] for size in ("log", "count")
    )
    assert not np.array_equal(log, count)


@pytest.mark.parametrize("method", [diffmask_per_text, reinforce])
def test_special_tokens_stay_among_word_embeddings(method):
    few = texts_of_words(TEXTS[:5])
    few.inputs.is_special[:, 0] = True
    for values in method(few, n_steps=2).values:
        assert values[0] == 1 > values[1]
    for values in method(few, state=1, n_steps=2).values:
        assert values[0] < 1
