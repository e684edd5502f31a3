"""`rank` by every method, and all of them, on the embedded LSTM.

Also of ``neurox_lite.cli.method_options``.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

from neurox_lite.activations import negligible
from neurox_lite.cli.main import main
from neurox_lite.embedded import embedded_path
from neurox_lite.evaluation.method_table import MethodTable
from neurox_lite.ranking import METHODS
from neurox_lite.results.ranking import NeuronRanking

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Store, corpus and tag, as options."""
    folder = tmp_path_factory.mktemp("rank")
    with gzip.open(embedded_path("corpora/english-train.conllu.gz"), "rt") as file:
        sentences = file.read().split("\n\n")[:150]
    corpus = folder / "my.conllu"
    corpus.write_text("\n\n".join(sentences) + "\n\n")
    store = str(folder / "lstm.h5")
    model = str(embedded_path("models/lstm-0"))
    extract = ["--model", model, "--corpus", str(corpus), "--site", "lstm_cell", "--out", store]
    assert main(["extract", *extract]) == 0
    return ["--store", store, "--corpus", str(corpus), "--tag", "Number"]


WITHOUT_LABELS = [name for name, method in METHODS.items() if not method.needs_labels]


@pytest.mark.parametrize("method", [name for name in METHODS if name not in WITHOUT_LABELS])
def test_every_method_ranks(method: str, data: list[str], tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    few = ["--select", "5"] if method in ("gaussian", "matching-pursuit") else []
    assert main(["rank", method, *data, *few, "--out", str(out)]) == 0
    ranking = NeuronRanking.load(out)
    assert ranking.method == method
    assert ranking.space.n_neurons == 256


@pytest.mark.parametrize("method", WITHOUT_LABELS)
def test_methods_without_labels_take_none(
    method: str, data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "r.csv"
    assert main(["rank", method, *data[:2], "--out", str(out), "--layers", "1"]) == 0
    assert len(out.read_text().splitlines()) == 129
    assert main(["rank", method, *data, "--out", str(tmp_path / "s.csv")]) == 2
    assert "which needs no labels, takes no --corpus, --tag" in capsys.readouterr().err


def test_options_reach_the_method_and_only_it(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "r.json")
    for method, option, value, name, expected in [
        ("iou", "--quantile", "0.2", "quantile", 0.2),
        ("gaussian", "--select", "3", "n_neurons", 3),
        ("mutual-information", "--n-rows", "100", "n_rows", 101),  # rounded up for each class
        ("integrated-gradients", "--baseline", "zero", "baseline", "zero"),
    ]:
        assert main(["rank", method, *data, "--out", out, "--overwrite", option, value]) == 0
        assert NeuronRanking.load(out).parameters[name] == expected
        assert main(["rank", "probeless", *data, "--out", out, "--overwrite", option, value]) == 2
        assert f"'probeless' takes no {option}" in capsys.readouterr().err


def test_help_of_a_method_has_its_options_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", "iou", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--quantile" in shown and "--min-count" in shown
    assert "--select" not in shown and "--resamples" not in shown
    assert main(["rank", "random", "--help"]) == 0
    assert "--min-count" not in capsys.readouterr().out
    assert main(["rank", "--help"]) == 0
    assert "--select" in capsys.readouterr().out
    for method, default in (("integrated-gradients", 1000), ("mutual-information", 5000)):
        assert main(["rank", method, "--help"]) == 0
        assert f"--n-rows <int> Words to sample. [default: {default}]" in " ".join(
            capsys.readouterr().out.split()
        )


def test_labels_are_needed(data: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", "iou", *data[:2], "--out", "r.json"]) == 2
    assert "'iou' needs --corpus and --tag" in capsys.readouterr().err
    assert main(["rank", "all", *data[:2], "--out", "r"]) == 2
    assert "'all' needs --corpus and --tag" in capsys.readouterr().err


def test_all_writes_rankings_table_and_figures(
    data: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # None in this model; that it is asked of the ranked layers of the store, and shown.
    monkeypatch.setattr(negligible, "negligible_neurons", lambda X: [X.space.neurons([3])[0]])
    out = tmp_path / "all"
    options = ["--out", str(out), "--resamples", "1", "--methods", "probeless,iou,random"]
    assert main(["rank", "all", *data, *options, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    table = MethodTable.load(out / "methods.json")
    assert table.methods == ("probeless", "iou", "random")
    assert shown["negligible in their layer"] == ["0:3"]
    assert shown["iou"]["keep top"] == table.column("keep top")["iou"]
    assert sorted(path.name for path in (out / "rankings").iterdir()) == [
        "01-probeless.json",
        "02-iou.json",
        "03-random.json",
    ]
    for name in ("methods.png", "agreement.png", "agreement.json", "ablation.json"):
        assert (out / name).is_file()
    first, *_, last = (NeuronRanking.load(p) for p in sorted((out / "rankings").iterdir()))
    assert first.provenance["labels"]["tag"] == data[data.index("--tag") + 1]
    assert "labels" not in last.provenance  # random knows none
    assert main(["rank", "all", *data, *options]) == 2
    assert "exists already" in capsys.readouterr().err


def test_all_says_when_a_probe_did_not_converge(data: list[str], tmp_path: Path) -> None:
    options = ["--methods", "linguistic-correlation,random", "--resamples", "0"]
    penalties = ["--l1", "0", "--l2", "0"]
    assert main(["rank", "all", *data, "--out", str(tmp_path / "all"), *options, *penalties]) == 3
    assert (tmp_path / "all/methods.json").is_file()


def test_all_refuses_before_it_ranks(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, message in [
        (["--methods", "probeless,best"], "unknown method 'best'"),
        (["--methods", "iou,iou"], "a name occurs twice"),
        (["--resamples", "-1"], "--resamples"),
    ]:
        assert main(["rank", "all", *data, "--out", str(tmp_path / "all"), *options]) == 2
        assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "all").exists()


def test_gradients_are_of_the_layers_of_the_probe(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    probe, out = str(tmp_path / "probe"), str(tmp_path / "r.json")
    assert main(["probe", *data, "--layers", "1", "--out", probe]) == 0
    gradients = ["rank", "integrated-gradients", *data, "--probe", probe, "--out", out]
    assert main(gradients) == 0
    assert NeuronRanking.load(out).space.layers == (1,)
    assert main([*gradients, "--overwrite", "--layers", "0", "--l1", "0.7"]) == 2
    assert "a fitted --probe takes no --layers, --l1" in capsys.readouterr().err


def test_the_name_of_the_output_is_checked_first(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rank", "iou", *data[:2], "--out", str(tmp_path / "r.txt")]) == 2
    assert "saved as .json, .csv or .tex" in capsys.readouterr().err


def test_without_captum(
    data: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "captum", None)
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    out = str(tmp_path / "r.json")
    assert main(["rank", "integrated-gradients", *data, "--out", out]) == 2
    assert "pip install 'neurox-lite[captum]'" in capsys.readouterr().err
