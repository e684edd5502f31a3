"""What commands say, and the exit codes they end with."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from neurox_lite.escaping import json_line, terminal

if TYPE_CHECKING:
    from neurox_lite.activations.matrix import ActivationMatrix
    from neurox_lite.corpora.minimal_pairs import MinimalPairs
    from neurox_lite.corpora.tagged_corpus import TaggedCorpus
    from neurox_lite.results.ranking import NeuronRanking

EXIT_DONE, EXIT_FAILURE, EXIT_BAD_INPUT, EXIT_INCONCLUSIVE = 0, 1, 2, 3
EXIT_STOPPED = 130
"""By Ctrl-C, as shells have it."""


@dataclass
class Settings:
    """Options that concern the command line itself."""

    debug: bool = False
    as_json: bool = False


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
    if value is None:
        return "not known"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_plain(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)


def skipped_lines(read: TaggedCorpus | MinimalPairs) -> dict[str, Any]:
    """What a command shows of bad lines; nothing when there are none."""
    return {"skipped lines": list(read.skipped)} if read.skipped else {}


def top_neurons(ranking: NeuronRanking) -> dict[str, Any]:
    """What a command shows of a ranking."""
    space = ranking.space
    top = space.neurons(ranking.top_columns(min(10, space.n_neurons)))
    shown = {space.unit_name: space.n_neurons, "top": [str(neuron) for neuron in top]}
    if ranking.unscored:
        shown["without a score"] = [str(neuron) for neuron in ranking.unscored]
    return shown


def negligible_in(X: ActivationMatrix) -> dict[str, Any]:
    """What a command shows of neurons that it ranks, though the model cannot read them."""
    from neurox_lite.activations.negligible import negligible_neurons

    found = negligible_neurons(X)
    return {"negligible in their layer": [str(neuron) for neuron in found]} if found else {}


def quiet_transformers() -> None:
    """Leave the loading bars of transformers to people who watch a terminal."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    if not sys.stderr.isatty():
        logging.disable_progress_bar()


def duration(seconds: float) -> str:
    """Of an estimate, in a unit that suits it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def size(n_bytes: int | None) -> str:
    """Of an estimate, in MB or GB."""
    if n_bytes is None:
        return "not known"
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
