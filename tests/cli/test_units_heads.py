"""`--units heads`: rank, compare, ablate, mask and steer over the heads of the embedded GPT-2.

Of ``neurox_lite.cli.unit_options``.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

import neurox_lite as nx
from neurox_lite.cli.main import main
from neurox_lite.interventions.steering_curves import SteeringCurves
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.own_files import is_ours
from neurox_lite.results.ablation import AblationCurves

pytestmark = pytest.mark.heavy

MODEL = str(nx.embedded_path("models/gpt2"))
HEADS = ["--units", "heads"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Store, corpus and tag, as options."""
    folder = tmp_path_factory.mktemp("heads")
    with gzip.open(nx.embedded_path("corpora/english-train.conllu.gz"), "rt") as file:
        sentences = file.read().split("\n\n")[:80]
    corpus, store = folder / "my.conllu", str(folder / "gpt2.h5")
    corpus.write_text("\n\n".join(sentences) + "\n\n")
    extract = ["--model", MODEL, "--corpus", str(corpus), "--site", "attention_heads"]
    assert main(["extract", *extract, "--out", store]) == 0
    return ["--store", store, "--corpus", str(corpus), "--tag", "Number"]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A few of all pairs of sentences."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.tsv"
    header, *lines = nx.embedded_path("corpora/number-pairs.tsv").read_text().splitlines()
    simple = [line for line in lines if "\tsimple\t" in line]
    others = [line for line in lines if line not in simple]
    path.write_text("\n".join([header, *simple[::5], *others[::50]]) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def ranking(data: list[str], tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("ranking") / "heads.json"
    assert main(["rank", "probeless", *data, *HEADS, "--out", str(out)]) == 0
    return str(out)


def test_a_store_says_how_many_heads_it_has(data: list[str], ranking: str) -> None:
    with nx.ActivationStore(data[1]) as store:
        heads = nx.neuron_space(MODEL, units="heads")
        assert store.metadata["n_heads"] == ",".join(map(str, heads.widths))
        assert store.heads() == heads == nx.NeuronRanking.load(ranking).space
        assert store.heads([-1]) == heads.select([-1])


def test_rank_and_ablate_count_heads(
    data: list[str], ranking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, options = str(tmp_path / "ablation"), ["--shares", "0.25", "--n-random", "1", "--json"]
    assert main(["ablate", "--ranking", ranking, *data, *options, "--out", out]) in (0, 3)
    curve = AblationCurves.load(tmp_path / "ablation/ablation.json").curves[0]
    n_heads = nx.NeuronRanking.load(ranking).space.n_neurons
    assert (curve.units, curve.n_neurons, curve.counts) == ("heads", n_heads, (n_heads // 4,))
    of_neurons = str(tmp_path / "neurons.json")
    assert main(["rank", "probeless", *data, "--out", of_neurons]) == 0
    again = ["ablate", "--ranking", of_neurons, *data, *HEADS, *options, "--overwrite"]
    assert main([*again, "--out", out]) in (0, 3)
    assert AblationCurves.load(tmp_path / "ablation/ablation.json").curves[0] == curve
    capsys.readouterr()
    assert main(["compare", ranking, of_neurons, "--out", str(tmp_path / "agreement")]) == 2
    assert "not of heads of attention_heads" in capsys.readouterr().err


def test_rank_all_compares_methods_over_heads(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    methods = "linguistic-correlation,probeless,matching-pursuit,random"
    options = ["--methods", methods, "--resamples", "1", *HEADS, "--json"]
    assert main(["rank", "all", *data, *options, "--out", str(tmp_path / "all")]) in (0, 3)
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert shown["heads"] == nx.neuron_space(MODEL, units="heads").n_neurons
    assert set(methods.split(",")) < set(shown)


def test_in_the_model_heads_are_removed_masked_and_steered(
    ranking: str, pairs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--model", MODEL, "--pairs", pairs, "--template", "simple"]
    n_heads = nx.NeuronRanking.load(ranking).space.n_neurons
    few = ["--shares", "0.25", "--n-random", "1"]
    out = ["--out", str(tmp_path / "lost")]
    assert main(["ablate", "--ranking", ranking, *given, *few, *out]) in (0, 3)
    curve = AblationCurves.load(tmp_path / "lost/ablation.json").curves[0]
    assert (curve.units, curve.counts) == ("heads", (n_heads // 4,))
    turned = ["--condition", "singular", "--target", "plural", "--counts", f"1,{n_heads}"]
    steer = ["steer", "--ranking", ranking, *given, *turned, "--n-random", "1"]
    assert main([*steer, "--out", str(tmp_path / "steered")]) in (0, 3)
    steered = SteeringCurves.load(tmp_path / "steered/steering.json").curves[0]
    assert (steered.units, steered.n_neurons) == ("heads", n_heads)
    AblationCurves((curve,)).save(tmp_path / "steered/ablation.csv")
    for name, head in {"ablation": ",share,heads,", "steering": "method,heads,count,"}.items():
        path = tmp_path / f"steered/{name}.csv"
        assert head in path.read_text().splitlines()[0] and is_ours(path)
    mask = ["mask", *given, "--condition", "singular", *HEADS, "--steps", "20", "--json"]
    capsys.readouterr()
    assert main([*mask, "--out", str(tmp_path / "mask")]) in (0, 3)
    shown = json.loads(capsys.readouterr().out)
    fit = MaskFit.load(tmp_path / "mask")
    assert fit.mask.counted.unit_name == "heads" and len(shown["heads"]) == fit.size


def test_rankings_of_neurons_are_steered_by_head(
    data: list[str], pairs: str, tmp_path: Path
) -> None:
    ranking = str(tmp_path / "r.json")
    assert main(["rank", "variance", *data[:2], "--out", ranking]) == 0
    given = ["--model", MODEL, "--pairs", pairs, "--template", "simple", *HEADS]
    given += ["--condition", "singular", "--target", "plural", "--counts", "1", "--n-random", "1"]
    assert main(["steer", "--ranking", ranking, *given, "--out", str(tmp_path / "out")]) in (0, 3)
    curve = SteeringCurves.load(tmp_path / "out/steering.json").curves[0]
    assert curve.units == "heads"


def test_what_does_not_fit_is_refused(
    data: list[str], ranking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def error(*command: str) -> str:
        capsys.readouterr()
        assert main([*command, "--out", str(tmp_path / "x.json")]) == 2
        return capsys.readouterr().err

    assert "unknown units 'head'" in error("rank", "iou", *data, "--units", "head")
    assert "--heads is of --units heads" in error("rank", "iou", *data, "--heads", "4")
    assert "not 7 heads of one size" in error("rank", "iou", *data, *HEADS, "--heads", "7")
    text = tmp_path / "text.txt"
    text.write_text("The boy smiles .\n")
    explained = ["--model", MODEL, "--text", str(text), "--ranking", ranking]
    assert "ranks heads" in error("attribute", "--method", "random", *explained)
    assert "is of heads, where neurons are needed" in error(
        "describe", *data[:4], "--ranking", ranking, "-k", "1"
    )


def test_a_store_that_does_not_say_it_is_told_the_number(
    data: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neurox_lite.models.sites.count_heads", lambda *_: None)
    old = str(tmp_path / "old.h5")
    extract = ["extract", "--model", MODEL, "--corpus", data[3], "--site", "attention_heads"]
    assert main([*extract, "--out", old]) == 0
    with nx.ActivationStore(old) as store:
        with pytest.raises(nx.InputError, match="does not say how many heads"):
            store.heads()
        store.metadata["n_heads"] = "4,x"
        with pytest.raises(nx.InputError, match="is not a number for each layer"):
            store.heads()
    with pytest.raises(nx.InputError, match="does not tell how many heads layer 0 has"):
        nx.neuron_space(MODEL, units="heads")
    options = ["--store", old, *data[2:], *HEADS, "--out", str(tmp_path / "r.json")]
    assert main(["rank", "iou", *options, "--heads", "2"]) == 0
    assert nx.NeuronRanking.load(tmp_path / "r.json").space.widths == (2, 2, 2)


def test_a_job_ranks_and_ablates_heads(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results"
    run = ["run", "--model", MODEL, "--corpus", data[3], "--tag", "Number", "--out", str(out)]
    assert main([*run, *HEADS]) == 2
    assert "units: heads are of the site attention_heads" in capsys.readouterr().err
    assert main([*run, *HEADS, "--site", "attention_heads"]) in (0, 3)
    ranking = nx.NeuronRanking.load(out / "ranking.json")
    assert ranking.space == nx.neuron_space(MODEL, units="heads")
    curves = AblationCurves.load(out / "ablation.json").curves
    assert {curve.units for curve in curves} == {"heads"}
    assert "## Which heads?" in (out / "summary.md").read_text()
