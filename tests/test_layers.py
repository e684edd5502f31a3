"""Imports go in one direction: a module imports what stands above it in this list."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from inspect import ismodule
from pathlib import Path
from types import ModuleType

import pytest

import neurox_lite

PACKAGE = Path(neurox_lite.__file__).parent

ORDER = [
    {"fonts"},
    {"version", "escaping", "progress"},
    {"errors"},
    {"arguments"},
    {"choices", "input_files", "locks", "method_option", "own_files", "public_names", "showing"},
    {"labels"},
    {"attribution_methods", "ranking_methods"},
    {"files", "output_formats", "embedded", "measure", "seeds", "threads"},
    {"json_files", "tasks"},
    {"outputs", "figures", "column_groups"},
    {"neurons"},
    {"results", "metrics"},
    {"intervals"},
    {"corpora"},
    {"models"},
    {"activations"},
    # What do neurons carry?
    {"extraction"},
    {"probing"},
    {"correlation"},
    # Does the model use them?
    {"interventions"},
    {"masking"},
    {"attribution"},
    # Where both meet.
    {"ranking"},
    {"evaluation"},
    {"descriptions"},
    {"saved_results"},
    # What people look at.
    {"report"},
    {"pipeline"},
    # Does the installation work?
    {"diagnosis"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}


def modules() -> dict[str, Path]:
    """Every module but the public names, as ``results.ranking``."""
    names = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            names[".".join(part for part in parts if part != "__init__")] = path
    return names


MODULES = modules()


def is_for_annotations(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports_of(tree: ast.AST) -> set[str]:
    """Modules that a file imports, also inside functions; not those for annotations only."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if is_for_annotations(node):
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("neurox_lite"):
            room = node.module.removeprefix("neurox_lite").removeprefix(".")
            inside = {f"{room}.{alias.name}".removeprefix(".") for alias in node.names}
            is_named = inside & set(MODULES)
            found |= is_named or {room}
        elif isinstance(node, ast.Import):
            names = (alias.name for alias in node.names)
            found |= {n.removeprefix("neurox_lite.") for n in names if n.startswith("neurox_lite")}
        else:
            found |= imports_of(node)
    return found


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    return {name: imports_of(ast.parse(path.read_text())) for name, path in MODULES.items()}


def test_imports_go_up_the_list_only(imports: dict[str, set[str]]) -> None:
    for name, of_module in imports.items():
        room = name.split(".")[0]
        for imported in of_module:
            other = imported.split(".")[0]
            assert other == room or LEVEL[other] < LEVEL[room], f"{name} imports {imported}"


def test_no_circle(imports: dict[str, set[str]]) -> None:
    TopologicalSorter(imports).prepare()


def test_circles_and_imports_in_functions_are_found() -> None:
    """Of what the two tests above rely on."""
    lines = "def f():\n    from neurox_lite.results import ranking"
    assert imports_of(ast.parse(lines)) == {"results.ranking"}
    only = "if TYPE_CHECKING:\n    from neurox_lite.results.ranking import NeuronRanking"
    assert imports_of(ast.parse(only)) == set()
    assert imports_of(ast.parse("import neurox_lite.files")) == {"files"}
    assert imports_of(ast.parse("import neurox_lite")) == {"neurox_lite"}  # has no level


def test_every_part_has_a_level() -> None:
    assert {name.split(".")[0] for name in MODULES} == set(LEVEL)


@pytest.mark.parametrize("command", ["import neurox_lite", "import neurox_lite.cli.main"])
def test_importing_is_light(command: str) -> None:
    heavy = ["torch", "transformers", "sklearn", "h5py", "matplotlib", "scipy", "pandas"]
    check = f"{command}, sys; sys.exit(any(m in sys.modules for m in {heavy}))"
    done = subprocess.run([sys.executable, "-c", check], env=os.environ, check=False)
    assert done.returncode == 0


def groups() -> list[ModuleType]:
    names = (getattr(neurox_lite, name) for name in neurox_lite.__all__)
    return [group for group in names if ismodule(group)]


def test_public_names_are_sorted_and_importable() -> None:
    groups = [
        group for name in neurox_lite.__all__ if ismodule(group := getattr(neurox_lite, name))
    ]
    assert len(groups) == 9
    for part in (neurox_lite, *groups):
        assert sorted(part.__all__) == part.__all__
        assert all(getattr(part, name) is not None for name in part.__all__)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    (block,) = filter(is_for_annotations, tree.body)
    names = {alias.name for node in block.body for alias in node.names}
    assert sorted(names) == neurox_lite.__all__


def test_public_names_are_few() -> None:
    """Beside rankers and attributions, one of which is learnt at a time."""
    groups = [
        group for name in neurox_lite.__all__ if ismodule(group := getattr(neurox_lite, name))
    ]
    methods = (neurox_lite.ranking, neurox_lite.attribution)
    others = [group for group in groups if group not in methods]
    names = {name for part in (neurox_lite, *others) for name in part.__all__}
    assert len(names) <= 80
