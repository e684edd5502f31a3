"""Ablation in the running model: what it can no longer do without the neurons of a ranking."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurox_lite.arguments import expect, whole_number
from neurox_lite.arguments import shares as checked_shares
from neurox_lite.choices import unknown_choice
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.interventions.metrics import ModelMetric, evaluate
from neurox_lite.interventions.pair_scores import intact_log_odds
from neurox_lite.interventions.pair_task import pair_task
from neurox_lite.interventions.replacement_values import resample
from neurox_lite.results.ablation import AblationCurve, AblationCurves
from neurox_lite.results.ranking import NeuronRanking, as_rankings, require_space
from neurox_lite.seeds import validate_seed

SHARES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.50)


def ablate_in_model(
    rankings: NeuronRanking | Sequence[NeuronRanking],
    metric: ModelMetric,
    *,
    shares: Sequence[float] = SHARES,
    replacement: str | np.ndarray = "mean",
    n_random: int = 5,
    seed: int = 0,
    others: Sequence[MinimalPair] = (),
) -> AblationCurves:
    """Replace neurons in the order of rankings during real forward passes.

    Six curves per ranking: only the top, the bottom or random neurons keep their activations, or
    only they lose them. Many masks are read in one batch.

    Parameters
    ----------
    rankings : NeuronRanking or sequence
        Of the neurons of ``metric.runner.space``, such as those of a store of this model.
    metric : ModelMetric
        See :mod:`neurox_lite.interventions.metrics`.
    shares : sequence of float
        Shares of all neurons.
    replacement : {"mean", "zero", "resampled"} or array
        - mean: over the tokens of the metric's inputs at which neurons are replaced.
        - resampled: for every input the activations at one such token of any, drawn at random.
        - (n_neurons,) values, or (n_inputs, n_neurons), such as class means.
    n_random : int
        Number of random sets per share.
    seed : int
    others : sequence of MinimalPair
        Of a metric of minimal pairs: pairs of the same words that turn the other way. They tell a
        model that can do the task from one that always prefers the same word, see
        ``AblationCurve.task``.

    Raises
    ------
    InputError
        When a ranking is of other neurons or an option is out of range.
    """
    rankings, shares = as_rankings(rankings), checked_shares(shares)
    expect(
        metric,
        ModelMetric,
        "metric",
        "one of nx.interventions.metrics, as pair_accuracy(model, pairs)",
    )
    n_random, seed = whole_number(n_random, "n_random", least=1), validate_seed(seed)
    runner = metric.runner
    n_neurons = runner.space.n_neurons
    require_space(rankings, runner.space)
    values, name = _values(metric, replacement, seed)
    counts = tuple(max(1, round(share * n_neurons)) for share in shares)
    rng = np.random.default_rng(seed)
    chance = [rng.permutation(n_neurons) for _ in range(n_random)]
    orders = [*chance, *(ranking.order for ranking in rankings)]
    orders += [ranking.order[::-1] for ranking in rankings]

    removed = np.zeros((len(orders), len(counts), n_neurons), dtype=np.float32)
    for gates, order in zip(removed, orders, strict=True):
        for gate, k in zip(gates, counts, strict=True):
            gate[order[:k]] = 1
    flat = removed.reshape(-1, n_neurons)
    both = np.concatenate([np.zeros((1, n_neurons), np.float32), flat, 1 - flat])
    task = None
    if metric.inputs is not None:
        odds = intact_log_odds(runner, metric.inputs)
        task = pair_task(runner.loaded, metric.inputs.pairs, odds, others)
    by_input = values.ndim == 2
    intact, *found = evaluate(metric, both, values, by_input=by_input).tolist()
    without, only = np.reshape(found, (2, len(orders), len(counts)))
    first, last = n_random, n_random + len(rankings)
    return AblationCurves(
        tuple(
            AblationCurve(
                method=ranking.method,
                retrained=False,
                replacement=name,
                metric=metric.name,
                n_neurons=n_neurons,
                intact=intact,
                shares=shares,
                counts=counts,
                keep_top=tuple(only[first + number].tolist()),
                remove_top=tuple(without[first + number].tolist()),
                keep_bottom=tuple(only[last + number].tolist()),
                random_mean=tuple(only[:n_random].mean(0).tolist()),
                random_low=tuple(only[:n_random].min(0).tolist()),
                random_high=tuple(only[:n_random].max(0).tolist()),
                converged=True,
                remove_bottom=tuple(without[last + number].tolist()),
                remove_random_mean=tuple(without[:n_random].mean(0).tolist()),
                remove_random_low=tuple(without[:n_random].min(0).tolist()),
                remove_random_high=tuple(without[:n_random].max(0).tolist()),
                task=task,
            )
            for number, ranking in enumerate(rankings)
        )
    )


def _values(
    metric: ModelMetric, replacement: str | np.ndarray, seed: int
) -> tuple[np.ndarray, str]:
    """Replacements, and what to call them."""
    runner = metric.runner
    if not isinstance(replacement, str):
        return np.asarray(replacement), "given values"
    if replacement == "zero":
        return np.zeros(runner.space.n_neurons), "zero"
    if replacement not in ("mean", "resampled"):
        raise unknown_choice("replacement", replacement, ("mean", "zero"), "or resampled")
    if replacement == "mean":
        return runner.activation_range().mean.cpu().numpy(), "mean"
    return resample(runner.activations().cpu().numpy(), len(runner), seed), "resampled"
