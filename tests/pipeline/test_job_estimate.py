"""What a job will cost is said of the stages that it runs, and nothing is left behind.

Also of ``neurox_lite.pipeline.fit_costs`` and ``neurox_lite.pipeline.stage_costs``.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from neurox_lite.cli.main import main
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError
from neurox_lite.evaluation.localisation import localisation
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.pipeline import comparison
from neurox_lite.pipeline.fit_costs import COLD, FitCosts, MachineSpeed
from neurox_lite.pipeline.job import AblateOptions, Job, ProbeOptions
from neurox_lite.pipeline.job_estimate import estimate_job
from neurox_lite.pipeline.run import run_job
from neurox_lite.pipeline.stage_costs import StageCosts
from neurox_lite.probing import fit_inputs, rounded, solver

SPEED = MachineSpeed(step=(1e-11, 1e-9), exact=(4e-11, 1e-9), read=1e-9)
GB = 10**9


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(
        model=str(embedded_path("models/lstm-0")),
        corpus=str(embedded_path("corpora/english-dev.conllu.gz")),
        tag="upos",
        out=str(tmp_path / "results"),
        extract=ExtractOptions(device="cpu"),
        probe=ProbeOptions(l1=0.01, tol=1e-3, min_count=2),
        ablate=AblateOptions(shares=[0.05, 0.5], n_random=2, retrain=False),
    )


@pytest.mark.heavy
def test_a_job_is_estimated_stage_by_stage_and_then_runs_as_said(job: Job, tmp_path: Path) -> None:
    found = estimate_job(job)
    assert not list(tmp_path.iterdir())
    result = run_job(job)
    assert [stage.name for stage in found.stages] == list(result.ran)
    record = json.loads((result.folder / "stages.json").read_text())
    for stage in found.stages:
        assert stage.seconds > 0
        assert not stage.done
        assert stage.peak_memory_bytes == pytest.approx(record[stage.name]["peak_memory"], rel=0.3)
    written = sum(path.stat().st_size for path in result.folder.rglob("*") if path.is_file())
    assert found.disk_bytes == pytest.approx(written, rel=0.5)

    again = estimate_job(job)
    assert all(stage.done for stage in again.stages)
    assert (again.seconds, again.disk_bytes, again.peak_memory_bytes) == (0, 0, 0)
    more = estimate_job(replace(job, ablate=AblateOptions(shares=[0.1], n_random=2)))
    assert [stage.name for stage in more.stages if not stage.done] == [
        "ablate",
        "summary",
        "report",
    ]
    assert [row[0] for row in found.table()] == ["stage", *result.ran]


@pytest.mark.heavy
def test_several_tags_are_extracted_once_and_each_is_estimated(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "localisation", partial(localisation, n_resamples=2))
    found = estimate_job(replace(job, tag="", tags=["upos", "Number"]))
    assert not list(tmp_path.iterdir())
    names = [stage.name for stage in found.stages]
    assert names.count("extract") == 1
    assert [name for name in names if "ablate" in name] == ["upos: ablate", "Number: ablate"]
    assert names[-2:] == ["comparison", "report of all"]
    result = run_job(replace(job, tag="", tags=["upos", "Number"]))
    assert set(names) == set(result.ran)
    again = estimate_job(replace(job, tag="", tags=["upos", "Number"])).stages
    assert [stage.name for stage in again] == names and all(stage.done for stage in again)
    shutil.rmtree(tmp_path / "results")
    models = [job.model, str(embedded_path("models/lstm-1"))]
    names = [stage.name for stage in estimate_job(replace(job, model="", models=models)).stages]
    assert [name for name in names if "extract" in name] == ["extract lstm-0", "extract lstm-1"]
    assert "localise lstm-1/upos" in names
    assert names[-4:-2] == ["twins of lstm-0 in lstm-1", "twins of lstm-1 in lstm-0"]


@pytest.mark.heavy
def test_the_command_prints_a_row_per_stage_and_refuses_what_run_refuses(
    job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["run", "--model", job.model, "--corpus", str(job.corpus), "--out", job.out]
    assert main([*options, "--tag", "upos", "--min-count", "2", "--dry-run"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["estimates", "time", "disk", "peak", "memory"]
    assert [line.split("  ")[0] for line in shown[1:3]] == ["extract", "probe"]
    assert shown[-1].startswith("all ")
    assert not list(tmp_path.iterdir())
    file = tmp_path / "job.yaml"
    file.write_text(replace(job, tag="nothing").to_yaml())
    assert main(["run", str(file), "--dry-run"]) == 2
    with pytest.raises(InputError, match="nothing"):
        estimate_job(Job.read(file))
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "mine.txt").write_text("")
    with pytest.raises(InputError, match="holds other files"):
        estimate_job(job)


@pytest.mark.parametrize("units", [False, True])
def test_memory_of_a_fit_is_bounded_by_what_is_held(
    units: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (rounded, fit_inputs, solver):
        monkeypatch.setattr(module, "has_units", lambda: units)
    monkeypatch.setattr("neurox_lite.pipeline.fit_costs.has_units", lambda: units)
    fits = FitCosts(SPEED, 10, itemsize=4)
    peaks = []
    for n_rows in (10_000, 100_000, 200_000, 400_000, 1_000_000, 50_000_000):
        held = 4 * n_rows * 2000 if fits.is_held(n_rows, 2000) else 0
        scores = 8 * 4 * n_rows * 10
        peaks.append(held + fits.memory(n_rows, 2000) - scores)
    assert fits.is_held(100_000, 2000)
    assert not fits.is_held(200_000, 2000)
    assert max(peaks) < 2.0 * GB


def test_time_grows_with_the_rows_and_with_what_is_read() -> None:
    fits = FitCosts(SPEED, 10, itemsize=4)
    once, twice = (fits.seconds(n, 5000, COLD, held=True) for n in (2000, 4000))
    assert twice == pytest.approx(2 * once)
    assert fits.seconds(2000, 5000, COLD, held=False) > once
    many, all_of_them = (fits.seconds(n, 500, COLD, held=True) for n in (100_000, 10_000))
    assert many < 10 * all_of_them  # on a sample


def test_stages_of_a_study_take_what_their_fits_take() -> None:
    job = Job("m", "c", "t", "o", study=True)
    costs = StageCosts(
        job=job,
        fits=FitCosts(SPEED, 10, itemsize=4),
        n_train=20_000,
        n_dev=2000,
        n_test=2000,
        n_neurons=1000,
        n_layers=5,
    )
    assert costs.held_bytes == 4 * 20_000 * 1000
    alone = costs.of("control").seconds
    assert replace(costs, job=replace(job, study=False)).of("control").seconds < alone / 2
    assert costs.of("redundancy").seconds > 2.5 * costs.of("minimal set").seconds
    without = replace(job, ablate=AblateOptions(retrain=False))
    assert replace(costs, job=without).of("ablate").seconds < costs.of("ablate").seconds / 10
