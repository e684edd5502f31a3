"""Figures and tables of the commands: in every format, of what they say, and without harm.

Also of ``neurox_lite.cli.output``, ``neurox_lite.output_formats``.
"""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest

from neurox_lite.cli.main import main
from neurox_lite.corpora.conllu import read_conllu
from neurox_lite.embedded import embedded_path
from neurox_lite.files import write_text
from neurox_lite.models.loading import load_model
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.run import run_job

pytestmark = pytest.mark.heavy

EVIL = "=1+1|<b>`x`$\\frac{\x1b[31m\u202e#"
MAGIC = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, a corpus and a store, whose names and labels would do harm."""
    folder = tmp_path_factory.mktemp("formats")
    shutil.copytree(embedded_path("models/lstm-0"), folder / "m<b>$x$_1")
    for split in ("train", "dev", "test"):
        corpus = read_conllu(embedded_path(f"corpora/english-{split}.conllu.gz"))
        names = {"NOUN": EVIL, "VERB": "-LRB-", "DET": "PRP$", "ADJ": "''", "ADP": "#|#"}
        lines = []
        for words, tags in list(zip(corpus.sentences, corpus.tags["upos"], strict=True))[:40]:
            lines += [f"{w}\t{names.get(t, t)}" for w, t in zip(words, tags, strict=True)] + [""]
        write_text(folder / f"{split} $1_{EVIL[4:7]}.columns", "\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def results(workplace: Path) -> Path:
    job = Job(
        model=str(workplace / "m<b>$x$_1"),
        corpus={s: str(next(workplace.glob(f"{s} *"))) for s in ("train", "dev", "test")},
        tag="column2",
        out=str(workplace / "results"),
        figure_format="svg",
        table_format="csv",
    )
    job = Job(**{**vars(job), "probe": type(job.probe)(l1=0.01, tol=1e-2, min_count=2)})
    assert run_job(job).folder
    return workplace / "results"


def shown_in(svg: Path) -> str:
    return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg.read_text(encoding="utf-8")))


def test_figures_of_a_job_say_property_model_and_corpus(results: Path) -> None:
    for name in ("layers", "ablation"):
        text = shown_in(results / f"{name}.svg")
        assert "column2 · m&lt;b&gt;$x$_1 · " in text
        assert "train $1_" in text
        assert str(results.parent) not in (results / f"{name}.svg").read_text()
    assert not list(results.glob("*.png"))


def test_summary_has_no_markup_from_outside(results: Path) -> None:
    text = (results / "summary.md").read_text()
    assert "<" not in text and "\x1b" not in text and "\u202e" not in text
    assert "m&lt;b&gt;\\$x\\$\\_1" in text
    assert "figure: `layers.svg`" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| =1+1")]
    assert row.count(" | ") == 3
    for label in ("| -LRB- |", "| PRP\\$ |", "| '' |", "| \\#\\|# |"):
        assert label in text


def test_tables_of_a_job_hold_no_formula(results: Path) -> None:
    names = {p.stem for p in results.glob("*.csv")}
    assert names == {"ranking", "ablation", "control", "minimal_set"}
    with (results / "probe/evaluation.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    labels = {row[0] for row in rows}
    assert {"'-LRB-", "PRP$", "''", "#|#"} <= labels
    for file in (*results.glob("*.csv"), results / "probe/evaluation.csv"):
        for row in csv.reader(file.open(newline="")):
            for cell in row:
                is_number = re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell)
                assert is_number or cell[:1] not in tuple("=+-@"), cell
                assert "\x1b" not in cell


def test_another_format_is_no_new_run(results: Path) -> None:
    job = Job.read(results / "job.yaml")
    before = (results / "layers.svg").read_bytes()
    changed = Job(**{**vars(job), "figure_format": "pdf", "table_format": "latex"})
    assert run_job(changed).ran == ("summary",)
    assert (results / "layers.pdf").read_bytes().startswith(b"%PDF")
    assert not list(results.glob("*.svg")) and not (results / "probe/evaluation.csv").exists()
    tex = (results / "probe/evaluation.tex").read_text()
    assert "PRP\\$" in tex and "\\#\\textbar{}\\#" in tex
    assert run_job(job).ran == ("summary",)
    assert (results / "layers.svg").read_bytes() == before
    assert not list(results.glob("*.pdf"))


@pytest.mark.parametrize("figure_format", MAGIC)
def test_figures_and_tables_of_commands(
    results: Path, figure_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = [
        f"--corpus={s}={next(results.parent.glob(f'{s} *'))}" for s in ("train", "dev", "test")
    ]
    data = ["--store", str(results / "store.h5"), *labels, "--tag", "column2", "--min-count", "2"]
    ranking, formats = str(results / "ranking.json"), ["--figure-format", figure_format]
    formats += ["--table-format", "latex" if figure_format == "pdf" else "csv"]
    table = "tex" if figure_format == "pdf" else "csv"
    ranked = str(tmp_path / "probeless.json")
    assert main(["rank", "probeless", *data, "--out", ranked]) == 0
    commands = {
        "agreement": ["compare", ranking, ranked],
        "search": ["probe", *data, "--search", "--l1s", "0.1", "--l2s", "0.1", "--tol", "0.1"],
    }
    if figure_format == "svg":
        commands |= {
            "ablation": [
                "ablate",
                "--ranking",
                ranking,
                *data,
                "--no-retrain",
                "--shares",
                "0.1,0.5",
            ],
            "methods": ["rank", "all", *data, "--methods", "probeless,random", "--resamples", "0"],
        }
    for name, command in commands.items():
        out = tmp_path / name
        assert main([*command, *formats, "--out", str(out)]) in (0, 3)
        assert (out / f"{name}.{figure_format}").read_bytes().startswith(MAGIC[figure_format])
        assert (out / f"{name}.{table}").stat().st_size > 20
        if figure_format == "svg":
            assert "column2 · m&lt;b&gt;$x$_1" in shown_in(out / f"{name}.svg")
    again = [*commands["agreement"], *formats, "--out", str(tmp_path / "agreement")]
    assert main([*again, "--overwrite"]) == 0  # the tables are known as ours
    assert "\x1b" not in capsys.readouterr().out


def test_figures_of_the_running_model(tmp_path: Path) -> None:
    model, pairs = str(embedded_path("models/lstm-0")), embedded_path("corpora/number-pairs.tsv")
    few = tmp_path / "pairs.tsv"
    lines = pairs.read_text().splitlines()
    simple = [line for line in lines if "\tsimple\t" in line]
    few.write_text("\n".join([lines[0], *simple[::5]]) + "\n")
    space = load_model(model, head="language")
    from neurox_lite.models.neuron_spaces import neuron_space
    from neurox_lite.ranking import random_ranking

    random_ranking(neuron_space(space)).save(tmp_path / "r.json")
    given = ["--model", model, "--pairs", str(few), "--ranking", str(tmp_path / "r.json")]
    both = ["--figure-format", "svg", "--table-format", "latex", "--out"]
    assert main(["ablate", *given, "--shares", "0.5", *both, str(tmp_path / "a")]) in (0, 3)
    assert "lstm-0 · pairs.tsv" in shown_in(tmp_path / "a/ablation.svg")
    turned = ["--condition", "singular", "--target", "plural", "--counts", "2,8"]
    assert main(["steer", *given, *turned, *both, str(tmp_path / "s")]) in (0, 3)
    assert "singular to plural · lstm-0 · pairs.tsv" in shown_in(tmp_path / "s/steering.svg")
    assert (tmp_path / "s/steering.tex").is_file() and (tmp_path / "s/steering.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ablate", "--ranking", "r", "--out", "o", "--figure-format", "jpg"], "use png, pdf, svg"),
        (["compare", "a", "b", "--out", "o", "--table-format", "latx"], "did you mean 'latex'?"),
        (["run", "--model", "m", "--corpus", "c", "--tag", "t", "--out", "o",
          "--figure-format", "pgn"], "did you mean 'png'?"),
        (["probe", "--store", "s", "--corpus", "c", "--tag", "t", "--out", "o",
          "--figure-format", "pdf"], "has no figure"),
        (["rank", "iou", "--store", "s", "--out", "r.json", "--figure-format", "pdf"],
         "takes no --figure-format"),
    ],
)  # fmt: skip
def test_other_formats_are_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
