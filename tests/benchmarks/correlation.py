"""Speed and memory of cross-model correlation: rows of what, ours, reference, ratio.

The activations are extracted first, into a temporary folder, unless a store is given. It is
correlated with itself, which is read twice. Run it through `make bench`, on a machine that does
nothing else.
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

import torch

import neurox_lite as nx
from neurox_lite.activations.moments import BLOCK_ROWS
from neurox_lite.correlation.cross_moments import cross_moments
from tests.benchmarks.extraction import row, seconds

ROUNDS = 3
CHILD = """
import sys
import neurox_lite as nx
from neurox_lite.correlation.cross_moments import cross_moments
from neurox_lite.measure import measure
X, Y = (nx.ActivationStore(sys.argv[1]).matrix() for _ in range(2))
with measure() as cost:
    cross_moments(X, Y)
print(cost.seconds, cost.peak_memory)
"""


def bare_product(n_rows: int, n_neurons: int) -> float:
    """Seconds of X'Y in float32, block by block, from memory, and nothing else."""
    n_held = 4 * BLOCK_ROWS
    X, Y = torch.randn(2, n_held, n_neurons)

    def once() -> None:
        for start in range(0, n_rows, BLOCK_ROWS):
            first = start % n_held
            n = min(BLOCK_ROWS, n_rows - start)
            X[first : first + n].T @ Y[first : first + n]

    return seconds(once)


def streamed(store: Path) -> None:
    """Second moments of two stores against the bare product of their sizes."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        X, Y = (nx.ActivationStore(store).matrix() for _ in range(2))
        ours.append(seconds(lambda X=X, Y=Y: cross_moments(X, Y)))
        bare.append(bare_product(*X.shape))
    what = f"moments of 2 stores, {len(X):,} x {X.shape[1]:,} (s)"
    speed = statistics.median(b / o for o, b in zip(ours, bare, strict=True))
    row(what, f"{min(ours):.1f}", f"{min(bare):.1f} bare X'Y, float32", speed)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(store)], capture_output=True, text=True, check=True
    )
    peak = float(done.stdout.split()[1])
    row("moments of 2 stores, peak memory (MB)", f"{peak / 1e6:.0f}", "1,000 at most")


def rankings(store: Path) -> None:
    """All four methods, against the product alone."""
    X, Y = (nx.ActivationStore(store).matrix() for _ in range(2))
    for name in ("max_corr", "min_corr", "lin_reg", "svcca"):
        took = seconds(lambda name=name: getattr(nx.ranking, name)(X, [Y]))
        row(f"{name.replace('_', '-')} of 2 stores (s)", f"{took:.1f}", "")
    took = seconds(lambda: nx.correlation.layer_similarity(X, Y))
    row("CKA of all layers of 2 stores (s)", f"{took:.1f}", "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--treebank", type=Path, help="Folder of UD_English-EWT.")
    parser.add_argument("--store", type=Path, help="Use this store and extract nothing.")
    options = parser.parse_args()
    if options.store is None and not (options.model and options.treebank):
        parser.error("give --store, or --model and --treebank")
    print(f"{os.cpu_count()} cores, torch {torch.__version__}")
    row("what", "ours", "reference", None)
    with tempfile.TemporaryDirectory() as temporary:
        store = options.store
        if store is None:
            store = Path(temporary) / "train.h5"
            train = nx.read_conllu(options.treebank / "en_ewt-ud-train.conllu.gz")
            nx.extract(options.model, train, store).close()
        streamed(store)
        rankings(store)


if __name__ == "__main__":
    main()
