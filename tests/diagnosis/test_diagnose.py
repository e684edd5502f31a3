"""The doctor says what is wrong and what to do, and nothing of whose machine it is.

Also of ``neurox_lite.cli.doctor``, ``neurox_lite.diagnosis.machine``,
``neurox_lite.diagnosis.packages`` and ``neurox_lite.diagnosis.trials``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest

import neurox_lite as nx
from neurox_lite.cli.main import main
from neurox_lite.diagnosis import diagnose as diagnose_module
from neurox_lite.diagnosis import machine, packages, trials
from neurox_lite.errors import InputError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All folders of a machine with room, under one that names its user."""
    home = tmp_path / "erika.mustermann"
    for name in ("tmp", "cache", "work"):
        (home / name).mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(home / "tmp"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "cache" / "hub"))
    monkeypatch.chdir(home / "work")
    monkeypatch.setattr(machine, "LITTLE_MEMORY", 0)
    monkeypatch.setattr(machine, "LITTLE_ROOM", 0)
    return home


@pytest.fixture
def no_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnose_module, "TRIALS", {})


@pytest.mark.heavy
def test_an_installation_that_works(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "finds the neuron that was planted" in shown and "5 words x 512 neurons" in shown
    assert shown.splitlines()[-1].split() == ["problems", "none"]
    assert "mustermann" not in shown and str(Path.home()) not in shown and "/" not in shown
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_facts_are_one_json_object(
    folder: Path, no_trials: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["problems"] == [] and found["neurox_lite"] == nx.__version__
    assert found["packages"]["torch"].startswith("2.")
    assert set(found["extras"]) >= {"captum", "pandas", "ray"}
    assert found["device"]["cores"] >= found["device"]["threads"] >= 1
    assert set(found["disk"]) == {"cache of models", "temporary files", "this folder"}


def test_packages_that_are_old_or_missing(
    folder: Path, no_trials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"torch": "2.1.0", "scipy": None, "ray": None, "pandas": "1.0"}
    real = packages.installed
    monkeypatch.setattr(packages, "installed", lambda name: known.get(name, real(name) or "99"))
    found = nx.diagnose()
    said = "\n".join(found.problems)
    assert (
        "torch 2.1.0 is installed, which is not torch<3,>=2.6; pip install 'torch<3,>=2.6'" in said
    )
    assert "scipy is not installed; pip install 'scipy>=1.13'" in said
    assert "pandas 1.0 is installed, which is not pandas>=2.2" in said
    assert "ray" not in said  # only needed by those who want it
    assert found.facts["extras"]["ray"].endswith("pip install 'neurox-lite[ray]')")
    assert found.facts["packages"]["scipy"] == "not installed"


def test_run_from_a_folder_without_installing(
    folder: Path, no_trials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "installed", lambda name: None)
    found = nx.diagnose()
    assert found.facts["files"] == "not compared (no installed wheel)"
    assert found.facts["extras"] == {}


def test_files_of_a_wheel_that_are_changed_or_missing(
    folder: Path, no_trials: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hashes are those of pip: SHA-256 of "whole", in base64."""
    digest = "sha256=XVdmzy14cBYUIAQY7hRQaQ2a8SyE1SVF5IAvABrVMJk"
    site = tmp_path / "site"
    info = site / "neurox_lite-0.1.0.dist-info"
    (site / "neurox_lite/data").mkdir(parents=True)
    info.mkdir()
    names = ["neurox_lite/data/a.txt", "neurox_lite/data/b.txt", "neurox_lite/data/gone.txt"]
    for name in names[:2]:
        (site / name).write_text("whole")
    (info / "METADATA").write_text("Name: neurox-lite\nVersion: 0.1.0\n")
    (info / "RECORD").write_text("".join(f"{name},{digest},5\n" for name in names))
    monkeypatch.setattr(packages, "distribution", lambda name: Distribution.at(info))
    assert packages.damaged_files() == (3, ["neurox_lite/data/gone.txt"])
    (site / names[1]).write_text("w")
    (problem,) = nx.diagnose().problems
    assert problem.startswith("2 of 3 files of the package are missing or changed, such as neurox")
    assert "--force-reinstall" in problem


def test_folders_that_cannot_be_written_or_are_full(
    folder: Path, no_trials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "cache" / "hub").write_text("a file")
    (problem,) = nx.diagnose().problems
    assert problem == (
        "cache of models: cannot be written (Not a directory); set HF_HOME to a folder you may "
        "write to that has room"
    )
    (folder / "cache" / "hub").unlink()
    monkeypatch.setattr(machine, "LITTLE_ROOM", 1e30)
    monkeypatch.setattr(machine, "LITTLE_MEMORY", 1e30)
    found = nx.diagnose().problems
    assert [problem.split(":")[0] for problem in found[1:]] == list(machine.folders())
    assert "of memory are available" in found[0]


def test_a_trial_that_fails_is_said_without_folders(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(place: Path) -> str:
        raise InputError(f"{place}/model.safetensors: damaged\n{folder}/x")

    monkeypatch.setattr(diagnose_module, "TRIALS", {"model and store": fails})
    assert main(["doctor"]) == 3
    shown = capsys.readouterr().out
    assert "model and store: InputError: model.safetensors: damaged x; install" in shown
    assert "mustermann" not in shown and str(folder) not in shown
    assert main(["doctor", "--json"]) == 3
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 1


def test_torch_that_cannot_be_imported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(diagnose_module, "TRIALS", {"corpus": trials.reads_a_corpus})
    found = nx.diagnose()
    assert found.facts["device"] == "fails" and found.facts["corpus"] == "3,297 words"
    assert found.problems[0].startswith("device: ModuleNotFoundError: import of torch halted")
    assert repr(found).endswith(found.problems[-1])


def test_a_store_that_is_read_otherwise_than_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neurox_lite.activations.checks.verify", lambda store: ["layer 0 differs"])
    with pytest.raises(ValueError, match="layer 0 differs"):
        trials.runs_a_model_into_a_store(tmp_path)
