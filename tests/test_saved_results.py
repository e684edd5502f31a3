"""Every result that is saved is read by one function, as what it was."""

import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.saved_results import CLASS_OF, IN_FOLDERS

sys.path.insert(0, str(Path(__file__).parent / "results"))
from every_result import EVERY

LOADABLE = [name for name, result in EVERY.items() if hasattr(type(result), "load")]


@pytest.mark.parametrize("name", LOADABLE)
def test_it_comes_back_as_what_it_was(name, tmp_path):
    result = EVERY[name]
    path = tmp_path / "result"
    if not any(each.rsplit(".", 1)[1] == name for each in IN_FOLDERS.values()):
        path = tmp_path / "result.json"
    result.save(path)
    found = nx.load_result(path)
    assert type(found) is type(result)
    assert str(found) == str(result)


def test_every_kind_has_its_class():
    for kind, name in CLASS_OF.items():
        module, name = name.rsplit(".", 1)
        found = getattr(import_module(f"neurox_lite.{module}"), name)
        assert kind == getattr(found, "KIND", "neuron ranking")
    saved = {name.rsplit(".", 1)[1] for name in (*CLASS_OF.values(), *IN_FOLDERS.values())}
    assert saved == {*LOADABLE, "TokenMask"}, "an estimator, with tests of its own"


def test_a_probe_comes_back(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = np.array(["a", "b"])[(X[:, 0] > 0).astype(int)]
    probe = nx.ElasticNetProbe(l1=0.01).fit(X, y)
    probe.save(tmp_path / "probe")
    for path in (tmp_path / "probe", tmp_path / "probe/probe.json"):
        np.testing.assert_array_equal(nx.load_result(path).coef_, probe.coef_)


def test_a_folder_that_is_no_result_says_which_files_it_has(tmp_path):
    with pytest.raises(nx.InputError, match=r"or a JSON file$"):
        nx.load_result(tmp_path)
    for name in ("b.json", "a.json", "c.csv"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(nx.InputError, match=r"or a JSON file, such as a\.json, b\.json$"):
        nx.load_result(tmp_path)


def test_files_that_do_not_say_their_kind_are_known_by_their_names(tmp_path):
    from neurox_lite.json_files import write_json

    sets = [EVERY["MinimalSet"], EVERY["MinimalSet"]]
    write_json(tmp_path / "redundancy.json", [asdict(one) for one in sets])
    assert nx.load_result(tmp_path / "redundancy.json") == sets
    write_json(tmp_path / "evaluation.json", {"test_accuracy": 0.5})
    assert nx.load_result(tmp_path / "evaluation.json") == {"test_accuracy": 0.5}
    for name in ("redundancy.json", "evaluation.json"):
        (tmp_path / name).write_text('{"x": [1]}' if name[0] == "r" else "[1]")
        with pytest.raises(nx.InputError, match=rf"{name}: .*make it again"):
            nx.load_result(tmp_path / name)


@pytest.mark.parametrize("content", ["[]", "{}", json.dumps({"kind": "probe"}), '{"kind": ["x"]}'])
def test_what_is_no_result(content, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(nx.InputError, match=r"x\.json: not one of ablation curves"):
        nx.load_result(path)
    with pytest.raises(nx.InputError, match="nowhere"):
        nx.load_result(tmp_path / "nowhere.json")
    with pytest.raises(nx.InputError, match=r"a folder without a probe, mask .*; give a folder of"):
        nx.load_result(tmp_path)
    with pytest.raises(nx.InputError, match=r"path is 3"):
        nx.load_result(3)
