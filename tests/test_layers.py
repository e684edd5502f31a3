"""Imports go in one direction: a module may import what stands above it in this list."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import neurox_lite

PACKAGE = Path(neurox_lite.__file__).parent

ORDER = [
    {"escaping"},
    {"errors"},
    {"arguments"},
    {"choices", "input_files", "own_files", "showing"},
    {"labels"},
    {"files", "output_formats", "embedded", "measure", "seeds", "threads"},
    {"outputs"},
    {"neurons"},
    {"results", "metrics"},
    {"intervals"},
    {"corpora"},
    {"models"},
    {"activations"},
    # The stages do not know each other, but evaluation retrains probes and rankings read them.
    {"extraction", "probing", "correlation", "masking"},
    {"ranking", "evaluation"},
    {"plotting"},
    {"report"},
    {"pipeline"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}

# Results show themselves: plot() imports the drawing code when it is called.
EXCEPTIONS = {("results", "plotting")}


def imports_of(path: Path) -> set[str]:
    """Top-level parts of neurox_lite that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (
                [node.module]
                if node.module != "neurox_lite"
                else [f"neurox_lite.{alias.name}" for alias in node.names]
            )
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {n.split(".")[1] for n in names if n.startswith("neurox_lite.")}
    return found


def files() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p.parent != PACKAGE or p.stem != "__init__"]


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_up_the_list_only(path: Path) -> None:
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for imported in imports_of(path) - {part, "__version__"}:
        if (part, imported) not in EXCEPTIONS:
            assert LEVEL[imported] < LEVEL[part], f"{part} imports {imported}"


def test_every_part_has_a_level() -> None:
    parts = {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in files()}
    assert parts <= set(LEVEL)


@pytest.mark.parametrize("command", ["import neurox_lite", "import neurox_lite.cli.main"])
def test_importing_is_light(command: str) -> None:
    heavy = ["torch", "transformers", "sklearn", "h5py", "matplotlib", "scipy", "pandas"]
    check = f"{command}, sys; sys.exit(any(m in sys.modules for m in {heavy}))"
    done = subprocess.run([sys.executable, "-c", check], env=os.environ, check=False)
    assert done.returncode == 0


def test_public_names_are_listed_once_and_importable() -> None:
    assert sorted(neurox_lite.__all__) == neurox_lite.__all__
    for name in neurox_lite.__all__:
        assert getattr(neurox_lite, name) is not None
