"""Commands are dataclasses: groups of options are flattened, and the command gets them back."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

import neurox_lite
from neurox_lite.cli.commands import as_function, in_options, option_names
from neurox_lite.errors import InputError

MOST_LINES = 60


@dataclass(frozen=True, kw_only=True)
class Inner:
    words: Annotated[str | None, typer.Option("--words", help="Which words.")] = None
    where: Annotated[list[str] | None, typer.Option("--where")] = None


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner
    strict: Annotated[bool, typer.Option("--strict")] = False


@dataclass(frozen=True, kw_only=True)
class Example:
    """What the help says."""

    context: typer.Context
    file: Annotated[str, typer.Argument()]
    outer: Outer
    out: Annotated[str, typer.Option("--out")]

    def execute(self) -> None:
        typer.echo(f"{self.file} {self.out} {self.outer} {self.context.info_name}")


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer(rich_markup_mode=None)
    app.command("example")(as_function(Example))
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_options_of_groups_are_those_of_the_command():
    assert option_names(Outer) == ["words", "where", "strict"]
    code, said = run("f", "--out", "o", "--words", "a.*", "--where", "x", "--where", "y")
    outer = Outer(inner=Inner(words="a.*", where=["x", "y"]), strict=False)
    assert (code, said.strip()) == (0, f"f o {outer} example")
    code, said = run("f", "--out", "o", "--strict")
    assert f"{Outer(inner=Inner(), strict=True)}" in said


def test_help_and_what_is_required():
    code, said = run("--help")
    assert code == 0 and "What the help says." in said and "Which words." in said
    assert run("f")[0] == 2


@pytest.mark.parametrize(
    "path", sorted((Path(neurox_lite.__file__).parent / "cli").glob("*.py")), ids=lambda p: p.stem
)
def test_functions_of_commands_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < MOST_LINES, node.name


FLAGS = {
    "n_neurons": "--select",
    "min_count": "--min-count",
    "shares": "--shares",
    "text": "--text",
}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("n_neurons is 0; give at least 1", "--select is 0; give at least 1"),
        ("shares (2.0,): give numbers", "--shares (2.0,): give numbers"),
        ("one of the shares is 'a'; give", "one of the --shares is 'a'; give"),
        ("too few; raise n_neurons, or less", "too few; raise --select, or less"),
        # Named already, a file, a name in quotes, a word of English, a shape, an option of others.
        (
            "leave out with min_count=2 (--min-count 2)",
            "leave out with min_count=2 (--min-count 2)",
        ),
        ("a/n_neurons.json: damaged 'n_neurons'", "a/n_neurons.json: damaged 'n_neurons'"),
        ("the text is empty; shares differ", "the text is empty; shares differ"),
        ("shape (3,); give (n_words, n_neurons)", "shape (3,); give (n_words, n_neurons)"),
        ("n_steps is 0; give at least 1", "n_steps is 0; give at least 1"),
    ],
)
def test_messages_name_options(said, meant):
    assert in_options(said, FLAGS) == meant


def test_a_command_says_its_own_option():
    @dataclass(frozen=True, kw_only=True)
    class Failing:
        n_words: Annotated[int, typer.Option("--words/--none")] = 0

        def execute(self) -> None:
            raise InputError(f"n_words is {self.n_words}; give at least 1")

    with pytest.raises(InputError, match=r"^--words is 0; give at least 1"):
        as_function(Failing)(n_words=0)
