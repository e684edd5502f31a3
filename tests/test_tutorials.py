"""Every notebook runs from top to bottom, quietly, and is in step with its text."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.heavy

FOLDER = Path(__file__).parent.parent / "tutorials"
TUTORIALS = sorted(FOLDER.glob("*.ipynb"))
SYNC = "call jupytext --sync tutorials/*.md"

each = pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)


@each
def test_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    written = "".join(output.text for output in outputs if output.get("name") == "stderr")
    noise = re.findall(r".*(?:[Ww]arning|WARNING|INFO|Error|LOAD REPORT).*", written)
    assert not noise, f"{path.name} writes to stderr: {noise[:3]}"
    assert not list(tmp_path.iterdir()), f"{path.name} leaves files where it was started"


@each
def test_notebook_is_in_step_with_its_text(path: Path) -> None:
    notebook, text = nbformat.read(path, as_version=4), jupytext.read(path.with_suffix(".md"))
    assert notebook.metadata.jupytext.formats == "ipynb,md:myst"
    cells, twins = (
        [(cell.cell_type, cell.source) for cell in one.cells] for one in (notebook, text)
    )
    assert cells == twins, f"{path.name} and its .md differ; {SYNC}"


def test_there_are_ten_without_output_each_with_its_text() -> None:
    assert [path.stem for path in TUTORIALS] == sorted(
        path.stem for path in FOLDER.glob("*.md") if path.name != "README.md"
    )
    assert len(TUTORIALS) == 10
    for path in TUTORIALS:
        cells = nbformat.read(path, as_version=4).cells
        assert not any(cell.get("outputs") for cell in cells), f"clear the outputs of {path.name}"


@each
def test_links_of_a_notebook_lead_somewhere(path: Path) -> None:
    prose = "\n".join(
        cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type != "code"
    )
    for target in re.findall(r"\]\(([^)#]+)", prose):
        assert target.startswith("https://") or (FOLDER / target).is_file(), target
