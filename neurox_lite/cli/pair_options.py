"""Options of the commands that replace neurons on minimal pairs in a running model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from neurox_lite.corpora.minimal_pairs import MinimalPair, MinimalPairs
    from neurox_lite.results.pair_task import PairTask

Condition = Annotated[
    str | None,
    typer.Option(
        "--condition", help="Only pairs whose condition starts with this, such as singular."
    ),
]
Template = Annotated[
    str | None,
    typer.Option("--template", help="Only pairs of these templates, such as simple,adv."),
]
Positions = Annotated[
    str,
    typer.Option(
        "--positions",
        help="all, last (the last token, in a masked model often [SEP]), or the number of a "
        "word from 0 (-1: the last).",
    ),
]


@dataclass(frozen=True, kw_only=True)
class PairOptions:
    """A language model, and minimal pairs that it chooses from."""

    model: Annotated[
        str,
        typer.Option("--model", help="Causal or masked language model: folder, or name on a hub."),
    ]
    pairs: Annotated[
        list[str],
        typer.Option(
            "--pairs",
            help="Minimal pairs: a table, JSON lines of BLiMP, or a template file of Lakretz et "
            "al. 2019; several are joined.",
        ),
    ]
    template: Template = None
    positions: Positions = "all"
    include_incorrect: Annotated[
        bool, typer.Option("--include-incorrect", help="Also use pairs that the model gets wrong.")
    ] = False
    skip_bad_lines: Annotated[
        bool,
        typer.Option("--skip-bad-lines", help="Leave out lines that are not pairs, and list them."),
    ] = False

    def read(self) -> MinimalPairs:
        """All pairs of the files."""
        return read_all_pairs(self.pairs, self.skip_bad_lines)


def read_all_pairs(paths: Sequence[str], skip_bad_lines: bool) -> MinimalPairs:
    """The pairs of all files, each in any format."""
    from neurox_lite.corpora.minimal_pairs import MinimalPairs
    from neurox_lite.corpora.pair_files import read_pairs

    files = [read_pairs(path, skip_bad_lines=skip_bad_lines) for path in paths]
    return MinimalPairs(chain.from_iterable(files), [line for f in files for line in f.skipped])


def chosen_pairs(
    pairs: Sequence[MinimalPair], condition: str | None, template: str | None
) -> list[MinimalPair]:
    """The pairs of a condition, and of templates as ``"simple,adv"``."""
    from neurox_lite.corpora.pair_selection import select_pairs

    templates = None if template is None else [name.strip() for name in template.split(",")]
    return select_pairs(pairs, condition, templates)


def shown_task(task: PairTask | None) -> dict[str, Any]:
    """What a command says of what the intact model can do."""
    if task is None:
        return {}
    doubt = "" if task.holds else "the model cannot do the task: "
    return {"intact model": f"{doubt}{task}", "can do the task": task.holds}
