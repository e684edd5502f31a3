"""Are long sentences changed more when a neuron is set, whatever is in them?

`python -m tests.benchmarks.length_effects` prints the figures of docs/methods/descriptions.md; two
minutes. A presence that depends on nothing but length is compared with and without tenths of the
sentences.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm, spearmanr

import neurox_lite as nx
from neurox_lite.descriptions.causal_effect import _changes, _groups, _runner
from neurox_lite.descriptions.score_intervals import roc_auc
from tests.benchmarks.mask_table import row

SITES = {"lstm-0": "lstm_cell", "gpt2": "mlp", "bert": "mlp"}
N_NEURONS, N_SAMPLES = 32, 2000


def of_model(name: str, site: str, texts: list[str]) -> None:
    """Lowest and highest over neurons of the second layer at even steps."""
    loaded = nx.load_model(nx.embedded_path(f"models/{name}"), device="cpu", head="language")
    where, rows = nx.Location(site), np.arange(len(texts))
    runner, of_words = _runner(loaded, texts, rows, where, nx.Neuron(1, 0))
    units = np.linspace(0, runner.space.n_neurons - 1, N_NEURONS).astype(int).tolist()
    changes = _changes(runner, of_words, units, "mean")
    lengths = of_words.sum(1).numpy()
    likely = 1 / (1 + np.exp(-(lengths - np.quantile(lengths, 0.66)) / 1.5))
    present = np.random.default_rng(0).random(len(lengths)) < likely
    correlations = [spearmanr(lengths, change).statistic for change in changes]
    alone, in_tenths = (
        [roc_auc(change, present, groups) for change in changes]
        for groups in (np.zeros(len(lengths), int), _groups(lengths))
    )
    row(
        f"{name}, {site}",
        f"{min(correlations):.2f} to {max(correlations):.2f}",
        *(
            f"{min(each.value for each in aucs):.2f} to {max(each.value for each in aucs):.2f}, "
            f"{sum(not each.low <= 0.5 <= each.high for each in aucs)} of {len(aucs)} not 0.5"
            for aucs in (alone, in_tenths)
        ),
    )


def coverage(n_described: int, n_others: int, shift: float) -> float:
    """How often the interval of the AUC of two normal distributions holds the true one."""
    rng = np.random.default_rng(0)
    described = np.arange(n_described + n_others) < n_described
    true, groups, held = norm.cdf(shift / np.sqrt(2)), np.zeros(len(described), int), 0
    for _ in range(N_SAMPLES):
        found = roc_auc(rng.normal(size=len(described)) + shift * described, described, groups)
        held += found.low <= true <= found.high
    return held / N_SAMPLES


def main() -> None:
    corpus = nx.read_conllu(nx.embedded_path("corpora/english-test.conllu.gz"))
    texts = [corpus.text(number) for number in range(len(corpus))]
    row("model", "rank correlation", "AUC", "AUC in tenths")
    row(*["---"] * 4)
    for name, site in SITES.items():
        of_model(name, site, texts)
    row("described", "others", "shift", "coverage")
    row(*["---"] * 4)
    for n_described, n_others, shift in ((5, 50, 1.0), (8, 200, 1.5), (20, 20, 0.5), (100, 900, 2)):
        held = coverage(n_described, n_others, shift)
        row(str(n_described), str(n_others), str(shift), f"{held:.3f}")


if __name__ == "__main__":
    main()
