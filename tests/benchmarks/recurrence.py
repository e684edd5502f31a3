"""Do the neurons that carry number recur? Three LSTMs that differ in their seed, side by side.

Prints the tables of docs/results/recurrence.md; `make results` runs it.
"""

from __future__ import annotations

import os
import tempfile
from itertools import permutations
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np

import neurox_lite as nx
from neurox_lite.correlation.cross_moments import cross_moments
from neurox_lite.ranking import lin_reg, max_corr, min_corr
from neurox_lite.report.markdown import percent, table

MODELS = ("lstm-0", "lstm-1", "lstm-2")
K = 20


def main() -> None:
    corpora = {
        split: nx.embedded_path(f"corpora/english-{split}.conllu.gz")
        for split in ("train", "dev", "test")
    }
    corpus = nx.read_splits(corpora)
    with tempfile.TemporaryDirectory() as folder:
        stores = [
            nx.extract(
                nx.embedded_path(f"models/{model}"),
                corpus,
                Path(folder) / f"{model}.h5",
                site="lstm_cell",
            )
            for model in MODELS
        ]
        report(corpus, stores)


def report(corpus: nx.TaggedCorpus, stores: list[nx.ActivationStore]) -> None:
    matrices = nx.align_stores(stores)
    number, rows = [], []
    for model, store, X in zip(MODELS, stores, matrices, strict=True):
        data = nx.labelled_splits(store, corpus, "Number")
        probe = nx.ElasticNetProbe().fit(data.train.X, data.train.y)
        ranking = nx.ranking.linguistic_correlation(probe)
        number.append(ranking)
        others = [other for other in matrices if other is not X]
        found = [model, percent(probe.score(data.test.X, data.test.y))]
        for recurring in (max_corr(X, others), min_corr(X, others)):
            both = ranking.compare(recurring, K)
            found.append(f"{len(both.both)} (p = {both.p_at_least:.2g})")
        rows.append([*found, " ".join(f"{n}: {c}" for n, c in ranking.per_layer(K).items())])
    n_neurons = matrices[0].shape[1]
    header = ["model", "Number, test", "in the top by max-corr", "by min-corr", "per layer"]
    print(
        f"The {K} of {n_neurons} cells that carry number in each LSTM, by linguistic correlation;"
    )
    print(f"of {K} cells at random, {K * K / n_neurons:.1f} would be in a top {K}.\n")
    print(table(header, rows))

    rows = []
    for a, b in permutations(range(len(MODELS)), 2):
        found = cross_moments(matrices[a], matrices[b])
        correlation = np.abs(found.covariance / np.outer(found.x.std, found.y.std))
        best = correlation.argmax(1)
        regression = lin_reg(matrices[a], [matrices[b]]).scores
        carries, carries_there = number[a].mask(K), number[b].mask(K)
        rows.append(
            [
                f"{MODELS[a]} in {MODELS[b]}",
                f"{correlation.max(1)[carries].mean():.3f}",
                f"{correlation.max(1)[~carries].mean():.3f}",
                percent(carries_there[best[carries]].mean()),
                percent(carries_there[best[~carries]].mean()),
                f"{regression[carries].mean():.3f}",
                f"{regression[~carries].mean():.3f}",
            ]
        )
    print("\nTheir best match in another LSTM, by absolute correlation over words, how often it")
    print("carries number too, and their multiple correlation R with all cells there:\n")
    measures = ("match", "match carries number", "R")
    of_both = [f"{name}, {cells}" for name in measures for cells in ("number cells", "others")]
    print(table(["cells of", *of_both], rows))


if __name__ == "__main__":
    main()
