"""A command has every option that its messages name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

import neurox_lite
from neurox_lite.cli import main

PACKAGE = Path(neurox_lite.__file__).parent
COMMANDS = {
    command.name: command.callback.__module__
    for command in main.app.registered_commands
    if command.name not in ("demo", "doctor")  # which take no input
}
DECLARE = ("neurox_lite.cli", "neurox_lite.ranking_methods", "neurox_lite.attribution_methods")
"""Where options are declared, not named in messages."""

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
OF_EXTRACT = re.compile(r"\b[Ee]xtract\b[^;]*$")
"""Before an option: it is one of the command ``extract``, whoever says so."""

NEVER_SAID = {
    # A store in a folder of results is always made anew, from the corpus of the job.
    "run": {"--overwrite", "--by-position"},
    # It takes labels as they are, or none.
    "extract": {"--strip-bio"},
    # What only writing says, which these do not do, or of options they do not set.
    "inspect": {"--overwrite"},
    # Reads no corpus and runs no model.
    "correlate": {
        "--min-count",
        "--by-position",
        "--text",
        "--include-incorrect",
        "--condition",
        "--template",
    },
    "compare": {
        "--min-count",
        "--by-position",
        "--text",
        "--include-incorrect",
        "--condition",
        "--template",
    },
    # It reads no store and takes labels as they are, and also the pairs that the model gets wrong.
    "attribute": {"--min-count", "--by-position", "--strip-bio", "--include-incorrect"},
    "describe": {"--by-position", "--strip-bio", "--include-incorrect"},
    # It takes the pairs that the model gets wrong, too.
    "ablate": {"--include-incorrect"},
    # Of minimal pairs, which it does not read.
    "rank": {"--condition", "--template", "--include-incorrect"},
    # It reads results, and neither labels nor texts.
    "report": {"--min-count", "--by-position", "--text", "--strip-bio"},
    "convert": {"--min-count", "--by-position", "--text"},
}


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


FILES = {module_of(path): path for path in PACKAGE.rglob("*.py")}


def texts(tree: ast.AST) -> Iterator[str]:
    """Strings of a module but docstrings, f-strings with their pieces in a row."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant) else "x" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        else:
            yield from texts(node)


def named_in(text: str) -> set[str]:
    return {
        found[0] for found in OPTION.finditer(text) if not OF_EXTRACT.search(text[: found.start()])
    }


@cache
def options_named(module: str) -> frozenset[str]:
    tree = ast.parse(FILES[module].read_text())
    return frozenset(option for text in texts(tree) for option in named_in(text))


@cache
def imported(module: str) -> frozenset[str]:
    """What a module imports when it runs."""
    tree = ast.parse(FILES[module].read_text())
    typing = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    skipped = {inner for node in typing for inner in ast.walk(node)}
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node not in skipped:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(name for name in names if name in FILES and name != "neurox_lite")


def reached(module: str) -> set[str]:
    found, waiting = set(), [module]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += imported(here)
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_the_options_that_its_messages_name(name: str) -> None:
    own = {
        option
        for parameter in typer.main.get_command(main.app).commands[name].params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    missing = {
        option: module
        for module in reached(COMMANDS[name])
        if not module.startswith(DECLARE)
        for option in options_named(module) - own - NEVER_SAID.get(name, set())
    }
    assert not missing


def test_options_are_found_in_messages() -> None:
    assert named_in("leave them out with min_count=2 (--min-count 2)") == {"--min-count"}
    assert named_in("too long; extract again with --window, or use --layers") == set()
    assert named_in("extract it again; or use --layers 3") == {"--layers"}
    assert "--min-count" in options_named("neurox_lite.activations.labelled_rows")
    assert "neurox_lite.activations.labelled_splits" in reached("neurox_lite.cli.run_job")


OTHER_NAMES = {"contexts", "extract", "folder", "numeric", "words"}
"""Of arguments that no message is about, or that are made of several options."""


def test_an_option_has_the_name_of_its_argument() -> None:
    """As messages name arguments, and ``in_options`` finds the option by its name."""
    found = set()
    for path in (PACKAGE / "cli").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            for keyword in call.keywords if isinstance(call, ast.Call) else ():
                value = keyword.value
                is_own = isinstance(value, ast.Attribute) and ast.unparse(value).startswith("self.")
                if is_own and value.attr != keyword.arg:
                    found.add(keyword.arg)
    assert found <= OTHER_NAMES
