"""Progress is shown to a person who waits, in a terminal or a notebook, and not in a log."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import neurox_lite

PACKAGE = Path(neurox_lite.__file__).parent
BARS = ("tqdm", "trange")
PROGRAM = """
from neurox_lite.extraction import planning
import time
bar = planning.tqdm(range(3), desc="shown to a person", disable=None, delay=0.01, mininterval=0)
for _ in bar:
    time.sleep(0.02)
"""


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in BARS:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def test_every_bar_is_like_the_others() -> None:
    """From ``tqdm.auto``, with a name, none in a log, and none for what takes two seconds."""
    found = list(calls())
    assert len(found) > 40
    for place, call in found:
        options = {keyword.arg: keyword.value for keyword in call.keywords}
        assert ast.unparse(options["disable"]) in ("None", "hidden"), place
        assert ast.unparse(options["delay"]) == "2", place
        assert "desc" in options or len(call.args) > 1, place
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        assert "from tqdm import" not in text and "import tqdm\n" not in text, path


def test_a_log_has_none() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stderr == "" and done.stdout == ""


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_has_one() -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stderr=theirs, env=os.environ)
    process.wait()
    os.close(theirs)
    assert b"shown to a person" in os.read(ours, 10_000)
    os.close(ours)


@pytest.mark.heavy
def test_a_notebook_has_one() -> None:
    """With ipywidgets as one of these, and without as text."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PROGRAM)])
    NotebookClient(notebook, timeout=120).execute()
    assert "shown to a person" in str(notebook.cells[0].outputs) + str(notebook.metadata)
