"""Do rankers find neurons that are known to carry the label? Tables in Markdown.

    python -m tests.benchmarks.rankers [--seeds 3] [--methods NAME,...]

docs/which-method.md has the results and says what they mean; `python -m
tests.benchmarks.result_figures which-method` draws its figure from them.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import product
from multiprocessing import get_context

os.environ["HF_HUB_OFFLINE"] = "1"
# As the commands do.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from tqdm.auto import tqdm

from neurox_lite.evaluation.method_table import MethodTable
from neurox_lite.intervals import mean_interval
from neurox_lite.ranking import METHODS
from neurox_lite.report.markdown import table
from tests.benchmarks.planted import CONDITIONS
from tests.benchmarks.planted_models import CROSS_MODEL_CONDITIONS
from tests.benchmarks.ranker_measures import (
    Values,
    measured,
    measured_models,
    measured_number,
    measured_readout,
)

LSTMS = ("lstm-0", "lstm-1", "lstm-2")
COLUMNS_PER_TABLE = 6
NO_SHARES = ("Spearman", "milliseconds")


def collected(results: Iterable[tuple[str, Values]], measure: str | None = None) -> MethodTable:
    """One measure by condition, or all over all conditions: means over seeds with intervals."""
    values: dict[str, dict[str, list[float]]] = {}
    for condition, result in results:
        for method, row in result.items():
            for name, value in row.items():
                if measure in (None, name):
                    column = name if measure is None else condition
                    values.setdefault(method, {}).setdefault(column, []).append(value)
    table = MethodTable.from_values(values)
    cells = [[row.get(column) for column in table.columns] for row in values.values()]
    names = [measure or column for column in table.columns]
    low, high = (
        tuple(
            tuple(
                cell and interval(cell, is_share=name not in NO_SHARES)[end]
                for name, cell in zip(names, row, strict=True)
            )
            for row in cells
        )
        for end in (0, 1)
    )
    return replace(table, low=low, high=high)


def interval(values: Sequence[float], *, is_share: bool) -> tuple[float, float]:
    """Where the mean over all seeds is, at 95 %, by Student's t; a share is from 0 to 1."""
    found = mean_interval(values, np.arange(len(values)))
    if not is_share:
        return found.low, found.high
    return max(found.low, min(0.0, *values)), min(found.high, max(1.0, *values))


def show(title: str, methods: MethodTable, *, ranges: bool = True) -> None:
    """Print a table as Markdown: the mean, and in brackets its interval."""
    print(f"\n{title}\n")
    for first in range(0, len(methods.columns), COLUMNS_PER_TABLE):
        chosen = slice(first, first + COLUMNS_PER_TABLE)
        parts = zip(methods.mean, methods.low, methods.high, strict=True)
        rows = [
            [method, *map(_cell if ranges else _mean, mean[chosen], low[chosen], high[chosen])]
            for method, (mean, low, high) in zip(methods.methods, parts, strict=True)
        ]
        print(table(["method", *methods.columns[chosen]], rows), end="\n\n", flush=True)


def _cell(mean: float | None, low: float | None, high: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.2f}" if low == high else f"{mean:.2f} ({low:.2f} to {high:.2f})"


def _mean(mean: float | None, *_: float | None) -> str:
    return "" if mean is None else f"{mean:.2f}"


def run(
    pool: Executor, function: Callable[..., Values], *names: Iterable[object], **options: object
) -> list[tuple[str, Values]]:
    """The results of all combinations of arguments, each with its first argument."""
    jobs = list(product(*names))
    done = pool.map(partial(function, **options), *zip(*jobs, strict=True))
    bar = tqdm(done, total=len(jobs), desc=function.__name__, disable=None)
    return [(str(job[0]), values) for job, values in zip(jobs, bar, strict=True)]


def prepare() -> None:
    """In every process: one thread, and no warnings of probes of noise, nor of scikit-learn."""
    warnings.filterwarnings("ignore", module="sklearn")
    torch.set_num_threads(1)
    logging.getLogger("neurox_lite").setLevel(logging.ERROR)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", default=",".join(METHODS), help="All by default.")
    options = parser.parse_args()
    seeds, methods = range(options.seeds), options.methods.split(",")
    start = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), prepare) as pool:
        number = run(pool, measured_number, LSTMS, methods=methods)
        show("Units that decide the number of the verb in three LSTMs", collected(number))
        two = run(pool, measured_readout, LSTMS[:1], seeds, methods=methods)
        show("Two units of a real LSTM that decide", collected(two))
        models = run(pool, measured_models, CROSS_MODEL_CONDITIONS, seeds)
        show("Precision, three models", collected(models, "precision"))
        synthetic = run(pool, measured, CONDITIONS, seeds, methods=methods)
    show("Precision at the planted size", collected(synthetic, "precision"))
    show("Accuracy of a probe of the top", collected(synthetic, "keep top"), ranges=False)
    show("Over all conditions", collected(synthetic), ranges=False)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
