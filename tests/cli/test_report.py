"""neurox-lite report: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neurox_lite.cli.main import main
from neurox_lite.report.html_report import write_report
from tests.report.planted import plant_job, ranking


def test_it_writes_what_python_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = plant_job(tmp_path / "job"), tmp_path / "report.html"
    assert main(["report", str(folder), "--out", str(out), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["report"], shown["results"]) == (str(out), 5)
    assert "neuron ranking" in shown["of"]
    write_report(folder, tmp_path / "again.html")
    assert out.read_bytes() == (tmp_path / "again.html").read_bytes()


@pytest.mark.parametrize("neurons", ["2", "all"])
def test_as_many_neurons_as_asked_for(neurons: str, tmp_path: Path) -> None:
    ranking().save(tmp_path / "ranking.json")
    out = tmp_path / "r.html"
    assert main(["report", str(tmp_path), "--out", str(out), "--neurons", neurons]) == 0
    again = tmp_path / "again.html"
    write_report(tmp_path, again, neurons=2 if neurons == "2" else "all")
    assert out.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--neurons", "0"], "neurons"),
        (["--neurons", "few"], "neurons is 'few'; give 'all' or a number"),
        (["--neurons", "-3"], "neurons is '-3'; give 'all' or a number of at least 1"),
    ],
)
def test_bad_numbers_are_refused(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = plant_job(tmp_path / "job")
    assert main(["report", str(folder), "--out", str(tmp_path / "r.html"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_a_report_is_replaced_only_if_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = plant_job(tmp_path / "job")
    out = folder / "report.html"  # inside of the folder it is about
    command = ["report", str(folder), "--out", str(out)]
    assert main(command) == 0
    assert main(command) == 2
    assert "exists already; give another output or --overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


def test_what_is_not_ours_is_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, mine = plant_job(tmp_path / "job"), tmp_path / "mine.html"
    mine.write_text("<p>mine</p>")
    assert main(["report", str(folder), "--out", str(mine), "--overwrite"]) == 2
    assert "was not written by neurox_lite" in capsys.readouterr().err
    assert mine.read_text() == "<p>mine</p>"


def test_a_folder_without_results_and_a_name_that_is_no_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["report", str(tmp_path / "empty"), "--out", str(tmp_path / "r.html")]) == 2
    assert "holds no results; give the folder of a job" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "empty"), "--out", str(tmp_path / "r.pdf")]) == 2
    assert "not the name of an HTML file; choose one in .html" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "empty"]
