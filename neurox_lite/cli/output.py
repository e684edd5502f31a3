"""Options and output that all commands share."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from neurox_lite.errors import InputError
from neurox_lite.escaping import json_line, terminal

EXIT_DONE, EXIT_FAILURE, EXIT_BAD_INPUT, EXIT_INCONCLUSIVE = 0, 1, 2, 3
EXIT_STOPPED = 130
"""By Ctrl-C, as shells have it."""

REGRESSION = "a regression, which has numbers and no classes,"


@dataclass
class Settings:
    """Options that concern the command line itself."""

    debug: bool = False
    as_json: bool = False


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
Corpus = Annotated[
    list[str],
    typer.Option(
        "--corpus",
        metavar="FILE|SPLIT=FILE",
        help="One file, split at random 80/10/10, or train=FILE, dev=FILE, test=FILE; "
        "without dev, it is a tenth of train.",
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--labels",
        metavar="FILE|SPLIT=FILE",
        help="Label files of parallel text or of sentences, like --corpus.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="conllu, columns, parallel, sentences, text, csv or tsv; told from the name if not.",
    ),
]
Match = Annotated[
    str | None,
    typer.Option(
        "--match",
        metavar="REGEX",
        help="Add labels called 'match': does the regular expression match the whole word?",
    ),
]


Store = Annotated[str, typer.Option("--store", help="Activations, from 'extract'.")]
Tag = Annotated[str, typer.Option("--tag", help="Tag, as upos or Number.")]
Label = Annotated[
    str | None,
    typer.Option("--label", help="Tell only this label from all others, as NOUN from not NOUN."),
]
Layers = Annotated[str | None, typer.Option("--layers", help="As 0,4, 0-3 or -1; all by default.")]
L1 = Annotated[float, typer.Option("--l1", help="L1 penalty.")]
L2 = Annotated[float, typer.Option("--l2", help="L2 penalty.")]
Search = Annotated[bool, typer.Option("--search", help="Choose the penalties on dev, from a grid.")]
Standardize = Annotated[
    bool, typer.Option(help="Scale neurons to mean 0, variance 1; the papers do not.")
]
Tol = Annotated[float, typer.Option("--tol", help="Relative duality gap to reach.")]
MaxIter = Annotated[int, typer.Option("--max-iter", help="Passes over the data.")]
ClassWeight = Annotated[
    str | None,
    typer.Option("--class-weight", metavar="balanced", help="Let all classes count the same."),
]
MinCount = Annotated[
    int | None, typer.Option("--min-count", help="Leave out classes with fewer training words.")
]
Words = Annotated[
    str | None,
    typer.Option(
        "--words",
        metavar="REGEX",
        help="Use only words that the regular expression matches as a whole.",
    ),
]
WordsFrom = Annotated[
    str | None,
    typer.Option("--words-from", metavar="FILE", help="Use only words of a file, one per line."),
]
MinFrequency = Annotated[
    int, typer.Option("--min-frequency", help="Use only words that train has at least so often.")
]
MaxFrequency = Annotated[
    int | None,
    typer.Option("--max-frequency", help="Use only words that train has at most so often."),
]
Disjoint = Annotated[
    str | None,
    typer.Option(
        "--disjoint",
        metavar="sentences|types",
        help="Leave out words so that splits share no sentence, or no word type either.",
    ),
]


FigureFormat = Annotated[
    str, typer.Option("--figure-format", metavar="png|pdf|svg", help="Of the figures.")
]
TableFormat = Annotated[
    str | None,
    typer.Option("--table-format", metavar="csv|latex", help="Write the results as tables, too."),
]


def reject_options(context: typer.Context, names: Sequence[str], taker: str) -> None:
    """Raise InputError when options that ``taker`` does not take are on the command line."""
    given = given_options(context, names)
    if given:
        raise InputError(f"{taker} takes no {', '.join(given)}; run it without")


def given_options(context: typer.Context, names: Sequence[str]) -> list[str]:
    """Those of some parameters that are on the command line, as they are written there."""
    written = {option.name: option.opts[0] for option in context.command.params}
    return [
        written[name]
        for name in names
        if (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    ]


def by_split(values: list[str] | None) -> Any:
    """``["a"]`` -> ``"a"``; ``["train=a", "dev=b"]`` -> a mapping; None -> None."""
    if not values:
        return None
    if len(values) == 1 and not values[0].startswith(("train=", "dev=", "test=")):
        return values[0]
    pairs = [value.partition("=") for value in values]
    if not all(separator and name in ("train", "dev", "test") for name, separator, _ in pairs):
        raise InputError(
            f"{' '.join(values)}: give one file, or train=FILE, dev=FILE and test=FILE"
        )
    files = {name: file for name, _, file in pairs}
    if len(files) < len(pairs):
        raise InputError(f"{' '.join(values)}: a split is given twice; give one file for each")
    return files


def layers_of(text: str | None) -> list[int] | None:
    """``"0-2,-1"`` -> ``[0, 1, 2, -1]``; None and ``"all"`` -> None."""
    if text is None or text.strip() == "all":
        return None
    layers: list[int] = []
    for part in text.split(","):
        between = re.fullmatch(r"\s*(\d+)-(\d+)\s*", part)
        try:
            first, last = map(int, between.groups()) if between else (int(part), int(part))
        except ValueError:
            raise InputError(
                f"--layers '{text}': give whole numbers separated by commas, as 0,4,-1, a range as "
                "0-3, or all"
            ) from None
        if first > last:
            raise InputError(f"--layers '{text}': {part} goes down; give it as {last}-{first}")
        layers += range(first, last + 1)
    return layers


def integers(text: str | None) -> list[int] | None:
    """``"0,4,-1"`` -> ``[0, 4, -1]``."""
    try:
        return None if text is None else [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"'{text}': give whole numbers separated by commas, as 0,4,-1") from None


def numbers(text: str) -> list[float]:
    """``"0.01,0.5"`` -> ``[0.01, 0.5]``."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"'{text}': give numbers separated by commas, as 0.01,0.1,0.5") from None


NOT_COUNTED = "not counted"
"""What a store does not say that was converted, or made by an earlier version."""


def show(result: dict[str, Any], as_json: bool) -> None:
    """Print a result: one JSON object, or a line per key."""
    if as_json:
        typer.echo(json_line(result))
        return
    shown = {terminal(key): terminal(_plain(value)) for key, value in result.items()}
    width = max(map(len, shown))
    for key, value in shown.items():
        typer.echo(f"{key:<{width}}  {value}")


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_plain(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)


def quiet_transformers() -> None:
    """Leave the loading bars of transformers to people who watch a terminal."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    if not sys.stderr.isatty():
        logging.disable_progress_bar()
