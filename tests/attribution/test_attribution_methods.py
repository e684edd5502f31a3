"""Attribution by name, and by functions of the user's own: `neurox_lite.attribution.methods`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.attribution import ATTRIBUTION_METHODS, ExplainedTexts, attribute_by, uniform
from neurox_lite.errors import InputError

GUIDE = Path(__file__).parents[2] / "docs/which-method.md"


def table() -> str:
    """The table of the docs; when this test fails, paste what it prints."""
    lines = ["| method | options, with their defaults |", "|---|---|"]
    for name, method in ATTRIBUTION_METHODS.items():
        options = "; ".join(f"`{o.flag} {o.default}`: {o.help}" for o in method.options)
        package = f" (`pip install 'neurox-lite[{method.extra}]'`)" if method.extra else ""
        lines.append(f"| `{name}`{package} | {options} |".replace("|  |", "| |"))
    return "\n".join(lines)


def test_the_docs_have_the_table_of_the_rows():
    guide = GUIDE.read_text(encoding="utf-8")
    assert table() in guide, table()
    assert all(f"`{name}`" in guide for name in ATTRIBUTION_METHODS)


@pytest.fixture(scope="module")
def explained():
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[:3]
    return ExplainedTexts.of_pairs(nx.embedded_path("models/lstm-0"), pairs)


def test_a_function_is_a_method(explained):
    def longest(explained, *, power=1):
        return [[len(token) ** power for token in tokens] for tokens in explained.inputs.tokens]

    found = attribute_by(longest, explained, power=2)
    assert found.method == "longest"
    assert found.parameters == {"power": 2}
    assert found.said == uniform(explained).said
    for tokens, values in zip(found.tokens, found.values, strict=True):
        np.testing.assert_array_equal(values, [len(token) ** 2 for token in tokens])
    assert attribute_by(uniform, explained).method == "uniform"
    as_matrix = attribute_by(lambda texts: np.zeros((3, len(texts.inputs.tokens[0]))), explained)
    assert not any(values.any() for values in as_matrix.values)


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        (lambda tokens: [], "give values for each text"),
        (lambda tokens: [[0.0]] * len(tokens), "finite numbers of shape"),
        (lambda tokens: [[np.nan] * len(each) for each in tokens], "finite numbers of shape"),
        (lambda tokens: [["a"] * len(each) for each in tokens], "for text 1; let it give an array"),
        (lambda tokens: None, "gives None; let it give a list of arrays"),
        (lambda tokens: "abc", "let it give a list of arrays"),
    ],
)
def test_a_function_that_gives_something_else(explained, gives, said):
    with pytest.raises(InputError, match=said):
        attribute_by(lambda explained: gives(explained.inputs.tokens), explained)


def test_attributions_of_other_texts(explained):
    other = ExplainedTexts.of_texts(explained.states.loaded, ["The nurse sings ."])
    with pytest.raises(InputError, match="of other texts"):
        attribute_by(lambda _: uniform(other), explained)


def test_no_such_method(explained):
    with pytest.raises(InputError, match="did you mean 'uniform'"):
        attribute_by("uniforms", explained)
    with pytest.raises(InputError, match="'uniform': got an unexpected keyword argument 'state'"):
        attribute_by("uniform", explained, state=1)
    with pytest.raises(InputError, match="method is 3"):
        attribute_by(3, explained)
    with pytest.raises(InputError, match="ExplainedTexts"):
        attribute_by("uniform", ["The nurse sings ."])
