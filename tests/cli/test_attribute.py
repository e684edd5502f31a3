"""`attribute` on the embedded models."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.attribution.comparison import compare_attributions
from neurox_lite.attribution.faithfulness import Faithfulness
from neurox_lite.attribution.kept_tokens import KeptTokens
from neurox_lite.cli.main import main
from neurox_lite.results.token_attributions import TokenAttributions

GPT2 = str(nx.embedded_path("models/gpt2"))
PAIRS = str(nx.embedded_path("corpora/number-pairs.tsv"))
CORPUS = str(nx.embedded_path("corpora/english-dev.conllu.gz"))


def attribute(out: Path, *options: str, model: str = GPT2) -> int:
    scope = ["all"] if options and options[0] == "all" else []
    return main(["attribute", *scope, "--model", model, "--out", str(out), *options[len(scope) :]])


def test_one_method_on_minimal_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    options = ["--pairs", PAIRS, "--template", "nounpp", "--limit", "6"]
    assert attribute(out, *options, "--method", "leave-one-out", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    found = TokenAttributions.load(out / "leave-one-out.json")
    explained = nx.attribution.ExplainedTexts.of_pairs(
        GPT2, [pair for pair in nx.read_pairs(PAIRS) if pair.template == "nounpp"][:6]
    )
    expected = nx.attribution.leave_one_out(explained)
    assert found.tokens == expected.tokens and found.said == expected.said
    for one, other in zip(found.values, expected.values, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    faith = Faithfulness.load(out / "faithfulness.json")
    assert shown["texts"] == faith.n_texts == 6
    rows = {name: row for name, row in shown.items() if isinstance(row, dict)}
    assert list(rows) == ["leave-one-out", "random order"]
    for row, mean in zip(rows.values(), faith.sufficiency, strict=True):
        assert row["sufficiency"] == pytest.approx(mean.value, abs=1e-6)
    assert (out / "leave-one-out.html").read_text().startswith("<!DOCTYPE html>")
    for name in ("leave-one-out.csv", "leave-one-out.png", "faithfulness.png", "comparison.csv"):
        assert (out / name).is_file()

    assert attribute(out, *options, "--method", "uniform") == 2
    assert "exists" in capsys.readouterr().err
    (out / "uniform.html").write_text("a thesis")
    assert attribute(out, *options, "--method", "uniform", "--overwrite") == 2
    assert "was not written by neurox_lite" in capsys.readouterr().err
    assert (out / "uniform.html").read_text() == "a thesis"


def test_all_methods_explain_a_neuron(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    options = ["--corpus", CORPUS, "--tag", "upos", "--limit", "4", "--neuron", "1:3", "--json"]
    methods = "uniform,random,gradient-times-input"
    assert attribute(out, "all", *options, "--methods", methods) == 0
    shown = json.loads(capsys.readouterr().out)
    assert all(shown[name]["seconds per text"] > 0 for name in methods.split(","))
    assert list(shown["random order"]) == ["comprehensiveness", "sufficiency"]
    rows = (out / "comparison.csv").read_text().splitlines()
    assert rows[0].startswith("method,seconds per text,comprehensiveness,")
    assert len(rows) == 5
    assert (out / "agreement.png").is_file()
    of_random = TokenAttributions.load(out / "random.json")
    for said, tokens in zip(of_random.said, of_random.tokens, strict=True):
        value, token = said.split(" std at ")
        assert float(value) > 0 and token in tokens
    assert attribute(tmp_path / "other", "all", "--method", "uniform", *options) == 2
    assert "'all' takes no --method" in capsys.readouterr().err


@pytest.mark.heavy
def test_gates_are_fitted_saved_and_used_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from neurox_lite.masking.token_mask import TokenMask

    out, again = tmp_path / "out", tmp_path / "again"
    options = ["--corpus", CORPUS, "--tag", "Number", "--limit", "12"]  # many words have none
    code = attribute(out, *options, "--n-steps", "3", "--json")
    shown = json.loads(capsys.readouterr().out)
    mask = TokenMask.load(out)
    assert code == 3 and not mask.holds
    found = TokenAttributions.load(out / "diffmask.json")
    assert shown["status"] == mask.status == found.status != "holds"
    assert found.states == ("embeddings", "block 0", "block 1", "block 2", "output")
    kept = KeptTokens.load(out / "kept-diffmask.json")
    assert kept.states == found.states and sorted(kept.labels) == ["Plur", "Sing"]

    assert attribute(again, *options, "--mask", str(out)) == code
    other = TokenAttributions.load(again / "diffmask.json")
    for one, two in zip(found.values, other.values, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)
    capsys.readouterr()
    assert attribute(tmp_path / "x", *options, "--mask", str(out), "--n-steps", "3") == 2
    assert "a fitted --mask takes no --n-steps" in capsys.readouterr().err
    lstm = str(nx.embedded_path("models/lstm-0"))
    assert attribute(tmp_path / "x", *options, "--mask", str(out), model=lstm) == 2
    assert "the mask is of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "uniform"], "give texts by one of --text, --pairs and --corpus"),
        (["--method", "unifrom", "--pairs", PAIRS], "did you mean 'uniform'|uniform"),
        (["--method", "uniform", "--pairs", PAIRS, "--state", "1"], "takes no --state"),
        (["--method", "uniform", "--pairs", PAIRS, "--mask", "m"], "takes no --mask"),
        (["--method", "uniform", "--pairs", PAIRS, "--tag", "upos"], "takes no --tag"),
        (["--method", "uniform", "--pairs", PAIRS, "--neuron", "1:3"], "neurons fire on texts"),
        (["--method", "uniform", "--text", "no.txt"], "no.txt"),
        (["--method", "uniform", "--text", CORPUS], "by its name conllu, not a text per line"),
        (["--method", "uniform", "--corpus", CORPUS, "--neuron", "9:9"], "9"),
        (["--method", "uniform", "--corpus", CORPUS, "--contexts", CORPUS], "contexts"),
        (["every", "--pairs", PAIRS], "'every': give all"),
        (["--pairs", PAIRS, "--contexts", PAIRS], "--pairs takes no --contexts"),
        (["--corpus", CORPUS, "--site", "mlp"], "a command without --neuron takes no --site"),
        (["--pairs", PAIRS, "--top", "3"], "a command without --ranking takes no --top"),
        (["--corpus", CORPUS, "--tag", "upso", "--n-steps", "100000"], "upso"),
    ],
)
def test_what_is_refused(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["attribute", *options, "--model", GPT2, "--out", str(tmp_path / "out")]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert any(part in error for part in message.split("|")) and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("contexts", "message"),
    [
        ("The man sings .\n\nThe man sings .\n", "contexts.txt: line 2 is blank"),
        ("The man sings .\n" * 3, "contexts.txt: 3 contexts for 2 questions"),
    ],
)
def test_a_context_stands_on_the_line_of_its_question(
    contexts: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "questions.txt").write_text("Who sings\nWho\n\n")
    (tmp_path / "contexts.txt").write_text(contexts)
    files = ["--text", str(tmp_path / "questions.txt")]
    files += ["--contexts", str(tmp_path / "contexts.txt")]
    out = tmp_path / "out"
    assert attribute(out, *files, "--method", "uniform", "--limit", "1") == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not out.exists()


def test_all_methods_that_take_an_option_are_given_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = ["--pairs", PAIRS, "--limit", "2", "--methods", "uniform,leave-one-out"]
    assert attribute(out, "all", *options, "--state", "1") == 0
    assert TokenAttributions.load(out / "leave-one-out.json").parameters == {"state": 1}
    capsys.readouterr()
    for given, message in {
        "--epsilon 1": "'uniform,leave-one-out' takes no --epsilon",
        "--state 9": "--state is 9; give one of 0 to 4",
    }.items():
        assert attribute(tmp_path / "other", "all", *options, *given.split()) == 2
        assert message in capsys.readouterr().err and not (tmp_path / "other").exists()
    # Of all methods those are left out that the model does not admit, not those of a wrong option.
    assert attribute(tmp_path / "other", "all", *options[:4], "--state", "9") == 2


def test_neurons_of_a_ranking_are_those_of_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "ranking.json")
    space = nx.neuron_space(GPT2, site="mlp")
    nx.ranking.random_ranking(space).save(path)
    options = ["--corpus", CORPUS, "--limit", "2", "--ranking", path, "--method", "uniform"]
    assert attribute(tmp_path / "out", *options, "--top", "2") == 0
    found = TokenAttributions.load(tmp_path / "out/uniform.json")
    assert found.provenance["explained"].endswith("at 'mlp'")
    bert = str(nx.embedded_path("models/bert"))
    assert attribute(tmp_path / "x", *options, model=bert) == 2
    error = capsys.readouterr().err
    assert "ranking.json was made from gpt2 (" in error and "give the same one" in error


def test_help_says_a_default_of_several_methods_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attribute", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "diffmask, diffmask-per-text, reinforce: log or count: what is least." in shown
    assert "for reinforce" not in shown


def test_what_a_model_does_not_admit_is_left_out_of_all() -> None:
    pairs = nx.read_pairs(PAIRS)[:3]
    lstm = nx.load_model(nx.embedded_path("models/lstm-0"), head="language")
    explained = nx.attribution.ExplainedTexts.of_pairs(lstm, pairs)
    with pytest.raises(nx.InputError, match="attention"):
        compare_attributions(explained, ["attention-rollout"])

    def first_token(explained):
        return [[1.0] + [0.0] * (len(tokens) - 1) for tokens in explained.inputs.tokens]

    doubtful = replace(nx.attribution.uniform(explained), method="mine", status="infeasible: x")
    assert compare_attributions(explained, [doubtful, "uniform"]).doubts == {
        "mine": "infeasible: x"
    }
    found = compare_attributions(explained, [first_token, "uniform"])
    assert not found.doubts
    assert [each.method for each in found.attributions] == ["first_token", "uniform"]
    assert found.table()[0][:2] == ["method", "seconds per text"]
    with pytest.raises(nx.InputError, match="methods"):
        compare_attributions(explained, [])
    # Before anything is fitted.
    with pytest.raises(nx.InputError, match="did you mean 'uniform'"):
        compare_attributions(explained, ["diffmask", "unifrom"])
    with pytest.raises(nx.InputError, match="'diffmask' is given twice"):
        compare_attributions(explained, ["diffmask", "diffmask"])
    with pytest.raises(nx.InputError, match="unknown method in options 'noise'"):
        compare_attributions(explained, ["diffmask"], options={"noise": {"n_steps": 2}})
    with pytest.raises(nx.InputError, match="options of 'diffmask'"):
        compare_attributions(explained, ["diffmask"], options={"diffmask": None})


def test_a_model_that_always_says_the_same_is_said(caplog: pytest.LogCaptureFixture) -> None:
    explained = nx.attribution.ExplainedTexts.of_texts(GPT2, ["The nurse sings ."] * 2)
    compare_attributions(explained, ["uniform"])
    assert "of all 2 texts" in caplog.text


def test_states_before_a_neuron_have_the_names_that_all_states_have() -> None:
    explained = nx.attribution.ExplainedTexts.of_neurons(GPT2, ["The nurse sings ."] * 4, "1:3")
    found = nx.attribution.diffmask(explained, n_steps=1)
    assert found.states == ("embeddings", "block 0", "block 1")
