"""Which neurons carry number to the verb? Masks of the embedded models, by every method.

`python -m tests.benchmarks.number_agreement` prints the tables of docs/results/number.md: the
smallest mask by every method, what it does to the templates of Lakretz et al. (2019), and its side
effects.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch

import neurox_lite as nx
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.corpora.pair_files import read_number_agreement
from neurox_lite.interventions.pair_inputs import usable
from tests.benchmarks.joined_forms import joined_table
from tests.benchmarks.mask_table import (
    Task,
    number_pairs,
    row,
    side_effect_table,
    solve_all,
    turned,
)

SITES = {"gpt2": "mlp"}
SUBJECT = 1
"""The subject is the second word of every template."""


def tasks(model: str) -> Iterator[Task]:
    loaded = nx.load_model(nx.embedded_path(f"models/{model}"), head="language")
    by_number = number_pairs()
    for positions, where in (("all", "every word"), (SUBJECT, "subject")):
        for bounds_from in (False, True):
            for number, other in (("singular", "plural"), ("plural", "singular")):
                yield Task(
                    f"{model} {number} {where} {'bounds_from' if bounds_from else 'free'}",
                    loaded,
                    by_number[number],
                    by_number[other],
                    SITES.get(model, "lstm_cell"),
                    positions,
                    bounds_from,
                )


def lakretz(folder: Path, task: Task) -> dict[str, Sequence[MinimalPair]]:
    """Pairs of the seven templates that the model knows the words of, by template and number."""
    found: dict[str, Sequence[MinimalPair]] = {}
    for path in sorted(folder.glob("*.txt")):
        pairs = read_number_agreement(path)
        kept = usable(task.loaded, pairs)
        print(f"  {path.stem}: {len(kept)} of {len(pairs)} pairs in the vocabulary", flush=True)
        for number in ("singular", "plural"):
            found[f"{path.stem} {number}"] = [p for p in kept if p.condition.startswith(number)]
    return found


def pronouns() -> dict[str, list[MinimalPair]]:
    """Pairs of another task by condition: she or he."""
    found: dict[str, list[MinimalPair]] = {}
    for pair in nx.read_pairs(nx.embedded_path("corpora/gender-pairs.tsv")):
        found.setdefault(pair.condition.replace("_", " "), []).append(pair)
    return found


def template_table(
    masks: Sequence[tuple[Task, nx.NeuronMask]], templates: Mapping[str, Sequence[MinimalPair]]
) -> None:
    """The share of choices that a mask turns, by template: of its own number, of the other."""
    names = list(dict.fromkeys(name.split()[0] for name in templates))
    row("mask", "subjects", *names)
    row(*["---"] * (2 + len(names)))
    for task, mask in masks:
        for pairs in (task.pairs, task.target_pairs):
            number = pairs[0].condition.split("_")[0]
            shares = [turned(task, mask, templates[f"{name} {number}"]) for name in names]
            row(task.name, number, *(f"{100 * share:.0f} %" for share in shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["lstm-0", "lstm-1", "lstm-2", "gpt2"])
    parser.add_argument("--templates", type=Path, default=Path("../shared/data/number_agreement"))
    parser.add_argument("--out", type=Path, default=Path("out/number-agreement"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # sums have one order, and two models can run side by side
    for model in arguments.model:
        every = list(tasks(model))
        masks = solve_all(every, arguments.out)
        template_table(masks, lakretz(arguments.templates, every[0]))
        side_effect_table(masks, pronouns())
        joined_table(masks)
        for (task, mask), (other, target_pairs) in zip(masks[::2], masks[1::2], strict=True):
            both = mask.compare(target_pairs)
            print(
                f"  {task.name} and {other.name}: {len(both.both)} neurons shared, "
                f"{both.expected:.3f} of independent sets, p = {both.p_at_least:.2g}",
                flush=True,
            )


if __name__ == "__main__":
    main()
