"""Arguments of comparisons; what they find is in tests/cli/test_attribute.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

import neurox_lite as nx
from neurox_lite.attribution.comparison import compare_attributions
from neurox_lite.errors import InputError


def test_no_method_names_a_file_elsewhere(valid, tmp_path):
    own = nx.attribution.uniform(valid["explained"])
    for name, of_file in {"../mine": "-mine", "a/b c": "a-b-c", "<lambda>": "-lambda-"}.items():
        folder = tmp_path / of_file / "out"
        compare_attributions(valid["explained"], [replace(own, method=name)]).save(folder)
        assert (folder / f"{of_file}.json").is_file() and (folder / f"{of_file}.html").is_file()
        assert [path.name for path in folder.parent.iterdir()] == ["out"]
    for names in (["a b", "a/b"], ["faithfulness"], ["comparison"]):
        several = [replace(own, method=name) for name in names]
        with pytest.raises(InputError, match="other files are called"):
            compare_attributions(valid["explained"], several).save(tmp_path / "x")
    assert not (tmp_path / "x").exists()


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
