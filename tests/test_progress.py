"""Progress is shown to a person who waits, in a terminal or a notebook, and not in a log."""

from __future__ import annotations

import ast
import os
import re
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
from neurox_lite.progress import tqdm
import time
bar = tqdm(range(3), desc="shown to a person", disable=None, delay=0.01, mininterval=0)
for _ in bar:
    time.sleep(0.02)
"""


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in BARS:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def test_every_bar_is_like_the_others() -> None:
    """From one module, with a name, none in a log, and none for what takes two seconds."""
    found = list(calls())
    assert len(found) > 40
    for place, call in found:
        if place.startswith("progress"):
            continue
        options = {keyword.arg: keyword.value for keyword in call.keywords}
        assert ast.unparse(options["disable"]) in ("None", "hidden"), place
        if not place.startswith("diagnosis"):  # which a person asked for, and waits for
            assert ast.unparse(options["delay"]) == "2", place
        assert "desc" in options or len(call.args) > 1, place
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        assert path.stem == "progress" or not re.search(r"(?m)^\s*(from|import) tqdm\b", text), path


def test_a_log_has_none() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stderr == "" and done.stdout == ""


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_has_one() -> None:
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stderr=theirs, env=os.environ)
    process.wait()
    os.close(theirs)
    assert b"shown to a person" in os.read(ours, 10_000)
    os.close(ours)


@pytest.mark.heavy
def test_a_cell_of_a_notebook_has_one_line() -> None:
    """Without ipywidgets, for which tqdm alone would show none there, or a line for every step."""
    cells = [nbformat.v4.new_code_cell(PROGRAM) for _ in range(2)]
    cells[1].source += PROGRAM.replace("shown", "again shown")
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120).execute()
    if "application/vnd.jupyter.widget-state+json" in str(notebook.metadata):
        return  # with ipywidgets
    for cell, said in zip(notebook.cells, ("shown to a person", "again shown"), strict=True):
        (output,) = cell.outputs
        text = output["data"]["text/plain"]
        assert text.startswith(said) and "3/3" in text and "\r" not in text
