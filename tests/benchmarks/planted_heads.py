"""Planted heads: which number of a head, made from its neurons' scores, finds the heads that know?

    python -m tests.benchmarks.planted_heads [--seeds 5] [--json]

Of 6 layers of 8 heads of 16 neurons, four heads are told the label, each as much as the others (a
distance of ``TOLD`` standard deviations between its two classes): by all of their neurons alike, by
two of them, by one, or in one direction of a head whose neurons are correlated. One neuron of every
other head is told half as much. Printed is the share of the planted heads among the first four.
"""

from __future__ import annotations

import argparse
import json
from functools import partial

import numpy as np

import neurox_lite as nx
from neurox_lite.neurons import NeuronSpace
from neurox_lite.ranking import RankingTask, rank

N_LAYERS, N_HEADS, SIZE, N_WORDS = 6, 8, 16, 3000
TOLD, N_PLANTED, N_SHARED = 0.6, 4, 3
CONDITIONS = ("all alike", "two neurons", "one neuron", "one direction")
METHODS = (
    *("linguistic-correlation", "probeless", "iou", "mean-select", "point-biserial"),
    *("average-precision", "matching-pursuit"),
)
BY = ("mean", "sum", "max", "first")
SPACE = NeuronSpace("planted", "attention_heads", tuple(range(N_LAYERS)), (N_HEADS * SIZE,) * 6)
HEADS = SPACE.heads(N_HEADS)


def planted(condition: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Activations (n_words, n_neurons), labels, and the planted heads."""
    rng = np.random.default_rng(seed)
    n_heads = N_LAYERS * N_HEADS
    X, y = rng.normal(size=(N_WORDS, n_heads, SIZE)), rng.integers(2, size=N_WORDS)
    heads = rng.choice(n_heads, N_PLANTED, replace=False)
    for head in range(n_heads):
        is_planted, direction = head in heads, np.zeros(SIZE)
        n_told = {"all alike": SIZE, "two neurons": 2}.get(condition, 1) if is_planted else 1
        direction[rng.permutation(SIZE)[:n_told]] = 1
        covariance = np.eye(SIZE)
        if condition == "one direction":
            mixing = rng.normal(size=(N_SHARED, SIZE))
            X[:, head] += rng.normal(size=(N_WORDS, N_SHARED)) @ mixing
            covariance = covariance + mixing.T @ mixing
            direction = rng.normal(size=SIZE) if is_planted else direction
        distance = np.sqrt(direction @ np.linalg.solve(covariance, direction))
        told = TOLD if is_planted else TOLD / 2
        X[:, head] += np.outer(y, told * direction / distance)
    X *= rng.lognormal(0, 1, (n_heads, SIZE))
    return X.reshape(N_WORDS, -1).astype(np.float32), y, heads


def shares(condition: str, seed: int) -> dict[str, dict[str, float]]:
    """By method and number of a head, the share of the planted heads among the first."""
    X, y, heads = planted(condition, seed)
    task = RankingTask(X, y, probe=nx.ElasticNetProbe())
    found = {}
    for method in METHODS:
        of_neurons = rank(method, task)
        ways = {by: partial(of_neurons.group, HEADS, by) for by in BY}
        tops = {by: way().order[:N_PLANTED] for by, way in ways.items()}
        found[method] = {by: float(np.isin(top, heads).mean()) for by, top in tops.items()}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    means = {}
    for condition in CONDITIONS:
        runs = [shares(condition, seed) for seed in range(options.seeds)]
        means[condition] = {
            method: {by: float(np.mean([run[method][by] for run in runs])) for by in BY}
            for method in METHODS
        }
        if not options.json:
            print(f"| {condition} | {' | '.join(BY)} |\n|---|{'---|' * len(BY)}")
            for method, row in means[condition].items():
                print(f"| {method} | {' | '.join(f'{row[by]:.2f}' for by in BY)} |", flush=True)
    if options.json:
        print(json.dumps(means))


if __name__ == "__main__":
    main()
