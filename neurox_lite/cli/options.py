"""Options that several commands take, each declared once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from neurox_lite.errors import InputError
from neurox_lite.output_formats import check_formats


def _set_debug(context: typer.Context, value: bool) -> bool:
    if value and context.obj is not None:
        context.obj.debug = True
    return value


Debug = Annotated[
    bool, typer.Option("--debug", callback=_set_debug, help="Show a traceback on errors.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Seed = Annotated[
    int, typer.Option("--seed", min=0, help="Seed of everything random, the split included.")
]

REGRESSION = "a regression, which has numbers and no classes,"

MODEL = typer.Option("--model", help="Model folder, or name on the hub.")
STORE = typer.Option("--store", help="Activations, from 'extract'.")
TAG = typer.Option("--tag", help="The tag whose labels are used, such as upos or Number.")

Model = Annotated[str, MODEL]
Store = Annotated[str, STORE]
Tag = Annotated[str, TAG]
Corpus = Annotated[
    list[str],
    typer.Option(
        "--corpus",
        metavar="FILE|SPLIT=FILE",
        help="One file, split at random 80/10/10, or train=FILE, dev=FILE, test=FILE; without "
        "dev, a tenth of train is taken.",
    ),
]
CorpusIfAny = Annotated[
    list[str] | None,
    typer.Option("--corpus", metavar="FILE|SPLIT=FILE", help="Labelled words; see 'probe'."),
]
Layers = Annotated[
    str | None, typer.Option("--layers", help="Such as 0,4, 0-3 or -1; all by default.")
]
Engine = Annotated[
    str, typer.Option("--engine", help="local, or ray for the workers of a Ray cluster.")
]
L1 = Annotated[float, typer.Option("--l1", help="L1 penalty.")]
L2 = Annotated[float, typer.Option("--l2", help="L2 penalty.")]


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How a probe is fitted."""

    l1: L1 = 1e-3
    l2: L2 = 1e-3
    search: Annotated[
        bool, typer.Option("--search", help="Choose the penalties on dev, from a grid.")
    ] = False
    standardize: Annotated[
        bool, typer.Option(help="Scale neurons to mean 0 and variance 1, which the papers do not.")
    ] = True
    tol: Annotated[float, typer.Option("--tol", help="Relative duality gap to reach.")] = 1e-4
    max_iter: Annotated[int, typer.Option("--max-iter", help="Most passes over the data.")] = 2000
    class_weight: Annotated[
        str | None,
        typer.Option(
            "--class-weight", metavar="balanced", help="Give all classes the same weight."
        ),
    ] = None


TableFormat = Annotated[
    str | None,
    typer.Option("--table-format", metavar="csv|latex", help="Also write the results as tables."),
]


@dataclass(frozen=True, kw_only=True)
class FigureOptions:
    """How results are written, beside their JSON files."""

    figure_format: Annotated[
        str, typer.Option("--figure-format", metavar="png|pdf|svg", help="Format of the figures.")
    ] = "png"
    table_format: TableFormat = None

    def check(self) -> None:
        """Raise InputError when there is no such format."""
        check_formats(self.figure_format, self.table_format)

    def save(self, result: Any, path: Path, title: str | None = None) -> None:
        """Write a result as JSON, and its figure and table beside it."""
        from neurox_lite.figures import save_result

        save_result(result, path, title=title, **vars(self))


def reject_options(context: typer.Context, names: Sequence[str], taker: str) -> None:
    """Raise InputError when options that ``taker`` does not take are on the command line."""
    given = given_options(context, names)
    if given:
        them = "it" if len(given) == 1 else "them"
        raise InputError(f"{taker} takes no {', '.join(given)}; leave {them} out")


def given_options(context: typer.Context, names: Sequence[str]) -> list[str]:
    """Those of some parameters that are on the command line, as they are written there."""
    written = {option.name: option.opts[0] for option in context.command.params}
    return [
        written[name]
        for name in names
        if (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    ]
