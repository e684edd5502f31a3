"""Which neurons carry number to the verb? Masks of the embedded models, by every method.

`python -m tests.benchmarks.number_agreement --model lstm-0` prints the tables of docs/results.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import neurox_lite as nx
from tests.benchmarks.mask_table import HEADER, Task, row, solve

SITES = {"gpt2": "mlp"}
SUBJECT = 1
"""The subject is the second word of every template."""


def tasks(model: str) -> Iterator[Task]:
    loaded = nx.load_model(nx.embedded_path(f"models/{model}"), head="language")
    pairs = [
        pair
        for pair in nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
        # "The man and the women" is plural whatever the first noun is.
        if pair.template != "conjunction"
    ]
    by_number = {
        number: [pair for pair in pairs if pair.condition.startswith(number)]
        for number in ("singular", "plural")
    }
    for positions, where in (("all", "every word"), (SUBJECT, "subject")):
        for number, other in (("singular", "plural"), ("plural", "singular")):
            for within in (False, True):
                yield Task(
                    f"{model} {number} {where} {'within' if within else 'free'}",
                    loaded,
                    by_number[number],
                    by_number[other],
                    SITES.get(model, "lstm_cell"),
                    positions,
                    within,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["lstm-0", "lstm-1", "lstm-2", "gpt2"])
    parser.add_argument("--out", type=Path, default=Path("out/number-agreement"))
    arguments = parser.parse_args()
    row(*HEADER)
    row(*["---"] * len(HEADER))
    for model in arguments.model:
        for task in tasks(model):
            solve(task, arguments.out, exhaustive=1 if model == "lstm-0" else 0)


if __name__ == "__main__":
    main()
