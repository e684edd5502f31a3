"""`mask` and `ablate --model` on the embedded LSTM.

Also of ``neurox_lite.cli.pair_options``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.cli.main import main
from neurox_lite.embedded import embedded_path
from neurox_lite.interventions.pair_inputs import other_pairs
from neurox_lite.interventions.side_effects import SideEffects
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.results.ablation import AblationCurves

pytestmark = pytest.mark.heavy

MODEL = str(embedded_path("models/lstm-0"))
GPT2 = str(embedded_path("models/gpt2"))
PAIRS = str(embedded_path("corpora/number-pairs.tsv"))


def pairs_in(folder: Path) -> Path:
    """All pairs of three templates, and some of the others, for which side effects take long."""
    header, *lines = Path(PAIRS).read_text().splitlines(keepends=True)
    named = [line for line in lines if {"simple", "adv", "nounpp"} & set(line.split("\t"))]
    others = [line for line in lines if line not in named][::25]
    path = folder / "pairs.tsv"
    path.write_text("".join([header, *named, *others]))
    return path


@pytest.fixture(scope="module")
def mask(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mask") / "out"
    text = out.with_name("text.txt")
    text.write_text("The boy smiles .\n\nThe girls probably admire the king .\n")
    options = ["--condition", "singular", "--template", "simple,adv,nounpp", "--layers", "1"]
    options += ["--text", str(text)]
    pairs = str(pairs_in(out.parent))
    command = ["mask", "--model", MODEL, "--pairs", pairs, *options, "--positions", "last"]
    command += ["--seeds", "2", "--alpha", "1", "--steps", "150"]
    assert main([*command, "--out", str(out)]) in (0, 3)
    return out


def test_a_mask_its_ranking_and_what_it_does(mask: Path) -> None:
    found = json.loads((mask / "fit.json").read_text())
    assert found["size"] == len(found["neurons"]) >= 2
    assert found["effect"] >= 1 > found["effect without a mask"]
    assert found["examples trained on"] + found["examples held out"] == 200
    loaded = nx.NeuronMask.load(mask)
    assert [str(neuron) for neuron in loaded.neurons] == found["neurons"]
    ranking = nx.NeuronRanking.load(mask / "ranking.json")
    assert set(map(str, ranking.top(found["size"]))) == set(found["neurons"])
    seeds = json.loads((mask / "seeds.json").read_text())
    assert len(seeds["sizes by seed"]) == 2 and found["size"] == min(seeds["sizes by seed"])
    assert 0 <= seeds["overlap between seeds"] <= 1


def test_what_is_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """All measures but accuracies, and of other tasks those that change."""
    options = ["--template", "simple", "--condition", "singular", "--layers", "1", "--steps", "10"]
    out, pairs = str(tmp_path / "mask"), str(pairs_in(tmp_path))
    command = ["mask", "--model", MODEL, "--pairs", pairs, *options, "--out", out, "--json"]
    assert main(command) in (0, 3)
    shown = json.loads(capsys.readouterr().out)
    assert list(shown["KL with the mask"]) == ["elsewhere in the pairs"]
    found = SideEffects.load(tmp_path / "mask" / "side_effects.json").measures
    changed = {
        measure.data: round(measure.masked, 6)
        for measure in found
        if measure.metric == "choices changed" and measure.masked
    }
    assert shown["choices changed with the mask"] == changed
    assert not [name for name in shown if name.startswith(("accuracy", "perplexity"))]


def test_what_the_mask_turns_the_model_with_intervene_turns_too(mask: Path) -> None:
    """The saved mask does in a plain forward pass what the fit says."""
    loaded = nx.load_model(MODEL, head="language")
    pairs = [
        pair
        for pair in nx.read_pairs(PAIRS)
        if pair.template in ("simple", "adv", "nounpp") and pair.condition.startswith("singular")
    ]
    inputs = nx.interventions.encode_pairs(loaded, pairs)
    with nx.intervene(loaded, nx.NeuronMask.load(mask), positions="last"):
        logits = loaded.model(inputs.input_ids, inputs.attention_mask).logits
    rows = np.arange(len(pairs))
    wrong = (
        logits[rows, inputs.prediction_positions, inputs.wrong]
        - logits[rows, inputs.prediction_positions, inputs.right]
    )
    found = json.loads((mask / "fit.json").read_text())
    assert float(wrong.detach().mean()) == pytest.approx(found["effect"], abs=0.5)


def test_side_effects_are_beside_the_mask(mask: Path) -> None:
    """Those of the function, on the pairs of other templates and conditions, and on text."""
    found = SideEffects.load(mask / "side_effects.json")
    assert (mask / "side_effects.png").is_file()
    pairs = nx.read_pairs(mask.with_name("pairs.tsv"))
    chosen = [
        pair
        for pair in pairs
        if pair.template in ("simple", "adv", "nounpp") and pair.condition.startswith("singular")
    ]
    tasks = {measure.data for measure in found.measures if measure.metric == "accuracy"}
    names = {f"{pair.template} {pair.condition}" for pair in set(pairs) - set(chosen)}
    assert tasks == names and "simple plural" in tasks and "simple singular" not in tasks
    expected = nx.interventions.side_effects(
        nx.load_model(MODEL, head="language"),
        nx.NeuronMask.load(mask),
        pairs=chosen,
        positions="last",
        texts=["The boy smiles .", "The girls probably admire the king ."],
        tasks={"simple plural": [p for p in pairs if p.template == "simple" and p not in chosen]},
    )
    for measure in expected.measures:
        assert found.get(measure.metric, measure.data).masked == pytest.approx(
            measure.masked, rel=1e-4, abs=1e-6
        )
    # The choice is made at the last word, where the neurons are replaced; nothing is read after it.
    assert "elsewhere in the pairs" not in {measure.data for measure in found.measures}
    assert found.get("KL", "text").masked > 0


def test_other_pairs_are_those_the_model_can_choose_between(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And that have the word at which neurons are replaced."""
    caplog.set_level("INFO")
    loaded = nx.load_model(MODEL, head="language")
    every = nx.read_pairs(PAIRS)[::10]
    chosen = every[:3]
    unknown = replace(every[5], prefix=("The", "internationaliser"))
    assert other_pairs(loaded, every, chosen, "all") == every[3:]
    assert not caplog.messages
    assert other_pairs(loaded, [unknown, *every], chosen, "last") == every[3:]
    assert "1 of 158 other pairs left out" in caplog.messages[0]
    long = [pair for pair in every[3:] if len(pair.prefix) > 4]
    assert 0 < len(long) < len(every)
    assert other_pairs(loaded, every, chosen, 4) == long
    assert other_pairs(loaded, every, chosen, -5) == long


def test_a_mask_by_another_method(mask: Path, tmp_path: Path) -> None:
    """The top of a ranking, which is saved beside it, computed here or read from a file."""
    lines = Path(PAIRS).read_text().splitlines(keepends=True)
    pairs = tmp_path / "pairs.tsv"  # without those that side effects are slow on
    pairs.write_text("".join(lines[:1] + [line for line in lines if "\tsimple\t" in line]))
    few = ["--condition", "singular", "--layers", "1", "--positions", "last", "--alpha=1"]
    command = ["mask", "--model", MODEL, "--pairs", str(pairs), *few]
    methods = {
        "integrated-gradients": ["--target", "plural"],
        "activation-difference": ["--target", "plural"],
        "single-replacement": [],
        "random": [],
        str(mask / "ranking.json"): [],
    }
    for by, options in methods.items():
        out = tmp_path / Path(by).name
        # The ranking is that of the best of several; once is enough.
        seeds = ["--seeds", "2"] if by == "random" else ["--held-out", "0"]
        assert main([*command, "--method", by, *options, *seeds, "--out", str(out)]) == 0
        ranking = nx.NeuronRanking.load(out / "ranking.json")
        columns = nx.NeuronMask.load(out).columns
        assert set(columns.tolist()) == set(ranking.order[: len(columns)].tolist())
        assert ranking.method == ("differentiable-mask" if "/" in by else by)
    out = tmp_path / "reinforce"
    assert main([*command, "--method", "reinforce", "--steps", "40", "--out", str(out)]) in (0, 3)
    assert nx.NeuronMask.load(out).method == "reinforce"


def test_seeds_without_held_out_pairs(tmp_path: Path) -> None:
    """Also with a share of pairs to turn, and what is said of their template."""
    few = ["--condition", "singular", "--template", "simple", "--layers", "1", "--steps", "5"]
    pairs = str(pairs_in(tmp_path))
    command = ["mask", "--model", MODEL, "--pairs", pairs, *few, "--out", str(tmp_path / "out")]
    options = ["--seeds", "2", "--held-out", "0", "--success", "0.9"]
    assert main([*command, *options]) in (0, 3)
    seeds = json.loads((tmp_path / "out" / "seeds.json").read_text())
    assert seeds["held-out success by seed"] == [None, None]
    assert (
        seeds["success asked for"] == 0.9 and seeds["held-out effect, 95 % interval"] == [None] * 2
    )
    (template,) = MaskFit.load(tmp_path / "out").templates
    assert template.name == "simple singular" and template.holds == (template.success >= 0.9)
    assert template.success == pytest.approx(seeds["success"], abs=1e-6)


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also during side effects, the last that is measured."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    module = sys.modules[SideEffects.__module__]  # whose name its function has, too
    monkeypatch.setattr(module, "side_effects", interrupted)
    options = ["--template", "simple", "--condition", "singular", "--layers", "1", "--steps", "5"]
    command = ["mask", "--model", MODEL, "--pairs", PAIRS, *options, "--out", str(tmp_path / "o")]
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        raise SystemExit(main(command))
    assert not (tmp_path / "o").exists()


def test_the_range_is_of_the_pairs_that_can_be_read(tmp_path: Path) -> None:
    """A pair of another condition that the model does not know does not stop --bounds-from-data."""
    lines = Path(PAIRS).read_text().splitlines()[:41]
    odd = "\t".join(["The zzz", "watches", "watch", "", "simple", "other"])
    (tmp_path / "pairs.tsv").write_text("\n".join([*lines, odd]) + "\n")
    options = ["--pairs", str(tmp_path / "pairs.tsv"), "--condition", "singular", "--steps", "5"]
    out = ["--bounds-from-data", "--layers", "1", "--out", str(tmp_path / "o")]
    assert main(["mask", "--model", MODEL, *options, *out]) in (0, 3)


@pytest.mark.parametrize(
    "first_line",
    [
        "prefix,right,wrong,suffix,template,condition",
        "Prefix\tRight\tWrong",
        "# my pairs",
        "A b\tc",
    ],
)
def test_a_file_without_the_header_of_pairs(
    first_line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pairs.tsv").write_text(f"{first_line}\nThe boy\truns\trun\t\t\t\n")
    options = ["--pairs", str(tmp_path / "pairs.tsv"), "--out", str(tmp_path / "out")]
    assert main(["mask", "--model", MODEL, *options]) == 2
    message = "line 1: the header is not 'prefix right wrong suffix template condition'"
    assert message in capsys.readouterr().err


def test_texts_are_refused_before_the_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["mask", "--model", GPT2, "--pairs", PAIRS, "--template", "simple"]
    text = tmp_path / "text.txt"
    for content, message in (("\n \n", "no lines but blank ones"), ("The " * 80, "shorten it")):
        text.write_text(content)
        assert main([*command, "--text", str(text), "--out", str(tmp_path / "out")]) == 2
        assert message in capsys.readouterr().err
    assert main([*command, "--text", "nowhere.txt", "--out", str(tmp_path / "out")]) == 2
    assert "nowhere.txt: no such file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_ablation_in_the_model(
    mask: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ranking = ["ablate", "--ranking", str(mask / "ranking.json"), "--model", MODEL]
    few = ["--shares", "0.05,0.2", "--replacement", "mean", "--n-random", "2", "--json"]
    pairs = ["--pairs", PAIRS, "--template", "simple", "--condition", "singular"]
    capsys.readouterr()
    assert main([*ranking, *few, *pairs, "--out", str(tmp_path / "pairs")]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["log odds of the intact model"] > 4
    curves = AblationCurves.load(tmp_path / "pairs" / "ablation.json").curves
    assert curves[0].remove.top[0] < curves[0].remove.random_mean[0]
    text = tmp_path / "text.txt"
    text.write_text("The boy smiles .\n\nThe girls probably admire the king .\n")
    assert main([*ranking, *few, "--text", str(text), "--out", str(tmp_path / "text")]) == 0
    assert json.loads(capsys.readouterr().out)["perplexity of the intact model"] < 200
    assert (tmp_path / "text" / "ablation.png").is_file()
    command = [*ranking, *few, "--text", str(text), "--metric", "kl", "--out", str(tmp_path / "kl")]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["KL from intact of the intact model"] < 1e-5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pairs", "nowhere.tsv"], "nowhere.tsv"),
        (["--pairs", PAIRS, "--condition", "dual"], "the conditions are plural"),
        (["--pairs", PAIRS, "--template", "simple", "--layers", "7"], "no layer 7"),
        (["--pairs", PAIRS, "--template", "simple", "--objective", "x"], "unknown objective 'x'"),
        (["--pairs", PAIRS, "--template", "simple", "--positions", "x"], "unknown positions 'x'"),
        (["--pairs", PAIRS, "--template", "simple", "--site", "mlp"], "use another site"),
        (
            ["--pairs", PAIRS, "--method", "magic"],
            "--method magic: use differentiable-mask, reinforce",
        ),
        (["--pairs", PAIRS, "--template", "conjunction", "--success", "9"], "success is 9.0"),
        (["--pairs", PAIRS, "--method", "integrated-gradients"], "needs --target"),
        (["--pairs", PAIRS, "--method", "random", "--target", "plural"], "leave it out"),
        (["--pairs", PAIRS, "--method", "random", "--path"], "leave one of them out"),
        (["--pairs", PAIRS, "--method", "none.json"], "none.json"),
        (["--pairs", PAIRS, "--method", "random", "--steps", "9"], "--steps is of --method"),
    ],
)
def test_bad_input_writes_nothing(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["mask", "--model", MODEL, *options, "--out", str(out)]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", MODEL], "needs either --pairs or --text"),
        (["--model", MODEL, "--pairs", PAIRS, "--store", "x.h5"], "takes no --store"),
        (["--model", MODEL, "--pairs", PAIRS, "--metric", "kl"], "unknown metric 'kl'"),
        (["--pairs", PAIRS], "without --model, takes no --pairs"),
        ([], "give --store, --corpus and --tag, or --model"),
    ],
)
def test_ablate_says_what_it_needs(
    options: list[str], message: str, mask: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ranking = ["--ranking", str(mask / "ranking.json")]
    assert main(["ablate", *ranking, *options, "--out", str(tmp_path / "o")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_infeasible_exits_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody reads the last layer's state at the first word."""
    options = ["--template", "adv", "--condition", "singular", "--layers", "2", "--positions", "0"]
    where = ["--site", "hidden_states", "--steps", "10", "--json"]
    out, pairs = str(tmp_path / "mask"), str(pairs_in(tmp_path))
    command = ["mask", "--model", MODEL, "--pairs", pairs, *options, *where, "--out", out]
    assert main(command) == 3
    assert json.loads(capsys.readouterr().out)["status"] == "infeasible"
