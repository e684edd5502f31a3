"""The smallest mask for a task by every method: rows of a table, and the masks themselves.

Effects are log p(wrong) - log p(right) in nats: of the intact model, and with the best single
neuron replaced (all are tried). Cells of methods have the neurons that five seeds need, and the
share of held-out pairs that turn; the overlap is the mean Jaccard index of the five masks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch

import neurox_lite as nx
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.interventions.metrics import evaluate, pair_changes
from neurox_lite.interventions.side_effects import SideEffect
from neurox_lite.masking.effects import PairEffect
from neurox_lite.masking.exhaustive import best_masks
from neurox_lite.masking.fitting import fit_mask, mask_from_ranking
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.masking.neuron_mask import pair_effect
from neurox_lite.masking.prefix_fit import HardMask
from neurox_lite.masking.reinforce import reinforce_mask
from neurox_lite.masking.replacement_fit import fit_replacements, gates_of
from neurox_lite.masking.seed_spread import SeedSpread
from neurox_lite.models.loading import LoadedModel
from neurox_lite.results.random_ranking import random_ranking

SEEDS = range(5)
SCREENED, SCREEN_STEPS = 8, 5
"""Pairs of words and steps with which every neuron, or every two, are tried."""
REFINED, REFINE_STEPS = 64, 30
"""With which the best of them are tried again."""
HEADER = (
    "task",
    "intact",
    "mask",
    "REINFORCE",
    "integrated gradients",
    "activation difference",
    "random",
    "best single",
    "best mask",
    "overlap",
)


@dataclass(frozen=True)
class Task:
    """Pairs to be turned towards others, and where neurons are replaced."""

    name: str
    loaded: LoadedModel
    pairs: Sequence[MinimalPair]
    target_pairs: Sequence[MinimalPair]
    site: str
    positions: str | int
    bounds_from: bool

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


def solve_all(tasks: Sequence[Task], folder: Path) -> list[tuple[Task, nx.NeuronMask]]:
    """Print a row per task; the best mask of each is saved and returned."""
    row(*HEADER)
    row(*["---"] * len(HEADER))
    return [(task, solve(task, folder)) for task in tasks]


def solve(task: Task, folder: Path) -> nx.NeuronMask:
    """The best of five masks, and the row: what every method needs, five times each."""
    both = [*task.pairs, *task.target_pairs]
    effect, _ = pair_effect(
        task.loaded, task.pairs, bounds_from=both if task.bounds_from else None, **task.where
    )

    def leading(rank: Callable[..., nx.NeuronRanking]) -> Callable[[int], MaskFit]:
        """Masks by a ranking of the pairs that are not held out."""

        def of(rows: torch.Tensor) -> nx.NeuronRanking:
            pairs = effect.inputs.select(rows).pairs
            return rank(task.loaded, pairs, task.target_pairs, **task.where)

        return lambda seed: mask_from_ranking(effect, of, seed=seed)

    methods: dict[str, Callable[[int], MaskFit]] = {
        "mask": lambda seed: fit_mask(effect, seed=seed),
        "REINFORCE": lambda seed: fit_mask(effect, seed=seed, search=reinforce_mask),
        "integrated gradients": leading(nx.masking.rank_by_integrated_gradients),
        "activation difference": leading(nx.masking.rank_by_activation_difference),
        "random": lambda seed: mask_from_ranking(
            effect, random_ranking(effect.space, seed=seed), seed=seed
        ),
    }
    found = {name: SeedSpread(tuple(map(fit, SEEDS))) for name, fit in methods.items()}
    best = found["mask"].best
    best.save(folder / task.name.replace(" ", "-"))
    row(
        task.name,
        f"{best.intact:.1f}",
        *map(cell, found.values()),
        f"{best_of_all(effect, 1)[0].effect:.1f}",
        " ".join(map(str, best.mask.neurons[:8])),
        f"{found['mask'].overlap:.2f}",
    )
    return best.mask


def cell(spread: SeedSpread) -> str:
    """Neurons of each seed, those of infeasible masks in brackets; held-out pairs turned."""
    sizes = [str(fit.size) if fit.feasible else f"({fit.size})" for fit in spread.fits]
    success = np.mean([fit.held_out_success for fit in spread.fits])
    return f"{' '.join(sizes)}, {100 * success:.0f} %"


def best_of_all(effect: PairEffect, size: int, n_best: int = 32) -> list[HardMask]:
    """The best masks of one neuron or of two: all are tried, and the best again on more pairs."""
    few, more = (torch.linspace(0, len(effect) - 1, n).long() for n in (SCREENED, REFINED))
    _, screened = best_masks(effect, few, n_steps=SCREEN_STEPS, size=size)
    every = list(combinations(range(effect.space.n_neurons), size))
    sets = [every[index] for index in screened.topk(n_best).indices.tolist()]
    gates = gates_of(effect, sets)
    found, values = fit_replacements(effect, gates, effect.start, more, REFINE_STEPS)
    order = found.argsort(descending=True).tolist()
    return [HardMask(sets[index], values[index], float(found[index])) for index in order]


def turned(task: Task, mask: nx.NeuronMask, pairs: Sequence[MinimalPair]) -> float:
    """The share of choices that are others under a mask."""
    inputs = nx.interventions.encode_pairs(task.loaded, pairs)
    metric = pair_changes(
        task.loaded, inputs, nx.interventions.Location(task.site, positions=task.positions)
    )
    return float(evaluate(metric, mask.gates[None], mask.replacement)[0])


def side_effect_table(
    masks: Sequence[tuple[Task, nx.NeuronMask]], tasks: Mapping[str, Sequence[MinimalPair]]
) -> None:
    """What masks do elsewhere, and in brackets masks of as many random neurons."""
    changed = [f"{name}, changed" for name in tasks]
    row("mask", "neurons", "KL on text", "perplexity", "KL elsewhere", *changed)
    row(*["---"] * (5 + len(tasks)))
    for task, mask in masks:
        found = nx.interventions.side_effects(
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
            cells.append(f"{100 * one.masked:.0f} % ({100 * one.random_mean:.0f} %)")
        row(task.name, str(len(mask)), *cells)


def kl(measure: SideEffect) -> str:
    return f"{measure.masked:.3f} ({measure.random_mean:.3f})"


def embedded_texts() -> list[str]:
    """300 sentences of the embedded corpus."""
    corpus = nx.read_conllu(nx.embedded_path("corpora/english-test.conllu.gz"))
    return [" ".join(words) for words in corpus.sentences[:300]]


def spread_of(values: Sequence[float], unit: str = "") -> str:
    low, high = np.min(values), np.max(values)
    return f"{np.mean(values):.1f}{unit} ({low:.1f} to {high:.1f})"


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)
