"""The smallest mask for a task by every method: rows of a table, and the masks themselves."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch

import neurox_lite as nx
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.evaluation.model_metrics import evaluate, pair_changes
from neurox_lite.masking.effects import PairEffect
from neurox_lite.masking.exhaustive import best_masks
from neurox_lite.masking.fitting import fit_mask, leading_mask
from neurox_lite.masking.neuron_mask import pair_effect
from neurox_lite.masking.reinforce import reinforce_mask
from neurox_lite.models.loading import LoadedModel
from neurox_lite.ranking.random import random_ranking
from neurox_lite.results.mask_fit import MaskFit
from neurox_lite.results.seed_spread import SeedSpread
from neurox_lite.results.side_effects import SideEffect

SEEDS = range(5)
HEADER = ("task", "method", "neurons", "feasible", "held out, turned", "held out, nats", "runs")


@dataclass(frozen=True)
class Task:
    """Pairs to be turned towards others, and where neurons are replaced."""

    name: str
    loaded: LoadedModel
    pairs: Sequence[MinimalPair]
    towards: Sequence[MinimalPair]
    site: str
    positions: str | int
    within: bool

    @property
    def where(self) -> dict[str, Any]:
        return {"site": self.site, "positions": self.positions}


def number_pairs() -> dict[str, list[MinimalPair]]:
    """Pairs by the number of their subject."""
    pairs = [
        pair
        for pair in nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
        # "The man and the women" is plural whatever the first noun is.
        if pair.template != "conjunction"
    ]
    return {
        number: [pair for pair in pairs if pair.condition.startswith(number)]
        for number in ("singular", "plural")
    }


def solve(task: Task, folder: Path, *, exhaustive: int = 0) -> nx.NeuronMask:
    """Print the rows of a task; the best of five masks is saved and returned.

    ``exhaustive`` is the size of the sets that are all tried, 1 or 2, or 0 for none.
    """
    both = [*task.pairs, *task.towards]
    effect, n_wrong = pair_effect(
        task.loaded, task.pairs, within=both if task.within else None, **task.where
    )
    rankings = {
        "integrated gradients": nx.rank_by_integrated_gradients(
            task.loaded, task.pairs, task.towards, **task.where
        ),
        "activation difference": nx.rank_by_activation_difference(
            task.loaded, task.pairs, task.towards, **task.where
        ),
    }
    fits = by_seed(task, "mask", effect, lambda seed: fit_mask(effect, seed=seed))
    by_seed(
        task, "REINFORCE", effect, lambda seed: fit_mask(effect, seed=seed, search=reinforce_mask)
    )
    for name, ranking in rankings.items():
        by_seed(task, name, effect, lambda seed, r=ranking: leading_mask(effect, r, seed=seed))
    by_seed(
        task,
        "random",
        effect,
        lambda seed: leading_mask(effect, random_ranking(effect.space, seed=seed), seed=seed),
    )
    for size in range(1, exhaustive + 1):
        all_sets(task, effect, size, fits[0].alpha)
    spread = SeedSpread(tuple(fits))
    spread.save(folder / task.name.replace(" ", "-"))
    print(
        f"  {task.name}: {len(effect)} pairs, {n_wrong} left out as wrong, {fits[0].intact:.2f} "
        f"nats without a mask, {fits[0].alpha:.2f} asked for; neurons "
        f"{', '.join(map(str, spread.best.mask.neurons[:12]))}; seeds share {spread.overlap:.2f}",
        flush=True,
    )
    return spread.best.mask


def by_seed(
    task: Task, method: str, effect: PairEffect, fit: Callable[[int], MaskFit]
) -> list[MaskFit]:
    """The fits of five seeds, and their row."""
    before = effect.n_runs
    fits = [fit(seed) for seed in SEEDS]
    row(
        task.name,
        method,
        " ".join(str(one.size) for one in fits),
        f"{sum(one.feasible for one in fits)} of {len(fits)}",
        spread_of([100 * one.held_out_success for one in fits], "%"),
        spread_of([one.held_out_effect for one in fits]),
        f"{(effect.n_runs - before) / len(fits):,.0f}",
    )
    return fits


def turned(task: Task, mask: nx.NeuronMask, pairs: Sequence[MinimalPair]) -> float:
    """The share of choices that are others under a mask."""
    inputs = nx.encode_pairs(task.loaded, pairs)
    where: dict[str, Any] = {"site": task.site, "positions": task.positions}
    if isinstance(task.positions, int):
        where["positions"] = inputs.word(task.positions)
    metric = pair_changes(task.loaded, inputs, **where)
    return float(evaluate(metric, mask.gates[None], mask.replacement)[0])


def side_effect_table(
    masks: Sequence[tuple[Task, nx.NeuronMask]], tasks: Mapping[str, Sequence[MinimalPair]]
) -> None:
    """What masks do elsewhere, and in brackets masks of as many random neurons."""
    changed = [f"{name}, changed" for name in tasks]
    row("mask", "neurons", "KL on text", "perplexity", "KL elsewhere", *changed)
    row(*["---"] * (5 + len(tasks)))
    for task, mask in masks:
        found = nx.side_effects(
            task.loaded,
            mask,
            pairs=task.pairs,
            positions=task.positions,
            texts=embedded_texts(),
            tasks=tasks,
            n_random=20,
        )
        perplexity = found.get("perplexity", "text")
        cells = [
            kl(found.get("KL", "text")),
            f"{perplexity.intact:.1f} to {perplexity.masked:.1f} ({perplexity.random_mean:.1f})",
            kl(found.get("KL", "elsewhere in the pairs")),
        ]
        for name in tasks:
            one = found.get("choices changed", name)
            cells.append(f"{100 * one.masked:.0f}% ({100 * one.random_mean:.0f}%)")
        row(task.name, str(len(mask)), *cells)


def kl(measure: SideEffect) -> str:
    return f"{measure.masked:.3f} ({measure.random_mean:.3f})"


def embedded_texts() -> list[str]:
    """300 sentences of the embedded corpus."""
    corpus = nx.read_conllu(nx.embedded_path("corpora/english-test.conllu.gz"))
    return [" ".join(words) for words in corpus.sentences[:300]]


def all_sets(task: Task, effect: PairEffect, size: int, alpha: float) -> None:
    """The row of the best of all masks of one neuron, or of two, on 16 pairs."""
    before = effect.n_runs
    rows = torch.linspace(0, len(effect) - 1, 16).long()
    best, found = best_masks(effect, rows, size=size)
    row(
        task.name,
        f"every {'pair' if size == 2 else 'single'}",
        str(size),
        f"{int((found >= alpha).sum())} of {len(found):,}",
        "",
        f"best {best.effect:.2f}",
        f"{effect.n_runs - before:,}",
    )


def spread_of(values: Sequence[float], unit: str = "") -> str:
    low, high = np.min(values), np.max(values)
    return f"{np.mean(values):.1f}{unit} ({low:.1f} to {high:.1f})"


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)
