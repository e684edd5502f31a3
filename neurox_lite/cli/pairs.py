"""What the commands that read minimal pairs, or text beside them, share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from neurox_lite.corpora.minimal_pairs import MinimalPair
    from neurox_lite.models.loading import LoadedModel
    from neurox_lite.results.pair_task import PairTask

logger = logging.getLogger(__name__)

LanguageModel = Annotated[
    str, typer.Option("--model", help="Causal or masked language model: folder, or name on a hub.")
]
Pairs = Annotated[
    list[str],
    typer.Option(
        "--pairs",
        help="Minimal pairs, JSON lines of BLiMP, or a template of Lakretz et al. 2019; several "
        "are joined.",
    ),
]
SkipBadPairs = Annotated[
    bool, typer.Option("--skip-bad-lines", help="Leave out lines that are no pair, and list them.")
]
Condition = Annotated[
    str | None,
    typer.Option("--condition", help="Only pairs whose condition starts so, as singular."),
]
Template = Annotated[
    str | None, typer.Option("--template", help="Only pairs of these templates, as simple,adv.")
]
Site = Annotated[
    str | None,
    typer.Option(
        "--site",
        help="By default a ranking's own, else lstm_cell of LSTMs, hidden_states of others.",
    ),
]
Positions = Annotated[
    str,
    typer.Option(
        "--positions",
        help="all, last (the last token, of a masked model often [SEP]), or the number of a word "
        "from 0 (-1: the last).",
    ),
]


def read_all_pairs(paths: list[str], skip_bad_lines: bool = False) -> list[MinimalPair]:
    """The pairs of all files, each in any format."""
    from neurox_lite.corpora.pair_files import read_pairs

    return [pair for path in paths for pair in read_pairs(path, skip_bad_lines=skip_bad_lines)]


def chosen_pairs(
    pairs: list[MinimalPair], condition: str | None, template: str | None
) -> list[MinimalPair]:
    """The pairs that were asked for.

    Raises
    ------
    InputError
        When there are none.
    """
    from neurox_lite.choices import did_you_mean, listed
    from neurox_lite.errors import InputError

    templates = None if template is None else {name.strip() for name in template.split(",")}
    chosen = [
        pair
        for pair in pairs
        if (condition is None or pair.condition.startswith(condition))
        and (templates is None or pair.template in templates)
    ]
    if not chosen:
        conditions = sorted({pair.condition for pair in pairs})
        names = sorted({pair.template for pair in pairs})
        hints = {"" if condition is None else did_you_mean(condition, conditions)}
        hints |= {did_you_mean(name, names) for name in templates or () if name not in names}
        raise InputError(
            f"no pairs of that kind; the conditions are {listed(conditions)}, the templates "
            f"{listed(names)}{''.join(sorted(hints))}"
        )
    return chosen


def other_pairs(
    loaded: LoadedModel, every: list[MinimalPair], chosen: list[MinimalPair], place: str | int
) -> list[MinimalPair]:
    """The pairs that were not chosen, less those that the model cannot choose between.

    When neurons are replaced at one word, those without such a word are left out, too.
    """
    from neurox_lite.interventions.pair_inputs import usable

    taken = set(chosen)
    others = [pair for pair in every if pair not in taken]
    kept = [
        pair
        for pair in usable(loaded, others)
        if isinstance(place, str) or -len(pair.prefix) <= place < len(pair.prefix)
    ]
    if len(kept) < len(others):
        logger.info(
            "side effects: %d of %d other pairs left out (unknown words, or no such word)",
            len(others) - len(kept),
            len(others),
        )
    return kept


def shown_task(task: PairTask | None) -> dict[str, Any]:
    """What a command says of what the intact model can do."""
    if task is None:
        return {}
    doubt = "" if task.holds else "the model cannot do the task: "
    return {"intact model": f"{doubt}{task}", "can do the task": task.holds}


def position(text: str) -> str | int:
    """``all``, ``last`` or the number of a word."""
    try:
        return int(text)
    except ValueError:
        return text
