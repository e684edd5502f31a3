"""Speed of masks in a running model: rows of what, ours, reference, ratio.

On the embedded LSTM, and its GPT-2 for the steps. Run it through `make bench`, on a machine that
does nothing else.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable

os.environ["HF_HUB_OFFLINE"] = "1"
# As the commands do.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch

import neurox_lite as nx
from neurox_lite.interventions.metrics import evaluate, pair_log_odds
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.masking.effects import PairEffect
from neurox_lite.masking.fitting import fit_mask
from neurox_lite.masking.gate_search import initial_state, search_mask
from tests.benchmarks.extraction import row, seconds

N_STEPS, BATCH_SIZE, ROUNDS = 30, 64, 5


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
            cut=False,
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


def main() -> None:
    print(f"{os.cpu_count()} cores, torch {torch.__version__}")
    row("what", "ours", "reference", None)
    for name, site in (("lstm-0", "lstm_cell"), ("gpt2", "hidden_states"), ("gpt2", "mlp")):
        training_step(name, site)
        many_masks(name, site)
    whole_mask()


if __name__ == "__main__":
    main()
