"""Speed and memory of probes: rows of what, ours, reference, ratio.

The activations are extracted first, into a temporary folder. Run it through `make bench`, on a
machine that does nothing else.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from copy import copy
from functools import partial
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
# As the commands do.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

import neurox_lite as nx
from neurox_lite.activations.inputs import validate_with_sentences
from neurox_lite.activations.moments import moments
from neurox_lite.evaluation.resampling import draw_sentences
from neurox_lite.probing.losses import CrossEntropy
from neurox_lite.probing.objective import Problem
from neurox_lite.probing.search import PENALTIES
from neurox_lite.probing.side_by_side import (
    REFIT_TOL,
    fit_weighted,
    refit_on_neurons,
)
from neurox_lite.probing.solver import Certificate, solve
from neurox_lite.probing.standardized import StandardizedMatrix
from tests.benchmarks.extraction import row, seconds

L1 = L2 = 1e-3
TOL = 1e-3
STREAMED = """
import sys
import numpy as np
import neurox_lite as nx
from neurox_lite.measure import measure
X = nx.ActivationStore(sys.argv[1]).matrix()
y = np.load(sys.argv[2])
with measure() as cost:
    probe = nx.ElasticNetProbe(1e-3, 1e-3, tol=1e-3).fit(X, y)
print(cost.seconds, cost.peak_memory, probe.certificate_.value)
"""

CYANURE = """
import sys, time
import numpy as np
from cyanure.estimators import Classifier
X, y = (np.load(f"{sys.argv[1]}/{name}.npy") for name in "Xy")
model = Classifier(
    loss="multiclass-logistic", penalty="elasticnet", lambda_1=1e-3, lambda_2=2e-3,
    fit_intercept=True, solver="catalyst-miso", tol=1e-3, verbose=False,
)
start = time.perf_counter()
model.fit(X, y)
print(time.perf_counter() - start)
np.save(f"{sys.argv[1]}/W.npy", np.asarray(model.coef_))
np.save(f"{sys.argv[1]}/b.npy", np.ravel(model.intercept_))
"""


def gradient_pass(X: torch.Tensor, ids: torch.Tensor, n_classes: int) -> float:
    """Median seconds of X W, softmax and X' P, and nothing else."""
    W = 0.01 * torch.randn(X.shape[1], n_classes)
    rows = torch.arange(len(X))

    def once() -> None:
        P = torch.softmax(X @ W, 1)
        P[rows, ids] -= 1
        X.T @ P

    once()
    return statistics.median(seconds(once) for _ in range(5))


def objective(W: np.ndarray, b: np.ndarray, X: np.ndarray, ids: np.ndarray) -> float:
    """F for weights (n_classes, n_neurons) on standardised activations."""
    logits = X @ W.T + b
    loss = np.mean(logsumexp(logits, axis=1) - logits[np.arange(len(ids)), ids])
    return float(loss + L1 * np.abs(W).sum() + L2 * np.square(W).sum())


def against_saga(X: np.ndarray, y: np.ndarray) -> None:
    """scikit-learn's saga in twelve times our time: has it reached our objective?"""
    mean, std = X.mean(0, dtype=np.float64), X.std(0, dtype=np.float64)
    varies = std > 1e-6
    standardised = ((X - mean) / np.where(varies, std, 1) * varies).astype(np.float32)
    ids = np.unique(y, return_inverse=True)[1]
    fit = lambda: nx.ElasticNetProbe(L1, L2, tol=TOL).fit(standardised, y)  # noqa: E731
    ours = statistics.median(seconds(fit) for _ in range(3))
    probe = fit()
    reached = objective(probe.coef_, probe.raw_weights()[1], standardised, ids)

    def saga(max_iter: int) -> tuple[float, float]:
        total = L1 + 2 * L2
        model = LogisticRegression(
            solver="saga",
            l1_ratio=L1 / total,
            C=1 / (len(y) * total),
            tol=1e-12,
            max_iter=max_iter,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            took = seconds(lambda: model.fit(standardised, ids))
        return took, objective(model.coef_, model.intercept_, standardised, ids)

    saga(1)
    epoch = saga(1)[0]
    took, value = saga(max(1, round(12 * ours / epoch)))
    if value > reached:
        print(f"  saga's objective after {took:.0f} s: {value:.5f}; ours: {reached:.5f}")
    at_least = "" if value <= reached else "more than "
    what = f"probe, {len(y):,} rows, to a gap of 1e-3 (s)"
    row(what, f"{ours:.2f}", f"{at_least}{took:.1f} saga", took / ours)


def against_cyanure(X: np.ndarray, y: np.ndarray, n_times: int = 3) -> None:
    """cyanure to the gap it stops at, and we to a lower objective: how long does each take?"""
    if importlib.util.find_spec("cyanure") is None:
        print("  cyanure is not installed: pip install --no-deps cyanure")
        return
    mean, std = X.mean(0, dtype=np.float64), X.std(0, dtype=np.float64)
    varies = std > 1e-6
    standardised = ((X - mean) / np.where(varies, std, 1) * varies).astype(np.float32)
    ids = np.unique(y, return_inverse=True)[1]
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/X.npy", standardised)
        np.save(f"{folder}/y.npy", ids)

        def theirs() -> float:
            # In a process of its own: after its OpenMP has run, torch's bfloat16 products are NaN.
            command = [sys.executable, "-c", CYANURE, folder]
            return float(subprocess.run(command, capture_output=True, check=True).stdout)

        times = [theirs()]
        W, b = np.load(f"{folder}/W.npy"), np.load(f"{folder}/b.npy")
        value = objective(W if len(W) == ids.max() + 1 else W.T, b, standardised, ids)
        for tol in (3e-4, 2e-4, 1e-4, 5e-5, 2e-5):
            probe = nx.ElasticNetProbe(L1, L2, tol=tol).fit(standardised, y)
            reached = objective(probe.coef_, probe.raw_weights()[1], standardised, ids)
            if reached <= value:
                break
        times += [theirs() for _ in range(n_times - 1)]
        ours = [seconds(lambda: probe.fit(standardised, y)) for _ in range(n_times)]
    took, reference = statistics.median(ours), statistics.median(times)
    what = f"probe, {len(y):,} rows, to cyanure's objective (s)"
    row(what, f"{took:.2f}", f"{reference:.1f} cyanure", reference / took)
    print(f"  cyanure's objective: {value:.5f}; ours, to a gap of {tol:g}: {reached:.5f}")


def two_designs(X: np.ndarray, ids: np.ndarray, one_pass: float) -> float:
    """The whole training set by both methods; gives the seconds of the one that is used."""
    raw, like = torch.from_numpy(X), torch.empty(0)
    n_classes = int(ids.max()) + 1

    def fit(sampled: bool) -> Certificate:
        found = moments(raw)
        scale = np.where(found.is_constant, 1, found.std)
        problem = Problem(
            StandardizedMatrix.of(raw, found, scale, like),
            CrossEntropy(torch.from_numpy(ids)[:, None], n_classes),
            torch.tensor([L1], dtype=torch.float64),
            torch.tensor([L2], dtype=torch.float64),
        )
        return solve(problem, tol=TOL, max_iter=2000, sampled=sampled)[2][0]

    times: dict[bool, float] = {}
    for sampled, what in ((True, "curvature of a sample"), (False, "FISTA on all rows")):
        start = time.perf_counter()
        certificate = fit(sampled)
        times[sampled] = time.perf_counter() - start
        row(
            f"probe, {len(X):,} rows, {what} (s)",
            f"{times[sampled]:.1f}",
            f"{one_pass:.3f} a gradient pass",
            times[sampled] / one_pass,
        )
        print(f"  {certificate.n_iter} passes, gap {certificate.value:.1e}")
    return times[True]


def many(space: nx.NeuronSpace, X: np.ndarray, y: np.ndarray, whole: float) -> None:
    """A probe of every layer, and a grid of penalties, beside one probe of all neurons."""
    probe = nx.ElasticNetProbe(L1, L2, tol=TOL)
    took = seconds(lambda: nx.probing.fit_layers(probe, X, y, space=space))
    what = f"probes of {len(space.layers)} layers, one each (s)"
    row(what, f"{took:.1f}", f"{whole:.1f} of all", took / whole)
    took = seconds(lambda: nx.probing.batched.fit_grid(probe, X, y, l1s=PENALTIES, l2s=PENALTIES))
    n = len(PENALTIES)
    row(f"grid of {n} x {n} penalties (s)", f"{took:.1f}", f"{whole:.1f} one fit", took / whole)


def shared(X: np.ndarray, y: np.ndarray, corpus: nx.TaggedCorpus) -> None:
    """Probes of some neurons, and of resamples: together, and one by one."""
    sentences = np.repeat(np.arange(len(corpus)), np.diff(corpus.sentence_offsets))
    train = validate_with_sentences(X, y, sentences)
    probe = nx.ElasticNetProbe(L1, L2).fit(X, y)
    order = nx.ranking.linguistic_correlation(probe).order
    sets = [
        columns
        for k in (27, 134, 538, 1344)
        for columns in (order[:k], order[::-1][:k], np.random.default_rng(0).permutation(order)[:k])
    ]
    sets += [order[k:] for k in (27, 54, 134, 269, 538)]

    def one_by_one(columns: np.ndarray) -> None:
        columns = np.sort(columns)
        start = copy(probe)
        start.coef_ = np.ascontiguousarray(probe.coef_[:, columns])
        refitted = nx.ElasticNetProbe(L1, L2, tol=REFIT_TOL)
        refitted.fit(X.take(columns, axis=1), y, start=start)

    ours = seconds(lambda: refit_on_neurons(probe, train, sets))
    alone = seconds(lambda: [one_by_one(columns) for columns in sets])
    row(
        f"probes of {len(sets)} sets of neurons (s)",
        f"{ours:.1f}",
        f"{alone:.1f} alone",
        alone / ours,
    )

    weights = list(draw_sentences(train, 6, seed=0))

    def one_resample(times: np.ndarray) -> None:
        kept = np.flatnonzero(times)
        nx.ElasticNetProbe(L1, L2, tol=REFIT_TOL).fit(
            X[kept], y[kept], sample_weight=times[kept], start=probe
        )

    ours = seconds(lambda: list(fit_weighted(probe, train, weights)))
    alone = seconds(lambda: [one_resample(times) for times in weights])
    row("probes of 6 resamples (s)", f"{ours:.1f}", f"{alone:.1f} alone", alone / ours)


def streamed(store: Path, labels: Path, held: float) -> None:
    """Of three processes the one in the middle: the first may find the file out of the cache."""
    command = [sys.executable, "-c", STREAMED, str(store), str(labels)]
    printed = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(3)
    ]
    took, peak, gap = sorted([float(value) for value in line.split()] for line in printed)[1]
    row("probe from the disk (s)", f"{took:.1f}", f"{held:.1f} in memory", took / held)
    row("probe from the disk, peak memory (MB)", f"{peak / 1e6:.0f}", "2,000 at most")
    print(f"  gap {gap:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--treebank", required=True, type=Path, help="Folder of UD_English-EWT.")
    options = parser.parse_args()
    loaded = nx.load_model(options.model)
    print(f"{os.cpu_count()} cores, torch {torch.__version__}")
    row("what", "ours", "reference", None)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        read: Callable[[str], nx.TaggedCorpus] = lambda split: nx.read_conllu(  # noqa: E731
            options.treebank / f"en_ewt-ud-{split}.conllu.gz"
        )
        dev = read("dev")
        rows = int(dev.sentence_offsets[1000])
        with nx.extract(loaded, dev, folder / "dev.h5") as store:
            X, y = store.matrix()[:rows], np.array(dev.labels("upos"))[:rows]
            against_saga(X, y)
            against_cyanure(X, y)

        train = read("train")
        y = np.array(train.labels("upos"))
        np.save(folder / "y.npy", y)
        ids = np.unique(y, return_inverse=True)[1]
        with nx.extract(loaded, train, folder / "train.h5") as store:
            matrix = store.matrix()
            X = matrix[:]
            one_pass = gradient_pass(torch.from_numpy(X), torch.from_numpy(ids), ids.max() + 1)
            two_designs(X, ids, one_pass)
            fit = partial(nx.ElasticNetProbe(L1, L2, tol=TOL).fit, X, y)
            whole = statistics.median(seconds(fit) for _ in range(3))
            many(matrix.space, X, y, whole)
            shared(X, y, train)
            for n_rows, n_times in ((10_000, 3), (30_000, 3), (len(y), 1)):
                against_cyanure(X[:n_rows], y[:n_rows], n_times)
        streamed(folder / "train.h5", folder / "y.npy", whole)


if __name__ == "__main__":
    main()
