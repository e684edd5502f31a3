"""How a corpus is read, which labels and which words: the same in all commands and in Python.

Also of ``neurox_lite.cli.labelled_options``.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import yaml

from neurox_lite.activations.convert import convert
from neurox_lite.activations.labelled_splits import labelled_splits
from neurox_lite.activations.store import ActivationStore
from neurox_lite.cli.main import main
from neurox_lite.corpora.label_rules import LabelRules
from neurox_lite.corpora.reading import read_splits
from neurox_lite.corpora.word_filter import word_filter
from neurox_lite.embedded import embedded_path
from neurox_lite.probing.probe import ElasticNetProbe

MODEL = str(embedded_path("models/lstm-0"))
NER = {"dog": "B-ANIMAL", "cat": "B-ANIMAL:pet", "the": "O", "teacher": "B-PERSON", "sees": "O"}
POS = {"dog": "NOUN", "cat": "NOUN", "the": "DET", "teacher": "NOUN", "sees": "VERB"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in the manner of MultiCoNER with a bad line, and its store."""
    folder = tmp_path_factory.mktemp("ner")
    draw = random.Random(0)
    blocks = []
    for number in range(80):
        words = [draw.choice(list(NER)) for _ in range(5 + number % 3)]
        rows = [f"{word} _ {POS[word]} {NER[word]}" for word in words]
        blocks.append("\n".join([f"# id {number}\tdomain=en", *rows]))
    blocks.insert(3, "# id bad\tdomain=en\nthe _ DET O\ndog B-ANIMAL")
    (folder / "ner.txt").write_text("\n\n".join(blocks) + "\n")
    out = str(folder / "s.h5")
    assert main(["extract", "--model", MODEL, *reading(folder), "--out", out]) == 0
    return folder


def reading(folder: Path) -> list[str]:
    columns = ["--columns", "word,_,upos,ner", "--comment", "# id", "--skip-bad-lines"]
    return ["--corpus", str(folder / "ner.txt"), *columns]


def read(folder: Path):
    options = {"columns": "word,_,upos,ner", "comment": "# id", "skip_bad_lines": True}
    return read_splits(str(folder / "ner.txt"), **options)


RULES = [
    *("--strip-bio", "--label-map", "(.*):.*=\\1", "--label-map", "O="),
    *("--where", "upos=NOUN", "--balance", "under"),
]


def ready(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def bad(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    return message


def test_bad_lines_are_listed_by_extract(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = ["extract", "--model", MODEL, *reading(folder), "--out", str(folder / "s.h5")]
    shown = ready(again, capsys)
    (line,) = shown["skipped lines"]
    assert line.startswith(f"{folder / 'ner.txt'}: line ")
    assert "2 columns where 4 were expected" in line
    without = [option for option in again if option != "--skip-bad-lines"]
    assert "2 columns where 4" in bad([*without, "--overwrite"], capsys)


def test_rules_are_those_of_python_and_are_recorded(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--store", str(folder / "s.h5"), *reading(folder), "--tag", "ner", "--l1", "0.01"]
    probe = tmp_path / "probe"
    shown = ready(["probe", *given, *RULES, "--out", str(probe)], capsys)
    assert len(shown["skipped lines"]) == 1

    corpus = LabelRules(True, ["(.*):.*=\\1", "O="]).apply(read(folder), "ner")
    keep = word_filter(corpus, where={"upos": "NOUN"})
    with ActivationStore(folder / "s.h5") as store:
        train = labelled_splits(store, corpus, "ner", keep=keep, balance="under").train
        again = ElasticNetProbe(0.01).fit(train.X, train.y)
    fitted = ElasticNetProbe.load(probe)
    assert list(fitted.classes_) == ["ANIMAL", "PERSON"]
    np.testing.assert_allclose(fitted.coef_, again.coef_, atol=1e-6)
    assert shown["n_train"] == len(train.y) == 2 * min(np.unique(train.y, return_counts=True)[1])

    # Of always giving the class that is the most frequent in text, not among the words drawn.
    assert shown["majority_accuracy"] > 0.5
    recorded = json.loads((probe / "evaluation.json").read_text())["provenance"]["labels"]
    assert recorded["strip_bio"] is True
    assert recorded["label_map"] == ["(.*):.*=\\1", "O="]
    assert recorded["where"] == ["upos=NOUN"]
    assert recorded["balance"] == "under"
    assert recorded["columns"] == "word,_,upos,ner"
    assert recorded["corpus"] == ["ner.txt"]

    ranking = str(tmp_path / "r.json")
    assert main(["rank", "probeless", *given[:-2], *RULES, "--out", ranking]) == 0
    provenance = json.loads(Path(ranking).read_text())["provenance"]
    assert provenance["labels"]["label_map"] == ["(.*):.*=\\1", "O="]
    ablate = ["ablate", "--ranking", ranking, "--probe", str(probe), "--no-retrain"]
    ablate += [*given[:-2], *RULES, "--shares", "0.1", "--n-random", "1"]
    assert main([*ablate, "--out", str(tmp_path / "a")]) == 0
    other = [option for option in ablate if option != "--strip-bio"]
    bad([*other, "--out", str(tmp_path / "b")], capsys)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--where", "upos"], "--where upos: give TAG=LABEL"),
        (["--where", "upos=NOUN", "--where", "upos=DET"], "a tag is given twice"),
        (["--where", "upos=NUON"], "no word is labelled 'NUON'"),
        (["--label-map", "O"], "give PATTERN=LABEL"),
        (["--label-map", "X=Y"], "it matches no label"),
        (["--balance", "both"], "balance is 'both'"),
        (["--text", "raw"], "takes no text"),
        (["--text", "cooked"], "takes no text"),
        (["--text-column", "x"], "takes no text_column (--text-column)"),
    ],
)
def test_options_that_do_nothing_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options, says: str
) -> None:
    given = ["--store", str(folder / "s.h5"), *reading(folder), "--tag", "ner"]
    assert says in bad(["probe", *given, *options, "--out", str(tmp_path / "p")], capsys)
    assert not (tmp_path / "p").exists()


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """A table of sentences and their labels."""
    verbs = {"walked": "past", "sleeps": "present"}
    rows = [f'{label},"the dog {verb}, {i}"' for i in range(30) for verb, label in verbs.items()]
    (tmp_path / "reviews.csv").write_text("\n".join(["tense,text", *rows, "past"]) + "\n")
    return tmp_path / "reviews.csv"


@pytest.mark.parametrize("as_job", [False, True])
def test_labels_of_sentences_mean_one_row_per_sentence(
    reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], as_job: bool
) -> None:
    out = tmp_path / "out"
    keys = {"text_column": "text", "label_column": "tense", "skip_bad_lines": True}
    if as_job:
        job = {"model": MODEL, "corpus": str(reviews), "tag": "tense", "out": str(out), **keys}
        job |= {"words": {"balance": "over"}, "ablate": {"shares": [0.1], "n_random": 1}}
        (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
        arguments = ["run", str(tmp_path / "job.yaml")]
    else:
        arguments = ["run", "--model", MODEL, "--corpus", str(reviews), "--tag", "tense"]
        arguments += ["--text-column", "text", "--label-column", "tense", "--skip-bad-lines"]
        arguments += ["--balance", "over", "--min-count", "2", "--out", str(out)]
    shown = ready(arguments, capsys)
    assert len(shown["skipped lines"]) == 1
    with ActivationStore(out / "store.h5") as store:
        assert (store.metadata["pooling"], store.n_rows) == ("mean", 60)
    resolved = yaml.safe_load((out / "job.yaml").read_text())
    assert resolved["extract"]["pooling"] == "mean"
    assert resolved["probe"]["min_count"] == (None if as_job else 2)
    summary = (out / "summary.md").read_text()
    assert "60 sentences, mean of a sentence" in summary
    assert "1 sentences with bad lines are left out" in summary
    assert "line 62" in summary
    assert str(tmp_path) not in summary
    assert "balance" in summary


def test_another_pooling_is_taken_as_given(
    reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--model", MODEL, "--corpus", str(reviews), "--tag", "tense", "--skip-bad-lines"]
    given += ["--text-column", "text", "--label-column", "tense", "--out", str(tmp_path / "out")]
    said = bad(["run", *given, "--window", "8"], capsys)
    assert "a window cannot be combined with pooling" in said
    assert main(["run", *given, "--pooling", "last"]) == 0
    with ActivationStore(tmp_path / "out/store.h5") as store:
        assert store.metadata["pooling"] == "last"


def test_words_with_labels_of_sentences_are_said_to_be_so(
    reviews: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = ["--corpus", str(reviews), "--text-column", "text", "--skip-bad-lines"]
    store = str(tmp_path / "s.h5")
    assert main(["extract", "--model", MODEL, *given, "--out", store]) == 0
    labels = ["--label-column", "tense", "--tag", "tense", "--out", str(tmp_path / "p")]
    assert main(["probe", "--store", store, *given, *labels]) == 0
    assert "(extract --pooling mean)" in caplog.text


def test_words_of_a_neurox_file_are_matched_by_position(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = []
    source = tmp_path / "neurox.json"
    convert(folder / "s.h5", source)
    for line in source.read_text().splitlines():
        record = json.loads(line)
        for feature in record["features"]:
            feature["token"] = feature["token"].upper() + "</w>"
        lines.append(json.dumps(record))
    source.write_text("\n".join(lines) + "\n")
    store = str(tmp_path / "s.h5")
    convert(source, store).with_suffix(".h5")
    labels = [*reading(folder), "--tag", "upos", "--l1", "0.01"]
    given = ["probe", "--store", store, *labels, "--out", str(tmp_path / "p")]
    assert "--by-position" in bad(given, capsys)
    found = ready([*given, "--by-position"], capsys)
    own = ["probe", "--store", str(folder / "s.h5"), *labels, "--out", str(tmp_path / "own")]
    assert found["test_accuracy"] == ready(own, capsys)["test_accuracy"]
    rank = ["rank", "iou", "--store", store, *labels[:-2], "--out", str(tmp_path / "r.json")]
    assert main([*rank, "--by-position"]) == 0
