"""The commands as a user types them: what they print, write and return.

Also of ``neurox_lite.cli.ablate``, ``neurox_lite.cli.demo``, ``neurox_lite.cli.extract``,
``neurox_lite.cli.inspect``, ``neurox_lite.cli.options``, ``neurox_lite.cli.probe``,
``neurox_lite.version``.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from neurox_lite.activations.labelled_splits import labelled_splits
from neurox_lite.activations.store import ActivationStore
from neurox_lite.cli.main import main
from neurox_lite.corpora.conllu import read_conllu
from neurox_lite.corpora.reading import read_splits
from neurox_lite.corpora.splits import SPLITS
from neurox_lite.embedded import embedded_path
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.probing.search import RegularisationSearch

pytestmark = pytest.mark.heavy

COMMANDS = ["extract", "inspect", "convert", "probe", "rank", "ablate", "run", "demo"]


def sentences(split: str, start: int, stop: int) -> str:
    with gzip.open(embedded_path(f"corpora/english-{split}.conllu.gz"), "rt") as file:
        return "\n\n".join(file.read().split("\n\n")[start:stop]) + "\n\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus file and its store."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "my.conllu").write_text(sentences("train", 0, 150))
    model = str(embedded_path("models/lstm-0"))
    corpus, store = str(folder / "my.conllu"), str(folder / "lstm.h5")
    assert main(["extract", "--model", model, "--corpus", corpus, "--out", store]) == 0
    return folder


def source(folder: Path) -> list[str]:
    return ["--store", str(folder / "lstm.h5"), "--corpus", str(folder / "my.conllu")]


def labelled(folder: Path) -> list[str]:
    return [*source(folder), "--tag", "Number"]


@pytest.fixture(scope="module")
def probe(folder: Path) -> str:
    out = str(folder / "probe")
    assert main(["probe", *labelled(folder), "--out", out, "--l1", "0.01", "--control"]) == 0
    return out


@pytest.fixture(scope="module")
def ranking(folder: Path, probe: str) -> str:
    out = str(folder / "ranking.json")
    arguments = ["--store", str(folder / "lstm.h5"), "--probe", probe, "--out", out]
    assert main(["rank", "linguistic-correlation", *arguments]) == 0
    return out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Example: neurox-lite {command}" in " ".join(capsys.readouterr().out.split())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "0.1.0\n"


def test_inspect_prints_one_json_object(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(folder / "lstm.h5"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["sentences"], shown["layers"]) == (150, [0, 1, 2])


def test_probe_writes_what_it_prints(folder: Path, probe: str) -> None:
    written = {p.name for p in Path(probe).iterdir()}
    assert written == {
        "probe.safetensors", "probe.json", "evaluation.json", "control.json", "control.png",
    }  # fmt: skip


def test_ablate_compares_rankings(
    folder: Path, probe: str, ranking: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = str(folder / "random.json")
    store = ["--store", str(folder / "lstm.h5")]
    assert main(["rank", "random", *store, "--out", other, "--seed", "3"]) == 0
    capsys.readouterr()
    out = folder / "ablation"
    rankings = ["--ranking", ranking, "--ranking", other]
    options = ["--probe", probe, "--shares", "0.02,0.2", "--no-retrain", "--json"]
    assert main(["ablate", *rankings, *labelled(folder), "--out", str(out), *options]) == 0
    areas = json.loads(capsys.readouterr().out)["accuracy of top above random"]
    assert areas["linguistic-correlation (frozen)"] > areas["random (frozen)"]
    assert {p.name for p in out.iterdir()} == {"ablation.json", "ablation.png"}


def test_rank_fits_a_probe_when_none_is_given(folder: Path, ranking: str) -> None:
    out = folder / "fitted.json"
    options = ["--l1", "0.01", "--out", str(out)]
    assert main(["rank", "linguistic-correlation", *labelled(folder), *options]) == 0
    first, second = json.loads(out.read_text()), json.loads(Path(ranking).read_text())
    assert first["order"] == second["order"]


def test_words_are_chosen_alike_by_all_commands(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "words.txt").write_text("\n".join(read_conllu(folder / "my.conllu").words()))
    words = ["--words", "[a-z]+", "--words-from", str(tmp_path / "words.txt")]
    words += ["--min-frequency", "2", "--max-frequency", "10", "--disjoint", "sentences"]
    probe, ranking = str(tmp_path / "probe"), str(tmp_path / "ranking.json")
    capsys.readouterr()
    assert main(["probe", *labelled(folder), *words, "--out", probe, "--l1", "0.01", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)

    corpus = read_splits(str(folder / "my.conllu"))
    in_train = Counter(corpus.words()[row] for row in corpus.rows("train"))
    for split in SPLITS:
        chosen = [
            (word, label)
            for row in corpus.rows(split)
            for word, label in [(corpus.words()[row], corpus.labels("Number")[row])]
            if label and re.fullmatch("[a-z]+", word) and 2 <= in_train[word] <= 10
        ]
        assert shown[f"n_{split}"] == len(chosen)

    fit = [*labelled(folder), *words, "--l1", "0.01", "--out", ranking]
    assert main(["rank", "linguistic-correlation", *fit]) == 0
    given = ["--ranking", ranking, "--probe", probe, "--out", str(tmp_path / "a"), "--no-retrain"]
    assert main(["ablate", *given, *labelled(folder), *words]) == 0
    other = [*given, *labelled(folder), "--words", "[a-z]+", "--overwrite"]
    assert "fitted on other words or labels" in bad(["ablate", *other], capsys)


def test_splits_without_common_word_types(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "probe",
        *labelled(folder),
        "--out",
        str(tmp_path / "p"),
        "--l1",
        "0.01",
        "--json",
    ]
    capsys.readouterr()
    assert main([*arguments, "--disjoint", "types", "--seed", "1"]) == 0
    fewer = json.loads(capsys.readouterr().out)
    assert main([*arguments, "--overwrite", "--seed", "1"]) == 0
    assert 0 < fewer["n_test"] < json.loads(capsys.readouterr().out)["n_test"]


def test_sentences_of_a_pooled_store_are_chosen_by_their_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verbs = {"walked": "past", "sleeps": "present"}
    made = [f"the dog {verb} number {i}" for i in range(40) for verb in verbs]
    blocks = ["\n".join(f"{w} {verbs[s.split()[2]]}" for w in s.split()) for s in made]
    (tmp_path / "tense.columns").write_text("\n\n".join(blocks) + "\n")
    store, corpus = str(tmp_path / "s.h5"), ["--corpus", str(tmp_path / "tense.columns")]
    model = ["--model", str(embedded_path("models/lstm-0")), "--pooling", "mean"]
    assert main(["extract", *model, *corpus, "--out", store]) == 0
    capsys.readouterr()
    words = ["--words", ".* [12]?[0-9]", "--out", str(tmp_path / "probe"), "--json"]
    assert main(["probe", "--store", store, *corpus, "--tag", "column2", *words]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["n_train"] + shown["n_dev"] + shown["n_test"] == 60  # numbers 0 to 29, two verbs


def test_balanced_classes_are_the_same_as_given_weights(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "p"
    arguments = ["probe", *labelled(folder), "--out", str(out), "--class-weight", "balanced"]
    assert main([*arguments, "--l1", "0.01"]) == 0
    fitted = ElasticNetProbe.load(out)
    assert fitted.class_weight == "balanced"
    corpus = read_splits(str(folder / "my.conllu"))
    labels = [label for label in corpus.labels("Number")[corpus.rows("train")] if label]
    plural, singular = labels.count("Plur"), labels.count("Sing")
    assert plural != singular
    weights = {"Plur": len(labels) / 2 / plural, "Sing": len(labels) / 2 / singular}
    with ActivationStore(folder / "lstm.h5") as store:
        train = labelled_splits(store, corpus, "Number").train
        again = ElasticNetProbe(0.01, class_weight=weights).fit(train.X, train.y)
    np.testing.assert_allclose(fitted.coef_, again.coef_, atol=1e-6)


def ready(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict:
    """What a command that must succeed prints as JSON."""
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_numbers_are_predicted_ranked_and_ablated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [f"the dog {'sees the dog ' * (i % 3)}sleeps number {i}" for i in range(80)]
    (tmp_path / "my.txt").write_text("\n".join(made) + "\n")
    corpus = ["--corpus", str(tmp_path / "my.txt"), "--format", "text"]
    store, probe, ranking = (str(tmp_path / name) for name in ("s.h5", "probe", "r.json"))
    # The place of a word is part of the embedding output of this model.
    model = ["--model", str(embedded_path("models/bert")), "--layers", "0"]
    assert main(["extract", *model, *corpus, "--out", store]) == 0
    data = ["--store", store, *corpus, "--tag", "position"]
    shown = ready(["probe", *data, "--regression", "--out", probe, "--l1", "0.01"], capsys)
    assert shown["test_r2"] > 0.9
    assert shown["n_train"] + shown["n_dev"] + shown["n_test"] == sum(len(s.split()) for s in made)
    assert "per_class" not in shown
    assert {p.name for p in Path(probe).iterdir()} == {
        "probe.safetensors",
        "probe.json",
        "evaluation.json",
    }
    rank = ["rank", "linguistic-correlation", "--store", store, "--probe", probe]
    assert main([*rank, "--out", ranking]) == 0
    ablate = ["ablate", "--ranking", ranking, *data, "--probe", probe, "--shares", "0.2"]
    shown = ready([*ablate, "--out", str(tmp_path / "a")], capsys)
    areas = shown["R2 of top above random"]
    assert areas["linguistic-correlation (frozen)"] > 0
    assert areas["linguistic-correlation (retrained)"] > 0
    assert "takes no --label" in bad([*ablate, "--out", "b", "--label", "3"], capsys)


def test_one_label_is_told_from_all_others_by_every_command(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    probe, ranking = str(tmp_path / "probe"), str(tmp_path / "r.json")
    noun = [*source(folder), "--tag", "upos", "--label", "NOUN"]
    shown = ready(["probe", *noun, "--out", probe, "--l1", "0.01"], capsys)
    corpus = read_splits(str(folder / "my.conllu"))
    labels = corpus.labels("upos")
    assert shown["n_test"] == len(corpus.rows("test"))
    assert shown["left_out"] == {}
    rest = np.mean(labels[corpus.rows("test")] != "NOUN")
    assert shown["majority_accuracy"] == pytest.approx(rest)
    assert ElasticNetProbe.load(probe).classes_.tolist() == ["NOUN", "not NOUN"]
    fit = ["rank", "linguistic-correlation", *noun, "--l1", "0.01", "--out", ranking]
    assert main(fit) == 0
    assert json.loads(Path(ranking).read_text())["classes"] == ["NOUN", "not NOUN"]
    ablate = ["ablate", "--ranking", ranking, "--probe", probe, "--no-retrain"]
    assert main([*ablate, *noun, "--out", str(tmp_path / "a")]) == 0
    verb = [*source(folder), "--tag", "upos", "--label", "VERB", "--out", str(tmp_path / "b")]
    assert "fitted on other words or labels" in bad([*ablate, *verb], capsys)


def test_every_label_against_the_rest(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Labels that are no names of folders, and one too rare, beside probes fitted one by one."""
    names = {"NOUN": "a/b", "PUNCT": ".", "VERB": "verb"}
    lines = []
    for line in (folder / "my.conllu").read_text().splitlines():
        cells = line.split("\t")
        if len(cells) == 10 and cells[0].isdigit():
            cells[3] = names.get(cells[3], "other")
        lines.append("\t".join(cells))
    at = next(i for i, line in enumerate(lines) if "\tother\t" in line)
    lines[at] = lines[at].replace("\tother\t", "\trare\t")
    (tmp_path / "my.conllu").write_text("\n".join(lines) + "\n")
    data = ["--store", str(folder / "lstm.h5"), "--corpus", str(tmp_path / "my.conllu")]
    data += ["--tag", "upos", "--min-count", "2"]
    out = tmp_path / "probes"
    every = ["probe", *data, "--one-vs-rest", "--out", str(out), "--l1", "0.01"]
    shown = ready([*every, "--table-format", "csv"], capsys)
    index = json.loads((out / "one_vs_rest.json").read_text())
    assert list(index) == [".", "a/b", "other", "verb"]
    table = (out / "one_vs_rest.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in table[1:]] == [[k, v["folder"]] for k, v in index.items()]
    assert table[0].startswith("label,folder,test_accuracy,majority_accuracy,")
    assert shown["left_out"] == {"rare": 1}
    assert shown["not_converged"] == []
    told = json.loads((out / "evaluation.json").read_text())
    assert told["provenance"]["labels"] == {"tag": "upos", "corpus": ["my.conllu"], "min_count": 2}
    assert told["test_accuracy"] == shown["test_accuracy"]
    assert "exists already" in bad(every, capsys)

    ranking = str(tmp_path / "r.json")
    rank = ["rank", "linguistic-correlation", "--store", data[1], "--out", ranking]
    assert "give the folder of one, see one_vs_rest.json" in bad(
        [*rank, "--probe", str(out)], capsys
    )
    for label in (".", "a/b", "verb"):
        found = str(out / index[label]["folder"])
        alone = ["probe", *data, "--label", label, "--out", str(tmp_path / "one"), "--overwrite"]
        one = ready([*alone, "--l1", "0.01"], capsys)
        assert one["left_out"] == {"rare": 1}
        assert index[label]["test_accuracy"] == shown["test_accuracy"][label]
        assert index[label]["test_accuracy"] == pytest.approx(one["test_accuracy"], abs=0.01)
        assert index[label]["majority_accuracy"] == pytest.approx(one["majority_accuracy"])
        assert index[label]["certificate"] <= 1e-4
        assert main([*rank, "--probe", found, "--overwrite"]) == 0
        ablate = ["ablate", "--ranking", ranking, "--probe", found, *data, "--no-retrain"]
        arguments = [*ablate, "--shares", "0.1", "--out", str(tmp_path / "a"), "--overwrite"]
        assert main([*arguments, "--label", label]) == 0
        assert "other words or labels" in bad([*arguments, "--label", "other"], capsys)

    with_rare = ["probe", *data[:-2], "--label", "verb", "--out", str(tmp_path / "with rare")]
    more = ready([*with_rare, "--l1", "0.01"], capsys)
    splits = ("n_train", "n_dev", "n_test")
    assert sum(more[name] for name in splits) == sum(one[name] for name in splits) + 1

    assert main([*every, "--overwrite", "--max-iter", "2"]) == 3
    assert main(["probe", *data, "--out", str(out), "--l1", "0.01", "--overwrite"]) == 0
    files = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    assert files == {"probe.safetensors", "probe.json", "evaluation.json"}


def test_penalties_are_searched_on_dev(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "probe"
    arguments = ["probe", *labelled(folder), "--search", "--out", str(out)]
    shown = ready([*arguments, "--l1s", "1e-2,0.3", "--l2s", "1e-2"], capsys)
    searched = RegularisationSearch.load(out / "search.json")
    assert (searched.l1s, searched.l2s) == ((0.01, 0.3), (0.01,))
    assert (shown["best_l1"], shown["best_l2"]) == searched.best == (0.01, 0.01)
    assert shown["score"] == searched.best_score
    assert shown["at_edge_of_grid"] == ["smallest l1"]
    assert ElasticNetProbe.load(out).l1 == 0.01
    assert (out / "search.png").is_file()
    few = ["--overwrite", "--for-top", "3", "--l1s", "1e-2,0.3", "--l2s", "1e-2"]
    ready([*arguments, *few], capsys)
    assert RegularisationSearch.load(out / "search.json").n_neurons == 3
    fast = ["--overwrite", "--l1s", "1e-4", "--l2s", "1e-4", "--max-iter", "3"]
    assert main([*arguments, *fast]) == 3


def test_control_tasks_are_repeated(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["probe", *labelled(folder), "--out", str(tmp_path / "p"), "--l1", "0.01"]
    shown = ready([*arguments, "--control", "--n-control", "3"], capsys)
    assert len(shown["control_accuracies"]) == 3
    assert shown["control_accuracy"] == pytest.approx(np.mean(shown["control_accuracies"]))


def test_run_from_a_job_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = {
        "model": str(embedded_path("models/lstm-0")),
        "corpus": str(folder / "my.conllu"),
        "tag": "Number",
        "out": str(folder / "results"),
        "probe": {"l1": 0.01, "tol": 1e-3},
        "ablate": {"retrain": False},
    }
    (folder / "job.yaml").write_text(yaml.safe_dump(job))
    assert main(["run", str(folder / "job.yaml"), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert Path(first["summary"]).read_text().startswith("# Number: which neurons of ")
    assert "Number in " in Path(first["open first"]).read_text()
    assert list(first)[-1] == "open first"
    assert main(["run", str(folder / "job.yaml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ran"] == []


def test_run_from_options(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, corpus = str(embedded_path("models/lstm-0")), str(folder / "my.conllu")
    options = ["--model", model, "--corpus", corpus, "--tag", "Number"]
    out = tmp_path / "results"
    assert main(["run", *options, "--out", str(out)]) == 0
    assert (out / "summary.md").is_file()
    capsys.readouterr()
    assert main(["run", str(out / "job.yaml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ran"] == []
    assert "takes no other options" in bad(["run", str(out / "job.yaml"), *options], capsys)
    assert "no --out; give a job file, or --model" in bad(["run", *options], capsys)


def test_a_probe_that_has_not_converged_exits_with_3(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--max-iter", "3", "--out", str(tmp_path / "probe")]
    assert main(["probe", *labelled(folder), *options]) == 3
    assert "neurox-lite: warning: the probe did not converge" in capsys.readouterr().err


def test_match_labels_plain_text(folder: Path, tmp_path: Path) -> None:
    lines = [f"the dog {verb} number {i}" for i, verb in enumerate(["walked", "sleeps"] * 60)]
    text = tmp_path / "text.txt"
    text.write_text("\n".join(lines))
    store = str(tmp_path / "s.h5")
    corpus = ["--corpus", str(text), "--format", "text"]
    model = str(embedded_path("models/lstm-0"))
    assert main(["extract", "--model", model, *corpus, "--out", store]) == 0
    match = ["--match", ".*ed", "--tag", "match", "--out", str(tmp_path / "probe")]
    assert main(["probe", "--store", store, *corpus, *match]) == 0


def bad(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The error line of a command that must exit with 2."""
    capsys.readouterr()
    assert main(arguments) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    errors = [line for line in lines if line.startswith("neurox-lite: error: ")]
    assert len(errors) == 1
    return errors[0]


def test_existing_outputs_are_kept(
    folder: Path, probe: str, ranking: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model, corpus = str(embedded_path("models/lstm-0")), str(folder / "my.conllu")
    store = folder / "lstm.h5"
    before = store.read_bytes()
    arguments = ["extract", "--model", model, "--corpus", corpus, "--out", str(store)]
    assert "exists already" in bad([*arguments, "--aggregation", "first"], capsys)
    assert main(arguments) == 0  # the same job, which is done
    assert store.read_bytes() == before
    assert "exists already" in bad(["probe", *labelled(folder), "--out", probe], capsys)
    random = ["rank", "random", "--store", str(store), "--out", ranking]
    assert "exists already" in bad(random, capsys)


def test_store_of_another_corpus(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.conllu"
    other.write_text(sentences("train", 150, 300))
    arguments = ["--store", str(folder / "lstm.h5"), "--corpus", str(other), "--tag", "Number"]
    out = tmp_path / "probe"
    message = bad(["probe", *arguments, "--out", str(out)], capsys)
    assert "lstm.h5" in message
    assert "made from another corpus than" in message
    assert not out.exists()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("a b\na b c", "x y\nx y"), ["line 2", "3 words", "2 labels"]),
        (("a b", "x y\nx"), ["has 1 lines", "has 2;"]),
    ],
)
def test_words_and_labels_that_differ(
    lines: tuple[str, str],
    says: list[str],
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words, labels = tmp_path / "words.txt", tmp_path / "labels.txt"
    words.write_text(lines[0] + "\n")
    labels.write_text(lines[1] + "\n")
    model, out = str(embedded_path("models/lstm-0")), tmp_path / "s.h5"
    files = ["--corpus", str(words), "--labels", str(labels)]
    message = bad(["extract", "--model", model, *files, "--out", str(out)], capsys)
    assert "words.txt" in message
    assert "labels.txt" in message
    assert all(part in message for part in says), message
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tag", "Case"], "no labels called 'Case'; this corpus has: "),
        (["--tag", "Number", "--layers", "7"], "no layer 7; the layers are 0, 1, 2"),
        (["--tag", "Number", "--layers", "a"], "whole numbers"),
        (["--tag", "Number", "--l1=-1"], "give finite penalties"),
        (["--tag", "Number", "--l1", "nan"], "give finite penalties"),
        (["--tag", "Number", "--tol", "nan"], "give a tolerance above 0"),
        (["--tag", "Number", "--max-iter", "0"], "--max-iter=0"),
        (["--tag", "Number", "--min-count", "0"], "--min-count is 0"),
        (["--tag", "Number", "--words", "("], "'(' is not a regular expression"),
        (["--tag", "Number", "--words", "qqq"], "my.conllu: no word passes the word filter"),
        (["--tag", "Number", "--words-from", "no.txt"], "no.txt: no such file"),
        (["--tag", "Number", "--min-frequency", "-1"], "--min-frequency is -1"),
        (["--tag", "Number", "--disjoint", "words"], "give sentences or types"),
        (["--tag", "Number", "--class-weight", "even"], "give 'balanced'"),
        (["--tag", "Number", "--corpus", "x"], "give one file, or train=FILE"),
        (["--tag", "Number", "--regression"], "label 'Plur' of 'Number' is not a finite number"),
        (["--tag", "position", "--regression", "--control"], "no classes, takes no --control"),
        (
            ["--tag", "position", "--regression", "--class-weight", "balanced", "--min-count", "2"],
            "takes no --min-count, --class-weight",
        ),
        (["--tag", "Number", "--label", "Dual"], "no label 'Dual' in 'Number'; it has: Plur, Sing"),
        (["--tag", "Number", "--label", "Plur", "--one-vs-rest"], "--one-vs-rest takes no --label"),
        (["--tag", "Number", "--search", "--l1", "0.001"], "chooses the penalties, takes no --l1;"),
        (["--tag", "Number", "--search", "--l2s", "1,b"], "numbers separated by commas"),
        (["--tag", "Number", "--l1s", "1e-3"], "a probe without --search takes no --l1s"),
        (["--tag", "Number", "--for-top", "9"], "a probe without --search takes no --for-top"),
        (["--tag", "Number", "--n-control", "2"], "a probe without --control takes no --n-control"),
    ],
)
def test_bad_probe_options(
    options: list[str],
    says: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "probe"
    assert says in bad(["probe", *source(folder), *options, "--out", str(out)], capsys)
    assert not out.exists()


def test_empty_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.conllu"
    empty.write_text("")
    model = str(embedded_path("models/lstm-0"))
    arguments = ["--model", model, "--corpus", str(empty), "--out", str(tmp_path / "s.h5")]
    assert "empty.conllu: no sentences" in bad(["extract", *arguments], capsys)


def conllu(*lines: str) -> str:
    """Sentences of word/TAG pairs as CoNLL-U."""
    blocks = []
    for line in lines:
        rows = [pair.rsplit("/", 1) for pair in line.split()]
        cells = [f"{i}\t{w}\t_\t{t}" + "\t_" * 6 for i, (w, t) in enumerate(rows, start=1)]
        blocks.append("\n".join(cells) + "\n\n")
    return "".join(blocks)


def write_splits(folder: Path, **splits: str) -> list[str]:
    """One CoNLL-U file per split, as options of a command."""
    options = []
    for split, text in splits.items():
        (folder / f"{split}.conllu").write_text(text)
        options += ["--corpus", f"{split}={folder / split}.conllu"]
    return options


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"train": "oh/INTJ"}, "class 'INTJ' of 'upos' occurs once in train"),
        ({"dev": "oh/INTJ"}, "class 'INTJ' of 'upos' occurs never in train"),
    ],
)
def test_classes_that_cannot_be_learnt(
    extra: dict[str, str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = "the/DET dog/NOUN sleeps/VERB"
    splits = {s: conllu(sentence, sentence, *extra.get(s, "").split()) for s in SPLITS}
    corpus = write_splits(tmp_path, **splits)
    store, out = str(tmp_path / "s.h5"), tmp_path / "probe"
    model = str(embedded_path("models/lstm-0"))
    assert main(["extract", "--model", model, *corpus, "--out", store]) == 0
    arguments = ["probe", "--store", store, *corpus, "--tag", "upos", "--out", str(out)]
    message = bad(arguments, capsys)
    assert says in message
    assert "--min-count 2" in message
    assert not out.exists()
    assert main([*arguments, "--min-count", "2"]) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("the dog sleeps\n" + "the dog " * 40 + "sleeps\n", "longer than the 64 subwords"),
        ("the dog sleeps\nthe \u200b dog\n", "the tokenizer drops 1 words"),
    ],
)
def test_words_without_activations(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus, out, model = tmp_path / "text.txt", tmp_path / "s.h5", tmp_path / "bert"
    corpus.write_text(text)
    shutil.copytree(embedded_path("models/bert"), model)
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    tokenizer["normalizer"] = {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": False,
    }
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    arguments = ["extract", "--model", str(model), "--format", "text", "--corpus", str(corpus)]
    arguments += ["--out", str(out), "--json"]
    message = bad(arguments, capsys)
    assert says in message
    assert "sentence 2" in message
    assert "--allow-missing" in message
    assert not list(tmp_path.glob("*s.h5*"))
    assert main([*arguments, "--allow-missing"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["truncated words"] + shown["dropped words"] > 0


def test_nan_in_activations(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "broken.h5"
    shutil.copy(folder / "lstm.h5", store)
    with h5py.File(store, "r+") as file:
        file["layers/1"][:, 7] = float("nan")
    corpus = ["--corpus", str(folder / "my.conllu"), "--tag", "Number"]
    out = tmp_path / "probe"
    message = bad(["probe", "--store", str(store), *corpus, "--out", str(out)], capsys)
    assert "activation of neuron 1:7 in row " in message
    assert "broken.h5 is NaN" in message
    assert not out.exists()


def test_missing_model(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--corpus", str(folder / "my.conllu"), "--out", str(tmp_path / "s.h5")]
    message = bad(["extract", "--model", str(tmp_path), *arguments], capsys)
    assert "no config.json there" in message
    message = bad(["extract", "--model", str(folder / "my.conllu"), *arguments], capsys)
    assert "my.conllu: is a file; give the folder of a model" in message


def test_unknown_ranking_method(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ["--store", str(folder / "lstm.h5"), "--out", str(tmp_path / "r.json")]
    assert "unknown method 'best'" in bad(["rank", "best", *arguments], capsys)


def test_a_split_given_twice(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = str(folder / "my.conllu")
    corpus = [v for s in ("train", "train", "dev", "test") for v in ("--corpus", f"{s}={file}")]
    arguments = [
        "--store",
        str(folder / "lstm.h5"),
        "--tag",
        "Number",
        "--out",
        str(tmp_path / "p"),
    ]
    assert "given twice" in bad(["probe", *corpus, *arguments], capsys)


def test_a_file_where_a_folder_is_needed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "my.conllu"
    before = file.read_bytes()
    assert "is a file" in bad(["probe", *labelled(folder), "--out", str(file)], capsys)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tag", "Number", "--seed", "5"], "fitted on other words or labels"),
        (["--tag", "upos", "--min-count", "2"], "fitted on other words or labels"),
    ],
)
def test_a_probe_is_tested_on_what_it_was_not_trained_on(
    options: list[str],
    says: str,
    folder: Path,
    probe: str,
    ranking: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["--ranking", ranking, "--probe", probe, "--out", str(tmp_path / "a")]
    assert says in bad(["ablate", *given, *source(folder), *options], capsys)


def test_a_probe_of_other_layers(
    folder: Path, ranking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = str(tmp_path / "probe")
    options = ["--layers", "0", "--l1", "0.01"]
    assert main(["probe", *labelled(folder), "--out", other, *options]) == 0
    given = ["--ranking", ranking, "--probe", other, "--out", str(tmp_path / "a")]
    assert "fitted on other neurons" in bad(["ablate", *given, *labelled(folder)], capsys)


def test_two_rankings_of_one_method_keep_apart(
    folder: Path, probe: str, ranking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = str(tmp_path / "copy.json")
    shutil.copy(ranking, copy)
    given = ["--ranking", ranking, "--ranking", copy, "--probe", probe, "--no-retrain", "--json"]
    capsys.readouterr()
    assert main(["ablate", *given, *labelled(folder), "--out", str(tmp_path / "a")]) == 0
    assert len(json.loads(capsys.readouterr().out)["accuracy of top above random"]) == 2


def test_options_that_do_not_apply_are_refused(
    folder: Path, probe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, out = ["--store", str(folder / "lstm.h5")], ["--out", str(tmp_path / "r.json")]
    lca = ["rank", "linguistic-correlation", *store, *out, "--probe", probe]
    assert "a fitted --probe takes no --layers; leave" in bad([*lca, "--layers", "0"], capsys)
    fit = ["--min-count", "2", "--labels", "f", "--match", "a", "--l1", "0.001", "--words", "a"]
    assert "--probe takes no --labels, --match, --min-count, --words, --l1; leave them out" in bad(
        [*lca, *fit], capsys
    )
    random = ["rank", "random", *store, *out, "--tag", "Number"]
    assert "'random', which needs no labels, takes no --tag" in bad(random, capsys)
    text = ["rank", "random", *store, "--out", str(tmp_path / "r.txt")]
    assert "saved as .json, .csv or .tex" in bad(text, capsys)


def test_refitting_removes_the_old_control(folder: Path, tmp_path: Path) -> None:
    arguments = ["probe", *labelled(folder), "--out", str(tmp_path / "p"), "--l1", "0.01"]
    assert main([*arguments, "--control"]) == 0
    assert main([*arguments, "--overwrite"]) == 0
    assert not list((tmp_path / "p").glob("control.*"))


@pytest.mark.parametrize("model", ["nothing/at/all", "./nothing", "/nothing"])
def test_run_with_a_mistyped_model(
    model: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results"
    options = ["--corpus", str(folder / "my.conllu"), "--tag", "Number", "--out", str(out)]
    assert "no such folder" in bad(["run", "--model", model, *options], capsys)
    assert not out.exists()


def test_a_damaged_probe(
    folder: Path, probe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(probe, tmp_path / "p")
    whole = (tmp_path / "p/probe.safetensors").read_bytes()
    (tmp_path / "p/probe.safetensors").write_bytes(whole[: len(whole) // 2])
    arguments = ["--store", str(folder / "lstm.h5"), "--probe", str(tmp_path / "p")]
    out = ["--out", str(tmp_path / "r.json")]
    message = bad(["rank", "linguistic-correlation", *arguments, *out], capsys)
    assert "the probe is damaged" in message


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    code = "from neurox_lite.cli.main import run; run()"
    arguments = ["inspect", str(tmp_path / "no.h5"), "--debug"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert "Traceback" in done.stderr
    assert done.returncode != 0
