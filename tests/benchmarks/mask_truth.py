"""Masks where the truth is known (METHODS.md, section 5, checks a to c), with five seeds.

`python -m tests.benchmarks.mask_truth` prints the tables of docs/results/mask-truth.md;
tests/masking has the same checks as tests.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

import neurox_lite as nx
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.masking.effects import ReadoutEffect
from neurox_lite.masking.fitting import fit_mask
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.models.hooks import record
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.sites import find_sites
from tests.benchmarks.mask_table import SEEDS, number_pairs, row, spread_of

N_NEURONS, U1, U2 = 40, 31, 7


def two_units(objective: str = "flip", weights: tuple[float, float] = (3.0, 2.0)) -> ReadoutEffect:
    """Two units are 1 and decide by 5 nats, the others are noise without a weight in the readout.

    Replaced by -1, the first turns -5 into 1, the second into -1, both into 5.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, N_NEURONS)).astype(np.float32)
    X[:, [U1, U2]] = 1 + 0.05 * X[:, [U1, U2]].clip(-2, 2)
    readout = np.zeros((N_NEURONS, 2))
    readout[[U1, U2], 0] = weights
    bounds_from = np.full(N_NEURONS, -1.0), np.full(N_NEURONS, 1.0)
    return ReadoutEffect(readout, np.zeros(2), X, bounds_from=bounds_from, objective=objective)


def optimum(loaded: LoadedModel, pairs: Sequence[MinimalPair], alpha: float) -> int:
    """Fewest cells of layer 1 that reach alpha at the last word, by closed form.

    With the output gate o, a state is h = o tanh(c), and the log odds are linear in h. A cell's
    replacement turns tanh(c) into any number between -1 and 1, the same for all pairs: what each
    cell can add is known, and the best cells are those that add most.
    """
    inputs = nx.interventions.encode_pairs(loaded, pairs)
    found = {}
    ids = {"input_ids": inputs.input_ids, "attention_mask": inputs.attention_mask}
    for site, layer in (("lstm_cell", 1), ("hidden_states", 2)):
        with (
            torch.no_grad(),
            record(
                loaded.model,
                find_sites(loaded.model, site),
                lambda _, states, site=site: found.__setitem__(site, states),
                [layer],
            ),
        ):
            loaded.model(**ids)
    rows = torch.arange(len(pairs))
    cells = found["lstm_cell"][rows, inputs.prediction_positions].double()
    states = found["hidden_states"][rows, inputs.prediction_positions].double()
    embeddings = loaded.model.get_output_embeddings().weight.detach().double()
    direction = embeddings[inputs.wrong] - embeddings[inputs.right]
    gate = states / cells.tanh()
    intact = (states * direction).sum(1).mean()
    pushed = [((sign * gate - states) * direction).mean(0) for sign in (-1, 1)]
    gains = torch.maximum(*pushed).sort(descending=True).values
    reached = intact + gains.cumsum(0)
    return int((reached < alpha).sum()) + 1


def main() -> None:
    header = ("case", "alpha", "true minimum", "neurons", "status", "held out, turned")
    row(*header)
    row(*["---"] * len(header))
    for alpha, truth in (
        (-5.5, "0"),
        (-1.5, "1"),
        (0.5, "1, the stronger"),
        (3.0, "2"),
        (6.0, "-"),
    ):
        fits = [fit_mask(two_units(), alpha=alpha, seed=seed) for seed in SEEDS]
        show("two units of 40", alpha, truth, fits)
    fits = [fit_mask(two_units(weights=(0.0, 0.0)), alpha=1.0, seed=seed) for seed in SEEDS]
    show("no unit has an effect", 1.0, "-", fits)
    for model in ("lstm-0", "lstm-1", "lstm-2"):
        loaded = nx.load_model(nx.embedded_path(f"models/{model}"), head="language")
        for number, pairs in number_pairs().items():
            fits = [
                nx.fit_neuron_mask(loaded, pairs, layers=[1], positions=-1, seed=seed)
                for seed in SEEDS
            ]
            alpha = float(np.mean([fit.alpha for fit in fits]))
            best = {optimum(loaded, pairs, fit.alpha) for fit in fits}
            truth = " or ".join(map(str, sorted(best)))
            show(f"{model}, layer 1, last word, {number}", alpha, truth, fits)


def show(case: str, alpha: float, truth: str, fits: Sequence[MaskFit]) -> None:
    row(
        case,
        f"{alpha:.2f}",
        truth,
        " ".join(str(fit.size) for fit in fits) if fits[0].feasible else "-",
        ", ".join(sorted({fit.status for fit in fits})),
        spread_of([100 * fit.held_out_success for fit in fits], " %"),
    )


if __name__ == "__main__":
    main()
