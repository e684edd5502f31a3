"""Arguments of comparisons; what they find is in tests/cli/test_attribute.py."""

from __future__ import annotations

import pytest

import neurox_lite as nx
from neurox_lite.attribution.comparison import compare_attributions


@pytest.fixture(scope="module")
def valid():
    explained = nx.attribution.ExplainedTexts.of_texts(nx.embedded_path("models/lstm-0"), ["a man"])
    return {"explained": explained, "methods": ["uniform"]}


@pytest.mark.parametrize("value", [object(), {"a": 1}, 3.7, "x", -1, [None]])
@pytest.mark.parametrize("argument", ["explained", "methods", "options", "labels", "seed"])
def test_an_argument_of_another_kind_is_refused_in_one_line(argument, value, valid):
    with pytest.raises(nx.InputError) as error:
        compare_attributions(**{**valid, argument: value})
    assert "\n" not in str(error.value)
