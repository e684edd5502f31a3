"""Speed of masks in a running model: rows of what, ours, reference, ratio.

On the embedded LSTM, and its GPT-2 for the steps. Run it through `make bench`, on a machine that
does nothing else.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from functools import partial

os.environ["HF_HUB_OFFLINE"] = "1"
# As the commands do.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch

import neurox_lite as nx
from neurox_lite.interventions.metrics import evaluate, pair_log_odds
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.masking.effects import PairEffect
from neurox_lite.masking.fit_task import REPLACEMENT_STEPS, without_gates
from neurox_lite.masking.fitting import (
    ROUNDING_ROWS,
    fit_mask,
)
from neurox_lite.masking.gate_search import LEARNING_RATE, SearchState, initial_state, search_mask
from neurox_lite.masking.reinforce import reinforce_mask
from neurox_lite.masking.replacement_fit import fit_replacements
from tests.benchmarks.extraction import row, seconds

N_STEPS, BATCH_SIZE, ROUNDS = 30, 64, 5
SMALL_BATCH, SEEDS = 16, range(5)
STEPS_ROUNDED, STEPS_THRESHOLDED = (50, 100, 200, 400), (100, 300, 1200)


def effect_on(name: str, site: str) -> PairEffect:
    """Pairs with a singular subject, to be turned."""
    loaded = nx.load_model(nx.embedded_path(f"models/{name}"), head="language")
    pairs = [
        pair
        for pair in nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
        if pair.template != "conjunction" and pair.condition.startswith("singular")
    ]
    inputs = nx.interventions.encode_pairs(loaded, pairs)
    return PairEffect(
        InterventionRunner.of_pairs(loaded, inputs, nx.interventions.Location(site)), inputs
    )


def bare_steps(effect: PairEffect) -> Callable[[], None]:
    """Forward and backward of the same batches, to the embeddings, without any hook."""
    model, inputs = effect.runner.loaded.model, effect.inputs
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(len(inputs), (N_STEPS, BATCH_SIZE), generator=generator)

    def run() -> None:
        for some in rows:
            longest = int(effect.runner.lengths[some].max())
            ids, mask = inputs.input_ids[some, :longest], inputs.attention_mask[some, :longest]
            embedded = model.get_input_embeddings()(ids).requires_grad_()
            logits = model(inputs_embeds=embedded, attention_mask=mask).logits
            inputs.log_odds(logits, some).mean().backward()

    return run


def training_step(name: str, site: str) -> None:
    effect = effect_on(name, site)
    bare = bare_steps(effect)

    def ours() -> None:
        search_mask(
            effect,
            2.0,
            rows=torch.arange(len(effect)),
            scale=4.0,
            start=initial_state(effect),
            n_steps=N_STEPS,
            batch_size=BATCH_SIZE,
            generator=torch.Generator().manual_seed(0),
        )

    bare(), ours()
    times = [(seconds(ours), seconds(bare)) for _ in range(ROUNDS)]
    mine, theirs = (statistics.median(column) / N_STEPS for column in zip(*times, strict=True))
    row(
        f"mask, a step of 64 pairs, {name} {site} (ms)",
        f"{1000 * mine:.1f}",
        f"{1000 * theirs:.1f} forward + backward",
        statistics.median(a / b for a, b in times),
    )


def many_masks(name: str, site: str) -> None:
    effect = effect_on(name, site)
    metric = pair_log_odds(effect.runner.loaded, effect.inputs, nx.interventions.Location(site))
    gates = np.random.default_rng(0).random((32, effect.space.n_neurons)).round()
    values = effect.start.numpy()

    @torch.no_grad()
    def bare() -> None:
        for _ in range(32):
            for rows in metric.runner.batches():
                effect.inputs.log_odds(metric.runner.intact_logits(rows), rows)

    def ours() -> None:
        evaluate(metric, gates, values)

    bare(), ours()
    times = [(seconds(ours), seconds(bare)) for _ in range(ROUNDS)]
    mine, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    row(
        f"32 masks of 700 pairs, {name} {site} (s)",
        f"{mine:.2f}",
        f"{theirs:.2f} 32 forward passes",
        statistics.median(a / b for a, b in times),
    )


def whole_mask() -> None:
    effect = effect_on("lstm-0", "lstm_cell")
    start = effect.n_runs
    fits = []
    took = seconds(lambda: fits.append(fit_mask(effect)))
    row("number mask, lstm-0, to the end (s)", f"{took:.1f}", "60 at most")
    print(f"    {fits[0].size} cells, effect {fits[0].effect:.2f}, {effect.n_runs - start:,} runs")


Way = Callable[[PairEffect, Callable[..., SearchState], int, int], tuple[int, bool]]
"""From an effect, a search, its steps and a seed to the size of a mask, and if it is enough."""


def round_gates(
    effect: PairEffect, search: Callable[..., SearchState], n_steps: int, seed: int
) -> tuple[int, bool]:
    fit = fit_mask(effect, n_steps=n_steps, batch_size=SMALL_BATCH, seed=seed, search=search)
    return fit.size, fit.feasible


def searched(
    effect: PairEffect, search: Callable[..., SearchState], n_steps: int, seed: int
) -> tuple[SearchState, torch.Tensor, float]:
    """A search and no more, the rows it was made with, and the effect that was asked for."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(effect), generator=generator)
    intact = without_gates(effect, rows)
    found = search(
        effect,
        -intact / 2,
        rows=rows,
        scale=-1.5 * intact,
        start=initial_state(effect),
        n_steps=n_steps,
        batch_size=SMALL_BATCH,
        generator=generator,
    )
    return found, rows, -intact / 2


def thresholded(
    effect: PairEffect, search: Callable[..., SearchState], n_steps: int, seed: int
) -> tuple[int, bool]:
    """Gates that are rather open than closed, replacements fitted again, and no more."""
    found, rows, alpha = searched(effect, search, n_steps, seed)
    gates = (found.phi > 0).float()[None]
    effects, _ = fit_replacements(
        effect, gates, found.values, rows[:ROUNDING_ROWS], REPLACEMENT_STEPS
    )
    return found.n_open, float(effects[0]) >= alpha


def likeliest_gates() -> None:
    """What long searches end with: how likely each gate is open, and the effect over all draws."""
    effect = effect_on("lstm-0", "lstm_cell")
    for name, search in (("ours", search_mask), ("REINFORCE", reinforce_mask)):
        for seed in range(3):
            found, _, alpha = searched(effect, search, 600, seed)
            top = found.probabilities.topk(4)
            gates = zip(
                effect.space.neurons(top.indices.tolist()), top.values.tolist(), strict=True
            )
            print(
                f"    {name}, 600 steps, gates open {', '.join(f'{g} {p:.2f}' for g, p in gates)}: "
                f"{statistics.fmean(found.effects[-100:]):.2f} nats of {alpha:.2f}",
                flush=True,
            )


def runs_needed(
    effect: PairEffect, name: str, search: Callable[..., SearchState], way: Way, size: int
) -> tuple[float, float, bool]:
    """Model runs to a mask of a size that is enough, those of refitting included.

    First with the cheapest search that is begun again with other seeds until it gives one; then of
    the shortest that gives one from each seed, or of the longest, which the last value says.
    """
    again = float("inf")
    for n_steps in STEPS_ROUNDED if way is round_gates else STEPS_THRESHOLDED:
        before = effect.n_runs
        found = [way(effect, search, n_steps, seed) for seed in SEEDS]
        runs = (effect.n_runs - before) / len(found)
        print(f"    {name}, {n_steps} steps of {SMALL_BATCH}: cells, enough {found}", flush=True)
        share = sum(cells <= size and enough for cells, enough in found) / len(found)
        again = min(again, runs / share if share else float("inf"))
        if share == 1:
            return again, runs, True
    return again, runs, False


def beside_reinforce() -> None:
    """Model runs to a mask as small, with as much effect, at two learning rates each."""
    effect = effect_on("lstm-0", "lstm_cell")
    size = fit_mask(effect).size
    plain = partial(reinforce_mask, exact_size=False)
    searches: dict[str, Callable[..., SearchState]] = {}
    for rate in (LEARNING_RATE, 3 * LEARNING_RATE):
        searches[f"ours, rate {rate:.1f}"] = partial(search_mask, learning_rate=rate)
        searches[f"REINFORCE, rate {rate:.1f}"] = partial(reinforce_mask, learning_rate=rate)
        searches[f"plain REINFORCE, rate {rate:.1f}"] = partial(plain, learning_rate=rate)
    for way, how in ((round_gates, "rounded"), (thresholded, "cut at one half")):
        found = {
            name: runs_needed(effect, f"{name}, {how}", search, way, size)
            for name, search in searches.items()
        }
        best = min((name for name in found if name.startswith("ours")), key=lambda n: found[n][0])
        ours, *_ = found[best]
        for name, (again, runs, each) in found.items():
            least = "" if each else "more than "
            print(f"    {name}, {how}: {least}{runs:,.0f} runs to {size} cells from each seed")
            if name != best:
                label = f"runs to {size} cells, {how}, seeds until one does ({best})"
                row(label, f"{ours:,.0f}", f"{again:,.0f} {name}", again / ours)


def main() -> None:
    print(f"{os.cpu_count()} cores, torch {torch.__version__}")
    row("what", "ours", "reference", None)
    for name, site in (("lstm-0", "lstm_cell"), ("gpt2", "hidden_states"), ("gpt2", "mlp")):
        training_step(name, site)
        many_masks(name, site)
    whole_mask()
    likeliest_gates()
    beside_reinforce()


if __name__ == "__main__":
    main()
