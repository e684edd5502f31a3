"""A ranking method is a function and a row: the rows say the truth, and everything reads them.

`neurox_lite.method_option`
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.activations.access import space_of
from neurox_lite.cli.main import main
from neurox_lite.evaluation.ranker_comparison import compare_rankers
from neurox_lite.ranking import RankingTask, rank
from neurox_lite.ranking.methods import load_function
from neurox_lite.ranking_methods import METHODS, RankingMethod
from tests.benchmarks.planted import CONDITIONS, Size

GUIDE = Path(__file__).parents[1] / "docs/which-method.md"
OF_TASK = {
    "X": "activations",
    "y": "labels",
    "probe": "a probe",
    "X_dev": "dev",
    "X_test": "test",
    "seed": "a seed",
}


def table() -> str:
    """The table of the docs; when this test fails, paste what it prints."""
    lines = ["| method | reads | options, with their defaults |", "|---|---|---|"]
    for name, method in METHODS.items():
        reads = ", ".join(said for need, said in OF_TASK.items() if need in method.needs)
        options = "; ".join(f"`{o.flag} {o.default}`: {o.help}" for o in method.options)
        package = f" (`pip install 'neurox-lite[{method.extra}]'`)" if method.extra else ""
        lines.append(f"| `{name}`{package} | {reads} | {options} |".replace("|  |", "| |"))
    return "\n".join(lines)


def test_the_docs_have_the_table_of_the_rows():
    assert table() in GUIDE.read_text(encoding="utf-8"), table()


@pytest.mark.parametrize("name", METHODS)
def test_a_row_says_what_its_function_takes(name):
    method = METHODS[name]
    parameters = inspect.signature(load_function(method)).parameters
    required = {p.name for p in parameters.values() if p.default is p.empty}
    assert required <= set(method.needs) <= set(parameters)
    for option in method.options:
        assert parameters[option.name].default == option.default


def test_a_task_that_lacks_what_a_method_needs():
    X = np.random.default_rng(0).normal(size=(20, 3))
    assert rank("variance", RankingTask(X)).space.n_neurons == 3
    with pytest.raises(nx.InputError, match="'gaussian' needs y and X_dev and y_dev; give them"):
        rank("gaussian", RankingTask(X))
    with pytest.raises(nx.InputError, match="'linguistic-correlation' needs X and y"):
        rank("linguistic-correlation", RankingTask())
    with pytest.raises(nx.InputError, match="'random' needs X"):
        rank("random", RankingTask())


def test_a_function_and_a_row_make_a_method(monkeypatch, capsys):
    """Of Python, of the comparison and of the command."""

    def loudest(X, *, power=2.0):
        scores = (np.abs(X) ** power).mean(0)
        return nx.NeuronRanking.from_scores(space_of(X), scores, "loudest")

    module = SimpleNamespace(loudest=loudest)
    monkeypatch.setitem(sys.modules, "neurox_lite.ranking.loudest", module)
    monkeypatch.setitem(METHODS, "loudest", RankingMethod("loudest", ("X",)))
    data = CONDITIONS["low noise"](np.random.default_rng(0), Size(30, 3, 300, 100))
    task = RankingTask.from_splits(data.splits)
    assert rank("loudest", task, power=1.0).method == "loudest"
    options = {"n_resamples": 0, "shares": (0.1,), "n_rows": 200}
    compared = compare_rankers(data.splits, methods=["loudest", "random"], **options)
    assert compared.table.methods == ("loudest", "random")
    assert main(["rank", "loudest", "--help"]) == 0
    assert "--quantile" not in capsys.readouterr().out
