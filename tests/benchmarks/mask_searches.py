"""Searches for masks, compared: gates cut at one half, and model runs to as small a mask.

GPT-2s of 256, 1,024 and 4,096 `mlp` neurons are trained on the grammar's number pairs, in a minute;
replacements stay in the range that neurons have on the embedded pairs of both numbers, so that it
takes several. Run `python -m tests.benchmarks.mask_searches [--neurons N ...] [--seeds N]`, and
with `--feasible` for what is said of masks of one of the embedded LSTMs.

The second table counts model runs to as small a mask. To end within the hour, it has three seeds,
and a length that is too short for one of them is not tried with the others.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from functools import partial

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

import neurox_lite as nx
from neurox_lite.corpora.grammar import Grammar
from neurox_lite.corpora.pair_templates import number_pairs as write_number_pairs
from neurox_lite.intervals import Interval
from neurox_lite.interventions.pair_inputs import encode_pairs
from neurox_lite.masking.effects import PairEffect
from neurox_lite.masking.fit_task import REPLACEMENT_STEPS, make_task, spread_over_templates
from neurox_lite.masking.fitting import ROUNDING_ROWS
from neurox_lite.masking.gate_search import SearchState, initial_state, search_mask
from neurox_lite.masking.neuron_mask import pair_effect
from neurox_lite.masking.prefix_fit import shortest_prefix
from neurox_lite.masking.reinforce import reinforce_mask
from neurox_lite.masking.replacement_fit import fit_replacements
from neurox_lite.masking.rounding import order_by_gradient, round_gates
from neurox_lite.models.loading import LoadedModel, as_loaded
from tests.benchmarks.mask_table import number_pairs, row

N_NEURONS = (256, 1024, 4096)
N_STEPS, BATCH_SIZE = 300, 16
LENGTHS = (75, 150, 300, 600, 1200)
RATES = (0.05, 0.1, 0.3)
"""Of locations: each search has the best of these."""
SEEDS_TO_AS_SMALL = range(3)
LARGER = 1.2
"""Masks of so many times the size of the rounded ones are small enough."""

Search = Callable[..., SearchState]
SEARCHES: dict[str, Search] = {
    "ours": search_mask,
    "REINFORCE": reinforce_mask,
    "plain REINFORCE": partial(reinforce_mask, exact_size=False),
    "RLOO of 4": partial(reinforce_mask, draws=4),
    "RLOO of 16": partial(reinforce_mask, draws=16),
}


def trained_gpt2(n_neurons: int, n_steps: int = 400) -> LoadedModel:
    """Two layers, right on nearly all of the embedded pairs."""
    tokenizer = nx.load_model(nx.embedded_path("models/gpt2"), head="language").tokenizer
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=64,
        n_embd=64,
        n_layer=2,
        n_head=4,
        n_inner=n_neurons // 2,
        **dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0),
        **{"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0},
    )
    model = GPT2LMHeadModel(config).eval()
    loaded = as_loaded(model, tokenizer, head="language")
    inputs = encode_pairs(loaded, write_number_pairs(Grammar(), 100, 5))
    model.requires_grad_(True)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    generator = torch.Generator().manual_seed(0)
    cross_entropy = torch.nn.functional.cross_entropy
    for _ in range(n_steps):
        rows = torch.randint(len(inputs), (64,), generator=generator)
        ids, mask = inputs.input_ids[rows], inputs.attention_mask[rows]
        logits = model(input_ids=ids, attention_mask=mask).logits
        follows = mask[:, 1:] > 0
        loss = cross_entropy(inputs.choice_logits(logits, rows), inputs.right[rows])
        loss = loss + cross_entropy(logits[:, :-1][follows], ids[:, 1:][follows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.requires_grad_(False)
    return as_loaded(model, tokenizer, head="language")


def effect_on(loaded: LoadedModel) -> PairEffect:
    """Pairs with a singular subject, to be turned within the range of both numbers."""
    both = number_pairs()
    every = [pair for pairs in both.values() for pair in pairs]
    effect, _ = pair_effect(loaded, both["singular"], site="mlp", bounds_from=every)
    return effect


class Trial:
    """One search, its gates cut at one half with replacements fitted again, and what it took."""

    def __init__(self, effect: PairEffect, search: Search, n_steps: int, seed: int):
        self.effect, self.task = effect, make_task(effect, None, None, 0.0, seed)
        before = effect.n_runs
        self.found = search(
            effect,
            self.task.least,
            rows=self.task.train,
            scale=self.task.gap,
            start=initial_state(effect),
            n_steps=n_steps,
            batch_size=BATCH_SIZE,
            generator=torch.Generator().manual_seed(seed),
        )
        gates = (self.found.phi > 0).float()[None]
        effects, _ = fit_replacements(
            effect, gates, self.found.values, self.task.train, REPLACEMENT_STEPS, self.task.least
        )
        self.size, self.effect_of_cut = self.found.n_open, float(effects[0])
        self.is_enough = self.effect_of_cut >= self.task.least
        self.runs = effect.n_runs - before

    @property
    def rows(self) -> torch.Tensor:
        return spread_over_templates(self.effect, self.task.train, ROUNDING_ROWS)

    def rounded(self) -> tuple[int, int]:
        """Size of the rounded mask, and model runs that rounding took."""
        before = self.effect.n_runs
        mask = round_gates(self.effect, self.found, self.task.least, self.rows)
        return len(mask.columns), self.effect.n_runs - before

    def by_gradient(self) -> tuple[int, int]:
        """The shortest prefix of integrated gradients that is enough, and its model runs."""
        before = self.effect.n_runs
        values = self._replaced_by_all()
        order = order_by_gradient(self.effect, values, self.rows)
        mask = shortest_prefix(self.effect, order, self.task.least, values, self.rows)
        return len(mask.columns), self.effect.n_runs - before

    def _replaced_by_all(self) -> torch.Tensor:
        """Replacements fitted while all gates are open: there is no search to take them from."""
        gates = torch.ones(1, self.effect.space.n_neurons)
        _, values = fit_replacements(
            self.effect, gates, self.effect.start, self.rows, REPLACEMENT_STEPS
        )
        return values[0]

    def __str__(self) -> str:
        return f"{self.size}" if self.is_enough else f"({self.size})"


def cut_and_rounded(effect: PairEffect, seeds: Sequence[int]) -> float:
    """Rows: sizes cut at one half, in brackets where not enough, and rounded. The mean rounded."""
    n = effect.space.n_neurons
    trials = [Trial(effect, search_mask, N_STEPS, seed) for seed in seeds]
    rounded = [trial.rounded() for trial in trials]
    ratios = [trial.size / size for trial, (size, _) in zip(trials, rounded, strict=True)]
    _row(n, "ours", N_STEPS, " ".join(map(str, trials)), " ".join(str(size) for size, _ in rounded),
        f"{max(ratios):.2f}", f"{np.mean([t.runs for t in trials]):,.0f}",
        f"{np.mean([runs for _, runs in rounded]):,.0f}")  # fmt: skip
    best = min(RATES, key=lambda rate: _size_by_reinforce(effect, rate, seeds))
    for n_steps in (N_STEPS, 4 * N_STEPS):
        tried = partial(reinforce_mask, learning_rate=best)
        trials = [Trial(effect, tried, n_steps, seed) for seed in seeds]
        runs = f"{np.mean([t.runs for t in trials]):,.0f}"
        _row(n, f"REINFORCE, rate {best}", n_steps, " ".join(map(str, trials)), "", "", runs, "")
    return float(np.mean([size for size, _ in rounded]))


def _size_by_reinforce(effect: PairEffect, rate: float, seeds: Sequence[int]) -> float:
    """Mean size of its masks, infinite if one is not enough."""
    tried = partial(reinforce_mask, learning_rate=rate)
    trials = [Trial(effect, tried, N_STEPS, seed) for seed in seeds]
    return float(np.mean([trial.size if trial.is_enough else np.inf for trial in trials]))


def runs_to_as_small(effect: PairEffect, size: float) -> None:
    """Rows: model runs of the shortest search that gives so small a mask from each seed."""
    n, seeds = effect.space.n_neurons, SEEDS_TO_AS_SMALL
    for name, search in SEARCHES.items():
        for rate in RATES:
            tried, sizes, needed = partial(search, learning_rate=rate), [], "none"
            for n_steps in LENGTHS:
                trials = []
                for seed in seeds:
                    trials.append(Trial(effect, tried, n_steps, seed))
                    if not trials[-1].is_enough or trials[-1].size > LARGER * size:
                        break
                else:
                    needed = f"{np.mean([trial.runs for trial in trials]):,.0f}"
                sizes.append(f"{n_steps}: {' '.join(map(str, trials))}")
                if needed != "none":
                    break
            _row(n, f"{LARGER * size:.1f}", name, rate, needed, ", ".join(sizes))
    found = [Trial(effect, search_mask, 1, seed).by_gradient() for seed in seeds]
    sizes = " ".join(str(k) for k, _ in found)
    runs = f"{np.mean([runs for _, runs in found]):,.0f}"
    _row(n, f"{LARGER * size:.1f}", "integrated gradients", "", runs, f"sizes {sizes}")


def feasible() -> None:
    """All embedded pairs with a singular subject that take a singular verb, in lstm-2."""
    loaded = nx.load_model(nx.embedded_path("models/lstm-2"), head="language")
    every = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
    pairs = [pair for pair in every if pair.condition.startswith("singular")]
    # Those joined by "and" take a plural verb, and turn the other way.
    pairs = [pair for pair in pairs if pair.template != "conjunction"]
    row("asked", "cells", "status", "in training", "held out", "turned there", "templates short")
    row(*["---"] * 7)
    asked: list[dict[str, float]] = [{"alpha": 2.7}, {"alpha": 6.0}, {"success": 0.95}]
    for options in asked:
        fit = nx.fit_neuron_mask(loaded, pairs, **options)
        held_out = Interval(fit.held_out_effect, fit.held_out_effect_low, fit.held_out_effect_high)
        share = Interval(fit.held_out_success, fit.held_out_low, fit.held_out_high)
        short = "; ".join(str(each) for each in fit.templates if not each.holds)
        asked_for = " ".join(f"{name} {value}" for name, value in options.items())
        training = f"{fit.effect:.2f}, {100 * fit.train_success:.0f} %"
        _row(asked_for, fit.size, fit.status, training, held_out, share, short or "none")


def _row(*cells: object) -> None:
    row(*map(str, cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", type=int, nargs="*", default=N_NEURONS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--feasible", action="store_true", help="only what is said of masks")
    options = parser.parse_args()
    if options.feasible:
        feasible()
        return
    seeds = range(options.seeds)
    sizes = {}
    effects = {n: effect_on(trained_gpt2(n)) for n in options.neurons}
    row("neurons", "search", "steps", "cut at one half", "rounded", "largest ratio", "runs",
        "of rounding")  # fmt: skip
    row(*["---"] * 8)
    for n, effect in effects.items():
        sizes[n] = cut_and_rounded(effect, seeds)
    row("neurons", "at most", "search", "rate", "runs", "sizes, by steps")
    row(*["---"] * 6)
    for n, effect in effects.items():
        runs_to_as_small(effect, sizes[n])


if __name__ == "__main__":
    main()
