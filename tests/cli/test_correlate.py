"""The command correlate: a ranking of the first store, and layers compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.activations import negligible
from neurox_lite.cli.main import main
from neurox_lite.correlation.similarity import LayerSimilarity
from neurox_lite.embedded import embedded_path

MODELS = ("lstm-0", "bert", "gpt2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stores of three embedded models over the same sentences, and one over others."""
    folder = tmp_path_factory.mktemp("correlate")
    corpus = nx.read_corpus(embedded_path("corpora/english-dev.conllu.gz"))
    first = nx.TaggedCorpus(corpus.sentences[:150])
    for name in MODELS:
        nx.extract(str(embedded_path(f"models/{name}")), first, folder / f"{name}.h5").close()
    other = nx.TaggedCorpus(corpus.sentences[1:150])
    nx.extract(str(embedded_path("models/lstm-0")), other, folder / "other.h5").close()
    return folder


def stores(folder: Path, *names: str) -> list[str]:
    return [part for name in names for part in ("--store", str(folder / f"{name}.h5"))]


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["correlate", "--help"]) == 0
    assert "Example: neurox-lite correlate" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("method", ["max-corr", "min-corr", "lin-reg", "svcca"])
def test_the_ranking_is_that_of_the_function(
    folder: Path,
    tmp_path: Path,
    method: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(negligible, "negligible_neurons", lambda X: [X.space.neurons([3])[0]])
    out = str(tmp_path / "ranking.json")
    arguments = ["--method", method, "--layers", "1,2", "--out", out, "--json"]
    assert main(["correlate", *stores(folder, *MODELS), *arguments]) == 0
    shown = json.loads(capsys.readouterr().out)
    opened = [nx.ActivationStore(folder / f"{name}.h5") for name in MODELS]
    X, *others = nx.align_stores(opened, [1, 2])
    expected = getattr(nx.ranking, method.replace("-", "_"))(X, others)
    loaded = nx.NeuronRanking.load(out)
    np.testing.assert_array_equal(loaded.scores, expected.scores)
    assert loaded.space == X.space
    assert (shown["method"], shown["words"], shown["neurons"]) == (method, *X.shape)
    assert shown["top"] == [str(neuron) for neuron in loaded.top(10)]
    assert shown["negligible in their layer"] == ["1:3"]


def test_layers_are_compared(folder: Path, tmp_path: Path) -> None:
    out, similarity = tmp_path / "ranking.csv", tmp_path / "similarity"
    arguments = ["--method", "max-corr", "--out", str(out), "--similarity", str(similarity)]
    command = ["correlate", *stores(folder, *MODELS), *arguments]
    assert main(command) == 0
    names = {f"cka-1-{i}.{ending}" for i in (2, 3) for ending in ("json", "png")}
    assert {path.name for path in similarity.iterdir()} == names
    found = LayerSimilarity.load(similarity / "cka-1-3.json")
    assert found.model.endswith("lstm-0")
    assert found.other.endswith("gpt2")
    assert np.shape(found.matrix) == (len(found.layers), len(found.other_layers))
    assert main([*command, "--overwrite"]) == 0
    out.unlink()
    assert main(command) == 2  # the similarities are there


@pytest.mark.parametrize(
    ("names", "method", "message"),
    [
        (("lstm-0",), "max-corr", "one store only"),
        (("lstm-0", "lstm-0"), "max-corr", "lstm-0.h5: has the activations of the first store"),
        (("lstm-0", "bert"), "best-corr", "unknown method 'best-corr'; use max-corr, min-corr"),
        (("lstm-0", "other"), "max-corr", "other.h5: word 0 is"),
        (("lstm-0", "nothing"), "max-corr", "nothing.h5: no such activation store"),
    ],
)
def test_bad_input(
    folder: Path,
    tmp_path: Path,
    names: tuple[str, ...],
    method: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "ranking.json"
    arguments = [*stores(folder, *names), "--method", method, "--out", str(out)]
    assert main(["correlate", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_an_existing_ranking_is_kept(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "ranking.json"
    out.write_text("mine")
    command = ["correlate", *stores(folder, "lstm-0", "bert"), "--method", "max-corr"]
    assert main([*command, "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main([*command, "--out", str(out), "--overwrite"]) == 0
