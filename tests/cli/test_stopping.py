"""Ctrl-C: one line, exit code 130, no traceback, from the first import on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from neurox_lite.cli import main as main_module
from neurox_lite.cli.main import main
from neurox_lite.embedded import embedded_path

INTERRUPTED = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from neurox_lite.cli.main import run
run()
"""


@pytest.mark.parametrize("name", ["typer", "neurox_lite.cli.rank", "numpy", "h5py"])
def test_during_imports(tmp_path: Path, name: str) -> None:
    corpus = str(embedded_path("corpora/english-dev.conllu.gz"))
    command = ["probe", "--store", "no.h5", "--corpus", corpus, "--tag", "upos"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(name=name), *command, "--out", "out"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 130
    assert done.stderr.startswith("neurox-lite: ") and done.stderr.count("\n") == 1
    assert "stopped" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("hidden", [False, True])
def test_later_it_says_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hidden: bool
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            if hidden:  # as by a library that is being imported
                raise ImportError("cannot import it") from None
            raise

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(main_module, "app", interrupted)
    for command, kept in (
        ("extract", "the shards that are done are kept: run the same command again"),
        ("run", "the stages that are done are kept: run the same command again"),
        ("rank", "the output is as it was before"),
        ("run --dry-run", "nothing was written: run the same command again"),
    ):
        assert main([*command.split(), "--json"]) == 130
        shown = capsys.readouterr()
        assert shown.err.count("\n") == 1 and kept in shown.err
        assert json.loads(shown.out)["exit_code"] == 130
    assert signal.getsignal(signal.SIGINT) is before


def test_a_full_disk_behind_stdout(tmp_path: Path) -> None:
    """The one line, and not a second one as Python ends."""
    code = "from neurox_lite.cli.main import run; run()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be read or written (No space left on device)" in done.stderr
