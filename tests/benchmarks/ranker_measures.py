"""How well every method does on one data set in which the neurons that count are known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import spearmanr

import neurox_lite as nx
from neurox_lite.activations.access import space_of
from neurox_lite.evaluation.refitting import refit_scores
from neurox_lite.ranking import (
    RankingTask,
    activation_difference,
    lin_reg,
    max_corr,
    min_corr,
    rank,
    svcca,
)
from neurox_lite.results.ranking import NeuronRanking
from tests.benchmarks.known_units import LEAST_EFFECT, number_units, readout
from tests.benchmarks.planted import CONDITIONS, WORDS_PER_SENTENCE, Planted, Size
from tests.benchmarks.planted_models import CROSS_MODEL_CONDITIONS

CROSS_MODEL = {"max-corr": max_corr, "min-corr": min_corr, "lin-reg": lin_reg, "svcca": svcca}
TRUTH = "(the known neurons)"
ALL = "(all neurons)"
N_RESAMPLES = 2

Values = dict[str, dict[str, float]]
"""By method and measure."""


def task_of(data: Planted, seed: int) -> RankingTask:
    train, dev, test = data.splits.train, data.splits.dev, data.splits.test
    probe = nx.ElasticNetProbe()
    return RankingTask(train.X, train.y, dev.X, dev.y, probe, seed, test.X, test.y)


def ranked(method: str, task: RankingTask, n_planted: int) -> NeuronRanking:
    """A ranking by a method, with the samples that keep a benchmark short."""
    options = {
        "gaussian": {"n_neurons": n_planted},
        "matching-pursuit": {"n_neurons": 2 * n_planted},
        "mutual-information": {"n_rows": 1000},
        "integrated-gradients": {"n_rows": 200},
    }
    # A copy has no fitted probe yet, so that its fit is part of the time.
    return rank(method, replace(task), **options.get(method, {}))


def truth(data: Planted, seed: int) -> NeuronRanking:
    """The planted neurons first, otherwise in random order."""
    space = space_of(data.splits.train.X)
    scores = np.random.default_rng(seed).random(space.n_neurons)
    scores[data.columns] += 1
    return NeuronRanking.from_scores(space, scores, TRUTH)


def measured(condition: str, seed: int, methods: Sequence[str]) -> Values:
    """All measures of the methods on one made-up data set."""
    data = CONDITIONS[condition](np.random.default_rng(seed), Size())
    task, k = task_of(data, seed), len(data.columns)
    values: Values = {}
    rankings = {}
    for method in methods:
        start = time.perf_counter()
        rankings[method] = ranked(method, task, k)
        milliseconds = 1000 * (time.perf_counter() - start)
        values[method] = {
            "precision": data.precision(rankings[method]),
            "stability": stability(method, rankings[method], data, task),
            "milliseconds": milliseconds,
        }
    for method, ranking in {**rankings, TRUTH: truth(data, seed)}.items():
        values.setdefault(method, {}).update(areas(ranking, data, task))
    test = data.splits.test
    values[ALL] = {"keep top": task.fitted_probe.score(test.X, test.y)}
    return values


def areas(ranking: NeuronRanking, data: Planted, task: RankingTask) -> dict[str, float]:
    """Accuracy of probes retrained on the top, and what they lose without it.

    Means over tops of once and twice as many neurons as were planted.
    """
    train, test, probe = data.splits.train, data.splits.test, task.fitted_probe

    def accuracy(columns: np.ndarray) -> float:
        return refit_scores(probe, train, [columns], test)[0][0]

    k = len(data.columns)
    sizes = (k, 2 * k)
    kept = np.mean([accuracy(ranking.order[:size]) for size in sizes])
    without = np.mean([accuracy(ranking.order[size:]) for size in sizes])
    intact = probe.score(test.X, test.y)
    return {"keep top": float(kept), "remove top": float(intact - without)}


def stability(method: str, ranking: NeuronRanking, data: Planted, task: RankingTask) -> float:
    """Share of the top that it shares with the top from a resample of the sentences."""
    n_sentences = len(task.y) // WORDS_PER_SENTENCE
    overlaps = []
    for number in range(N_RESAMPLES):
        seed = (number + 1) * 1000 + task.seed
        sentences = np.random.default_rng(seed).integers(n_sentences, size=n_sentences)
        words = sentences[:, None] * WORDS_PER_SENTENCE + np.arange(WORDS_PER_SENTENCE)
        rows = words.ravel()
        resample = replace(task, X=task.X[rows], y=task.y[rows], seed=seed)
        again = ranked(method, resample, len(data.columns))
        overlaps.append(ranking.overlap(again, len(data.columns)))
    return float(np.mean(overlaps))


def measured_number(name: str, methods: Sequence[str]) -> Values:
    """The methods on a trained LSTM, against what its units do for the number of the verb."""
    known = number_units(name)
    data, k = known.planted, len(known.planted.columns)
    task = task_of(data, 0)
    rankings = {method: ranked(method, task, k) for method in methods}
    rankings["activation-difference"] = activation_difference(*known.sides)
    rankings[TRUTH] = NeuronRanking.from_scores(space_of(task.X), known.effects, TRUTH)
    train, test = data.splits.train, data.splits.test

    def accuracy(columns: np.ndarray) -> float:
        probe = task.fitted_probe
        return refit_scores(probe, train, [columns], test)[0][0]

    alone = [accuracy(np.array([unit])) for unit in range(len(known.effects))]
    report(name, known.effects, np.array(alone))
    return {
        method: {
            "precision": data.precision(ranking),
            "Spearman": float(spearmanr(-ranking.ranks, known.effects).statistic),
            "probe of the top": accuracy(ranking.order[:k]),
            "lost without the top": known.model.effect(ranking.order[:k]),
        }
        for method, ranking in rankings.items()
    }


def report(name: str, effects: np.ndarray, accuracies: np.ndarray) -> None:
    """Print what single units of a model know of the number, and what they do for the verb."""
    descending = np.sort(effects)[::-1]
    k = int(np.sum(effects >= LEAST_EFFECT))
    share = ", ".join(f"{effect:.2f}" for effect in descending[:k])
    knowing = accuracies >= 0.75
    idle = knowing & (effects < 0.01)
    print(
        f"- {name}: {k} units decide (log-odds lost: {share}; next {descending[k]:.2f}). A probe "
        f"of a single unit is right on at least 75 % for {knowing.sum()} units, of which "
        f"{idle.sum()} cost less than 0.01.",
        flush=True,
    )


def measured_readout(name: str, seed: int, methods: Sequence[str]) -> Values:
    """Precision of the methods where two units of real activations decide."""
    data = readout(name, seed)
    task = task_of(data, seed)
    return {
        method: {"precision": data.precision(ranked(method, task, len(data.columns)))}
        for method in methods
    }


def measured_models(condition: str, seed: int) -> Values:
    """Precision of the methods that compare models."""
    X, others, columns = CROSS_MODEL_CONDITIONS[condition](np.random.default_rng(seed))
    tops = {
        method: ranker(X, others).order[: len(columns)] for method, ranker in CROSS_MODEL.items()
    }
    return {
        method: {"precision": float(np.isin(top, columns).mean())} for method, top in tops.items()
    }
