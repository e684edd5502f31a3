"""Ablation in the running model: what it can no longer do without the neurons of a ranking."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurox_lite.arguments import expect, whole_number
from neurox_lite.arguments import shares as checked_shares
from neurox_lite.choices import unknown_choice
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.interventions.model_metric import A_METRIC, ModelMetric, evaluate
from neurox_lite.interventions.pair_scores import intact_log_odds
from neurox_lite.interventions.pair_task import pair_task
from neurox_lite.interventions.replacement_values import resample
from neurox_lite.results.ablation import AblationCurve, AblationCurves
from neurox_lite.results.ranking import NeuronRanking, as_rankings, require_space
from neurox_lite.results.sweep import SHARES, NeuronSets, count_neurons
from neurox_lite.seeds import validate_seed


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
        Of the neurons of ``metric.runner.space``, such as those of a store of this model, or of
        groups of them, such as heads, which are then replaced whole.
    metric : ModelMetric
        See :mod:`neurox_lite.interventions.metrics`.
    shares : sequence of float
        Shares of all neurons, or groups.
    replacement : {"mean", "zero", "resampled"} or array
        - mean: over the tokens of the metric's inputs at which neurons are replaced.
        - resampled: for every input the activations at one such token of any, drawn at random.
        - (n_neurons,) values, or (n_inputs, n_neurons), such as class means.
    n_random : int
        Number of random sets per share.
    seed : int
    others : sequence of MinimalPair
        Of a metric of minimal pairs: pairs of the same words that turn the other way. They
        distinguish a model that can do the task from one that always prefers the same word, see
        ``AblationCurve.task``.

    Raises
    ------
    InputError
        When a ranking is of other neurons or an option is out of range.
    """
    rankings, shares = as_rankings(rankings), checked_shares(shares)
    expect(metric, ModelMetric, "metric", A_METRIC)
    n_random, seed = whole_number(n_random, "n_random", least=1), validate_seed(seed)
    runner = metric.runner
    require_space(rankings, runner.space, or_groups=True)
    space = rankings[0].space
    values, name = _values(metric, replacement, seed)
    sets = NeuronSets.of(rankings, count_neurons(shares, space.n_neurons), n_random, seed)
    removed = sets.weights(np.ones(space.n_neurons))
    gates = np.concatenate([np.zeros_like(removed[:1]), removed, 1 - removed])
    task = None
    if metric.inputs is not None:
        odds = intact_log_odds(runner, metric.inputs)
        task = pair_task(runner.loaded, metric.inputs.pairs, odds, others)
    by_input = values.ndim == 2
    intact, *found = evaluate(metric, gates, values, by_input=by_input).tolist()
    remove = sets.sweeps(intact, found[: len(removed)])
    keep = sets.sweeps(intact, found[len(removed) :])
    return AblationCurves(
        tuple(
            AblationCurve(
                method=ranking.method,
                retrained=False,
                replacement=name,
                metric=metric.name,
                n_neurons=space.n_neurons,
                shares=shares,
                counts=sets.counts,
                keep=kept,
                remove=lost,
                converged=True,
                task=task,
                units=space.unit_name,
            )
            for ranking, kept, lost in zip(rankings, keep, remove, strict=True)
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
