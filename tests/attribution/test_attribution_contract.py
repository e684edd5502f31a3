"""What every attribution method does alike.

They share `neurox_lite.attribution.collecting` and
`neurox_lite.interventions.text_attributions`.
`neurox_lite.attribution.uniform`, `neurox_lite.attribution.leave_one_out`
"""

from __future__ import annotations

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite import attribution
from neurox_lite.attribution import ExplainedTexts
from neurox_lite.errors import InputError

METHODS = [attribution.uniform, attribution.leave_one_out]


@pytest.fixture(scope="module")
def explained():
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[::80]
    return ExplainedTexts.of_pairs(nx.embedded_path("models/gpt2"), pairs)


@pytest.mark.parametrize("method", METHODS)
def test_a_finite_number_per_token_that_depends_on_no_other_text(method, explained):
    found = method(explained)
    assert found.tokens == explained.inputs.tokens
    pairs = [
        explained.output.said(explained.intact(row[None]), row[None])[0] for row in _rows(explained)
    ]
    assert list(found.said) == pairs
    alone = method(ExplainedTexts.of_pairs(explained.states.loaded, _pairs()[:1]))
    np.testing.assert_allclose(alone.values[0], found.values[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_texts_are_not_taken_for_what_is_explained(method):
    with pytest.raises(InputError, match="ExplainedTexts"):
        method(["The nurse sings ."])


def _pairs():
    return nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[::80]


def _rows(explained):
    return explained.inputs.lengths.new_tensor(range(len(explained)))
