"""The shell completes commands, options and the values that are known, and does so at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neurox_lite.attribution_methods import ATTRIBUTION_METHODS
from neurox_lite.cli import completion
from neurox_lite.cli.main import app
from neurox_lite.corpora.reading import FORMATS
from neurox_lite.extraction.options import AGGREGATIONS, POOLINGS, SIDES, SITES
from neurox_lite.masking import mask_methods
from neurox_lite.ranking.linguistic_correlation import AGGREGATIONS as OF_RANKING
from neurox_lite.ranking_methods import CROSS_MODEL_METHODS, METHODS


def completed(line: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What bash is offered for the last word of a line."""
    words = line.split(" ")
    given = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**given, "_NEUROX_LITE_COMPLETE": "complete_bash"}.items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit):
            app([], prog_name="neurox-lite", standalone_mode=False)
    return capsys.readouterr().out.split()


def test_commands_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"rank", "run"} <= set(completed("neurox-lite r", capsys))
    assert completed("neurox-lite doc", capsys) == ["doctor"]
    assert completed("neurox-lite rank --table", capsys) == ["--table-format"]


def test_names_of_methods_and_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert completed("neurox-lite rank ", capsys) == [*METHODS, "all"]
    assert completed("neurox-lite rank prob", capsys) == ["probeless"]
    assert completed("neurox-lite attribute --method ", capsys) == [*ATTRIBUTION_METHODS]
    assert completed("neurox-lite correlate --method m", capsys) == ["max-corr", "min-corr"]
    assert completed("neurox-lite probe --format co", capsys) == ["conllu", "columns"]
    assert completed("neurox-lite run --figure-format p", capsys) == ["png", "pdf"]
    assert completed("neurox-lite probe --text ", capsys) == ["words", "raw"]
    assert completed("neurox-lite steer --text ", capsys) == []  # a file, which the shell knows
    assert completed("neurox-lite extract --aggregation ", capsys) == [*AGGREGATIONS]
    assert completed("neurox-lite rank --aggregation ", capsys) == ["variance", "mass"]


def test_what_is_offered_is_what_is_known() -> None:
    offered = completion.CHOICES
    assert offered["--format"] == FORMATS
    assert (offered["--site"], offered["--side"]) == (SITES, SIDES)
    assert (offered["--pooling"], offered["--aggregation"]) == (POOLINGS, AGGREGATIONS)
    assert offered["mask --method"] == mask_methods.METHODS
    assert offered["correlate --method"] == CROSS_MODEL_METHODS
    assert offered["rank --aggregation"] == OF_RANKING


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_really_completes(tmp_path: Path) -> None:
    """The script that --show-completion prints, and the function that it defines."""
    command = tmp_path / "neurox-lite"
    command.write_text(f"#!{sys.executable}\nfrom neurox_lite.cli.main import run; run()\n")
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    shown = subprocess.run(
        [str(command)],
        env={**environment, "_NEUROX_LITE_COMPLETE": "source_bash"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    script = (
        f"{shown}\nCOMP_WORDS=(neurox-lite rank prob); COMP_CWORD=2\n"
        '_neurox_lite_completion neurox-lite\necho "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "probeless\n"


def test_nothing_heavy_is_imported() -> None:
    heavy = ["torch", "transformers", "sklearn", "h5py", "matplotlib", "numpy"]
    code = (
        "import sys\nfrom neurox_lite.cli.main import main\n"
        f"try: main([])\nfinally: assert not [m for m in {heavy} if m in sys.modules]"
    )
    completing = {
        "_NEUROX_LITE_COMPLETE": "complete_bash",
        "COMP_WORDS": "neurox-lite rank ",
        "COMP_CWORD": "2",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **completing},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "probeless" in done.stdout.split() and not done.stderr
