"""Speed and memory of exemplars and of the log-odds of descriptors: rows of what, ours, reference.

The activations are extracted first, into a temporary folder, unless --store has them. Run it
through `make bench`, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
# As the commands do.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch

import neurox_lite as nx
from neurox_lite.descriptions.enrichment import log_odds, log_q_values, log_tail_hypergeometric
from tests.benchmarks.extraction import row, seconds

STREAMED = """
import sys
import neurox_lite as nx
from neurox_lite.descriptions import exemplars
from neurox_lite.measure import measure
store, corpus = nx.ActivationStore(sys.argv[1]), nx.read_conllu(sys.argv[2])
def read():
    for _ in store.matrix().blocks():
        pass
read()
for _ in range(int(sys.argv[3])):
    with measure() as bare:
        read()
    with measure() as cost:
        exemplars(store, corpus)
    print(bare.seconds, cost.seconds, cost.peak_memory)
"""
N_NEURONS, N_DESCRIPTORS, N_SENTENCES, N_EXEMPLARS = 2688, 2000, 6000, 60


def one_pass(store: Path, corpus: Path, n_bytes: int, rounds: int) -> None:
    """Sentences, quantiles, words and histograms of all neurons, beside bare reading."""
    arguments = [sys.executable, "-c", STREAMED, str(store), str(corpus), str(rounds)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    lines = [[float(value) for value in line.split()] for line in done.stdout.splitlines()]
    bare, ours = (statistics.median(values) for values in list(zip(*lines, strict=True))[:2])
    row(
        "exemplars from the disk (GB/s)",
        f"{n_bytes / ours / 1e9:.2f}",
        f"{n_bytes / bare / 1e9:.2f} bare read",
        statistics.median(bare / ours for bare, ours, _ in lines),
    )
    peak = max(peak for *_, peak in lines) / 1e6
    row("exemplars from the disk, peak memory (MB)", f"{peak:.0f}", "1,000 at most")


def all_log_odds() -> None:
    """Log-odds, probabilities and q-values at both signs."""
    rng = np.random.default_rng(0)
    counts = rng.integers(10, N_SENTENCES // 2, N_DESCRIPTORS).astype(float)
    n_exemplars = np.full(2 * N_NEURONS, N_EXEMPLARS)
    shares = counts / N_SENTENCES
    hits = rng.binomial(N_EXEMPLARS, shares, (2 * N_NEURONS, N_DESCRIPTORS)).astype(float)

    def run() -> None:
        log_odds(hits, n_exemplars, counts, N_SENTENCES)
        log_q_values(log_tail_hypergeometric(hits, n_exemplars, counts, N_SENTENCES))

    what = f"log-odds of {N_NEURONS:,} neurons x {N_DESCRIPTORS:,} descriptors, both signs (s)"
    row(what, f"{seconds(run):.1f}", "30 at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="Extracts unless there is a --store.")
    parser.add_argument("--treebank", required=True, type=Path, help="Folder of UD_English-EWT.")
    parser.add_argument("--store", type=Path, help="Activations of the training set, if there are.")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, torch {torch.__version__}")
    row("what", "ours", "reference", None)
    corpus = options.treebank / "en_ewt-ud-train.conllu.gz"
    with tempfile.TemporaryDirectory() as temporary:
        store = options.store or Path(temporary, "train.h5")
        if options.store is None:
            nx.extract(options.model, nx.read_conllu(corpus), store).close()
        with nx.ActivationStore(store) as opened:
            n_rows, n_columns = opened.matrix().shape
        one_pass(store, corpus, n_rows * n_columns * 4, options.rounds)
    all_log_odds()


if __name__ == "__main__":
    main()
