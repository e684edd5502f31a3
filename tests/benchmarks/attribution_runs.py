"""Attribution methods run over tasks and seeds, and the tables of what they reach."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch

from neurox_lite.attribution import ATTRIBUTION_METHODS, attribute_by
from neurox_lite.attribution.kept_tokens import KeptTokens
from neurox_lite.errors import InputError
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.masking.token_mask import TokenMask
from neurox_lite.results.token_attributions import TokenAttributions

Results = dict[str, list[dict[str, float]]]
"""Of each method, for each seed, its measures."""

ESTIMATORS = {"diffmask": "hard-concrete", "reinforce-amortised": "reinforce"}
"""Of token masks, which are fitted on other texts than those that are explained."""

PER_TEXT = ("diffmask-per-text", "reinforce")
"""Masks without a network, of each text for itself."""

METHODS = (*ESTIMATORS, *(name for name in ATTRIBUTION_METHODS if name not in ESTIMATORS))


def parser_of(description: str | None, *, has_seeds: bool = True) -> argparse.ArgumentParser:
    """Options that all these benchmarks have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if has_seeds:
        parser.add_argument("--seeds", type=int, default=5, help="of model and method, 0 to N - 1")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--json", action="store_true", help="means over seeds, as one object")
    return parser


def run_methods(
    names: Iterable[str],
    train: ExplainedTexts,
    texts: ExplainedTexts,
    seed: int,
    options: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, TokenAttributions, float]]:
    """Attributions by each method that applies, and its seconds per text, fitting counted.

    Parameters
    ----------
    names : of methods
    train : ExplainedTexts
        What a method is fitted on that explains more texts than those.
    texts : ExplainedTexts
        To be explained.
    seed : int
    options : of methods by name
        Others than their own defaults.
    """
    for name in names:
        start = time.perf_counter()
        try:
            attributions = attribute(name, train, texts, seed, options.get(name, {}))
        except InputError as error:
            say(f"seed {seed}, {name}: left out, {error}")
            continue
        seconds = time.perf_counter() - start
        say(f"seed {seed}, {name}: {seconds:.1f} s")
        yield name, attributions, seconds / len(texts)


def attribute(
    name: str,
    train: ExplainedTexts,
    texts: ExplainedTexts,
    seed: int,
    options: Mapping[str, Any],
) -> TokenAttributions:
    """Attributions by one method."""
    if name in ESTIMATORS:
        return fit_mask(name, train, seed, options).explain(texts)
    has_seed = any(option.name == "seed" for option in ATTRIBUTION_METHODS[name].options)
    return attribute_by(name, texts, **options, **({"seed": seed} if has_seed else {}))


def fit_mask(name: str, train: ExplainedTexts, seed: int, options: Mapping[str, Any]) -> TokenMask:
    """A token mask, by either estimator; says whether it holds."""
    mask = TokenMask(estimator=ESTIMATORS[name], seed=seed, **options).fit(train)
    say(f"seed {seed}, {name}: {mask.status}")
    return mask


def say(line: str) -> None:
    """On stderr, since stdout is for tables and JSON."""
    print(line, file=sys.stderr, flush=True)


def add(results: Results, name: str, measures: Mapping[str, float]) -> None:
    """Append the measures of a seed, and say them: a run that is broken off has shown them."""
    results.setdefault(name, []).append(dict(measures))
    say(json.dumps({name: measures}))


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
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def print_kept(title: str, kept: KeptTokens) -> None:
    """A row for each label: the share of its tokens that is kept, state by state."""
    print(f"\n{title}\n\n| share kept | tokens | {' | '.join(kept.states)} |")
    print(f"|{' --- |' * (len(kept.states) + 2)}")
    for label, count, row in zip(kept.labels, kept.n_tokens, kept.kept, strict=True):
        print(f"| {label} | {count} | {' | '.join(map(str, row))} |", flush=True)


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {column: sum(row[column] for row in rows) / len(rows) for column in rows[0]}


def cell(values: Sequence[float]) -> str:
    """The mean, and in brackets the least and the largest."""
    mean = sum(values) / len(values)
    if len(set(values)) == 1:
        return f"{mean:.3g}"
    return f"{mean:.3g} ({min(values):.3g} to {max(values):.3g})"


def one_thread() -> None:
    """Sums have one order, and two tasks can run side by side."""
    torch.set_num_threads(1)
