"""Is there a mask of two cells that turns the verb? All 32,640 of each LSTM, by exhaustive search.

`python -m tests.benchmarks.two_cells` prints the table of docs/results/number.md; six minutes
a row.
"""

from __future__ import annotations

import argparse

import torch

from neurox_lite.masking.fit_task import without_gates
from neurox_lite.masking.neuron_mask import pair_effect
from tests.benchmarks.mask_table import Task, best_of_all, row
from tests.benchmarks.number_agreement import tasks

N_BEST = 256


def best_two(task: Task) -> None:
    effect, _ = pair_effect(task.loaded, task.pairs, **task.where)
    intact = without_gates(effect, torch.arange(len(effect)))
    found = best_of_all(effect, 2, n_best=N_BEST)
    row(
        task.name,
        f"{intact:.2f}",
        f"{-intact / 2:.2f}",
        " ".join(map(str, effect.space.neurons(found[0].columns))),
        f"{found[0].effect:.2f}",
        str(sum(mask.effect >= -intact / 2 for mask in found)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["lstm-0", "lstm-1", "lstm-2"])
    arguments = parser.parse_args()
    row("task", "intact", "asked for", "best two cells", "reach", f"enough, of the best {N_BEST}")
    row(*["---"] * 6)
    for model in arguments.model:
        for task in tasks(model):
            if task.positions == "all" and not task.bounds_from:
                best_two(task)


if __name__ == "__main__":
    main()
