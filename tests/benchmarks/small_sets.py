"""How much do the first few neurons of a ranking hold? Test accuracies of probes of them alone.

    python -m tests.benchmarks.small_sets --model out/minilm --treebank ../shared/data/ewt
        --chunks ../shared/data/conll2000/train.txt.gz [--splits 2]

10,000 words to train on, 5,000 of dev and 10,000 of test, of whole sentences that are drawn anew
for every split. Rankings by weights of a probe: of all classes by their variance (the default), by
the papers' rule, with a larger l1, or with the one that a search for so many neurons chooses; and
rankings that select few neurons.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np

import neurox_lite as nx
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.probing.batched import fit_grid
from neurox_lite.ranking import linguistic_correlation, matching_pursuit
from neurox_lite.report.markdown import table

SIZES = (10, 27, 54, 134)
"""Of MiniLM's 2,688 neurons 10, and 1, 2 and 5 %."""

N_WORDS = (10_000, 5_000, 10_000)
KEPT = 0.8
"""Share of the neurons that a round of recursive elimination keeps."""

L1S = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3)
MIN_COUNT = 5


def first_neurons(
    train: LabelledActivations, dev: LabelledActivations
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """By each ranking the columns of its first neurons, as many as each of the sizes."""

    def first(order: np.ndarray) -> list[np.ndarray]:
        return [order[:size] for size in SIZES]

    grid = fit_grid(nx.ElasticNetProbe(tol=1e-3), train, l1s=L1S, l2s=[1e-3])
    probe, sparse = grid[1e-3, 1e-3], grid[1e-2, 1e-3]
    yield "linguistic-correlation", first(linguistic_correlation(probe).order)
    by_mass = linguistic_correlation(probe, aggregation="mass")
    yield "the same, by mass", first(by_mass.order)
    yield "the same, l1 = 0.01", first(linguistic_correlation(sparse).order)
    # As regularisation_search does for one size.
    of_grid = [first(linguistic_correlation(each).order) for each in grid.values()]
    best = [max(sets, key=lambda s: accuracy(s, train, dev)) for sets in zip(*of_grid, strict=True)]
    yield "the same, l1 searched for each number", best
    yield "recursive elimination", first(eliminated(train))
    yield "l1 path", first(along_path(train))
    pursuit = matching_pursuit(probe, train, n_neurons=max(SIZES))
    yield "matching-pursuit", first(pursuit.order)


def eliminated(train: LabelledActivations) -> np.ndarray:
    """Again and again without the fifth of the neurons with the least sum of weights."""
    left = np.arange(train.X.shape[1])
    order: list[int] = []
    while True:
        probe = nx.ElasticNetProbe(tol=1e-2).fit(train.X[:, left], train.y)
        best_first = left[np.argsort(-np.abs(probe.coef_).sum(0), kind="stable")]
        n_kept = int(KEPT * len(left))
        if n_kept < min(SIZES):
            return np.array([*best_first, *order])
        order = [*best_first[n_kept:], *order]
        left = np.sort(best_first[:n_kept])


def along_path(train: LabelledActivations) -> np.ndarray:
    """By the largest l1 at which a neuron has a weight; those that enter together by weight."""
    n_neurons = train.X.shape[1]
    entered, weight = np.full(n_neurons, np.inf), np.zeros(n_neurons)
    probe, l1, step = None, 1.0, 0
    while np.isfinite(entered).sum() < max(SIZES):
        probe = nx.ElasticNetProbe(l1=l1, tol=1e-3).fit(train, start=probe)
        weights = np.abs(probe.coef_).sum(0)
        is_new = (weights > 0) & np.isinf(entered)
        entered[is_new], weight[is_new] = step, weights[is_new]
        l1, step = 0.85 * l1, step + 1
    return np.lexsort((-weight, entered))


def accuracy(columns: np.ndarray, train: LabelledActivations, test: LabelledActivations) -> float:
    """On test, of a probe of some neurons alone."""
    columns = np.sort(columns)
    probe = nx.ElasticNetProbe(tol=1e-3).fit(train.X[:, columns], train.y)
    return probe.score(test.X[:, columns], test.y)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def draw(
    store: nx.ActivationStore, corpus: nx.TaggedCorpus, tag: str, seed: int
) -> list[LabelledActivations]:
    """Train, dev and test, in memory, of the labels that train has five times or more."""
    labels, offsets = corpus.labels(tag), corpus.sentence_offsets
    order = np.random.default_rng(seed).permutation(len(offsets) - 1)
    ends = np.searchsorted(np.cumsum(np.diff(offsets)[order]), np.cumsum(N_WORDS)) + 1
    known: np.ndarray | None = None
    parts = []
    for sentences in np.split(order, ends)[:3]:
        words = np.concatenate([np.arange(offsets[s], offsets[s + 1]) for s in np.sort(sentences)])
        if known is None:
            names, counts = np.unique(labels[words], return_counts=True)
            known = names[(counts >= MIN_COUNT) & (names != "")]
        words = words[np.isin(labels[words], known)]
        X = store.matrix(rows=store.word_rows[words])[:]
        parts.append(LabelledActivations(X, labels[words]))
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True)
    parser.add_argument("--treebank", required=True, type=Path, help="Folder of UD_English-EWT.")
    parser.add_argument("--chunks", required=True, type=Path, help="train.txt.gz of CoNLL-2000.")
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--stores", type=Path, help="Folder to keep activations in.")
    options = parser.parse_args()
    # Of few classes some are separable, which the searches' probes without penalty say.
    warnings.filterwarnings("ignore", category=UserWarning)
    corpora = {
        "ewt": (nx.read_conllu(options.treebank / "en_ewt-ud-train.conllu.gz"), "upos"),
        "conll2000": (nx.read_corpus(options.chunks, format="columns"), "chunk"),
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.stores or Path(temporary)
        for name, (corpus, tag) in corpora.items():
            path = folder / f"{name}.h5"
            if not path.exists():
                nx.extract(options.model, corpus, path).close()
            with nx.ActivationStore(path) as store:
                found: dict[str, list[list[float]]] = defaultdict(list)
                for seed in range(options.splits):
                    train, dev, test = draw(store, corpus, tag, seed)
                    for method, sets in first_neurons(train, dev):
                        found[method].append([accuracy(each, train, test) for each in sets])
            print(f"\n{name}, {tag}, accuracy in %, of splits 0 to {options.splits - 1}\n")
            rows = [
                [method, *(" / ".join(map(_percent, of_size)) for of_size in np.transpose(values))]
                for method, values in found.items()
            ]
            print(table(["ranking", *map(str, SIZES)], rows), flush=True)


if __name__ == "__main__":
    main()
