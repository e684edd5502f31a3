"""Attribution methods run over tasks and seeds, and the tables of what they reach."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch

from neurox_lite import attribution
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions

Method = Callable[[ExplainedTexts, ExplainedTexts, int], TokenAttributions]
"""Of texts to fit on, texts to explain, and a seed."""

Results = dict[str, list[dict[str, float]]]
"""Of each method, for each seed, its measures."""

METHODS: dict[str, Method] = {
    "uniform": lambda train, texts, seed: attribution.uniform(texts),
    "leave-one-out": lambda train, texts, seed: attribution.leave_one_out(texts),
}


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Options that all these benchmarks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seeds", type=int, default=5, help="of model and method, 0 to N - 1")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--json", action="store_true", help="means over seeds, as one object")
    return parser


def run_methods(
    names: Iterable[str],
    train: ExplainedTexts,
    texts: ExplainedTexts,
    seed: int,
    measure: Callable[[TokenAttributions], Mapping[str, float]],
) -> dict[str, dict[str, float]]:
    """Measures of each method, and its seconds per text, fitting counted."""
    found = {}
    for name in names:
        torch.manual_seed(seed)
        start = time.perf_counter()
        attributions = METHODS[name](train, texts, seed)
        seconds = time.perf_counter() - start
        found[name] = {**measure(attributions), "seconds": seconds / len(texts)}
        print(f"seed {seed} {name}: {found[name]}", file=sys.stderr, flush=True)
    return found


def add(results: Results, of_seed: Mapping[str, Mapping[str, float]]) -> None:
    """Append the measures of a seed."""
    for name, measures in of_seed.items():
        results.setdefault(name, []).append(dict(measures))


def show(results: Results, *, as_json: bool) -> None:
    """Means over seeds as JSON, or with the least and the largest as a Markdown table."""
    if as_json:
        print(json.dumps({name: means(rows) for name, rows in results.items()}))
        return
    columns = list(next(iter(results.values()))[0])
    print(f"| method | {' | '.join(columns)} |")
    print(f"|{' --- |' * (len(columns) + 1)}")
    for name, rows in results.items():
        cells = [cell([row[column] for row in rows]) for column in columns]
        print(f"| {name} | {' | '.join(cells)} |")


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {column: float(sum(row[column] for row in rows) / len(rows)) for column in rows[0]}


def cell(values: Sequence[float]) -> str:
    """The mean, and in brackets the least and the largest."""
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.3g}"
    return f"{mean:.3g} ({min(values):.3g} to {max(values):.3g})"
