"""Which neurons choose between she and he? Masks of the embedded models, by every method.

`python -m tests.benchmarks.gender` prints the tables of docs/results/gender.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch

import neurox_lite as nx
from neurox_lite.corpora.grammar import Grammar
from neurox_lite.corpora.pair_templates import gender_pairs
from tests.benchmarks.mask_table import (
    Task,
    number_pairs,
    row,
    side_effect_table,
    solve_all,
    turned,
)

SITES = {"gpt2": "mlp"}
PERSON = 1
"""The person is the second word of both templates."""

N_PAIRS, SEED = 200, 1
"""Per template and condition; the embedded file has 50."""


def tasks(model: str) -> Iterator[Task]:
    """Professions, turned from the pronoun that goes with them to the other."""
    loaded = nx.load_model(nx.embedded_path(f"models/{model}"), head="language")
    pairs = gender_pairs(Grammar(), N_PAIRS, SEED)
    by_gender = {
        gender: [pair for pair in pairs if pair.condition == f"stereotype_{gender}"]
        for gender in ("feminine", "masculine")
    }
    for positions, where in (("all", "every word"), (PERSON, "person")):
        for bounds_from in (False, True):
            for gender, other in (("feminine", "masculine"), ("masculine", "feminine")):
                yield Task(
                    f"{model} {gender} {where} {'bounds_from' if bounds_from else 'free'}",
                    loaded,
                    by_gender[gender],
                    by_gender[other],
                    SITES.get(model, "lstm_cell"),
                    positions,
                    bounds_from,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["lstm-0", "gpt2"])
    parser.add_argument("--out", type=Path, default=Path("out/gender"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # sums have one order, and two models can run side by side
    definitional = {
        condition: [
            pair for pair in gender_pairs(Grammar(), N_PAIRS, SEED) if pair.condition == condition
        ]
        for condition in ("definitional_feminine", "definitional_masculine")
    }
    for model in arguments.model:
        masks = solve_all(list(tasks(model)), arguments.out)
        names = ["stereotype, own", "stereotype, other", *definitional]
        row("mask", *names)
        row(*["---"] * (1 + len(names)))
        for task, mask in masks:
            sets = [task.pairs, task.target_pairs, *definitional.values()]
            row(task.name, *(f"{100 * turned(task, mask, pairs):.0f} %" for pairs in sets))
        side_effect_table(masks, number_pairs())


if __name__ == "__main__":
    main()
