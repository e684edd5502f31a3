"""Steering: how many neurons must be moved to another class for the model to follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from neurox_lite.arguments import real_number, whole_number
from neurox_lite.arguments import shares as checked_shares
from neurox_lite.choices import unknown_choice
from neurox_lite.corpora.minimal_pairs import MinimalPair, as_pairs
from neurox_lite.errors import InputError
from neurox_lite.interventions.model_metric import ModelMetric, evaluate, evaluate_additions
from neurox_lite.interventions.pair_inputs import encode_pairs
from neurox_lite.interventions.pair_metrics import log_odds_of
from neurox_lite.interventions.pair_scores import intact_log_odds, select_right
from neurox_lite.interventions.pair_task import check_one_way, pair_task
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.interventions.steering_curves import SteeringCurve, SteeringCurves
from neurox_lite.interventions.text_metrics import kl_and_perplexity
from neurox_lite.models.loading import Model, as_loaded
from neurox_lite.models.location import Location
from neurox_lite.results.ranking import NeuronRanking, as_rankings, require_space
from neurox_lite.results.sweep import SHARES, NeuronSets, count_neurons
from neurox_lite.seeds import validate_seed

STEERED_SHARES = (0.005, *SHARES, 1.0)
"""Of all neurons, how many are steered, by default."""
MODES = ("set", "add")

STRENGTH = 8.0
LEAST_COEFFICIENT = 1e-3
"""Of the first and the last neuron that is moved, as in the paper's experiments and code."""


def steer(
    rankings: NeuronRanking | Sequence[NeuronRanking],
    model: Model,
    pairs: Sequence[MinimalPair],
    target_pairs: Sequence[MinimalPair],
    *,
    mode: str = "set",
    strength: float | None = None,
    positions: str | int = "all",
    shares: Sequence[float] | None = None,
    counts: Sequence[int] | None = None,
    texts: Sequence[str] | None = None,
    include_incorrect: bool = False,
    n_random: int = 5,
    seed: int = 0,
    tokenizer: Any = None,
) -> SteeringCurves:
    """Move the neurons of pairs of class z to class z', in the order of rankings.

    With mu_z and mu_z' the mean activations of a neuron h in both classes, at the tokens that are
    steered:

    - set: ``h = mu_z'`` (Bau et al. 2019);
    - add: ``h + alpha_r (mu_z' - mu_z)`` for the neuron at rank r = 0, ..., N - 1 (Antverg &
      Belinkov 2022), ``alpha_r = strength (0.001 / strength)^(r / (N - 1))``.

    Beside the top of every ranking, its bottom and random neurons are steered, ranked in that
    order. Many sets are read in one batch; memory is (n_sets, n_neurons) float32.

    Parameters
    ----------
    rankings : NeuronRanking or sequence
        Of one site and the same layers of the model; of neurons, or all of the same groups of them,
        such as heads, whose neurons are steered together and have one rank.
    model : LoadedModel, name or path, or PreTrainedModel
        A causal or masked language model, with its head.
    pairs : sequence of MinimalPair
        To be turned: of class z, such as singular subjects.
    target_pairs : sequence of MinimalPair
        Of class z', such as plural subjects; only their activations are used.
    mode : {"set", "add"}
    strength : float, optional
        Of mode add: alpha_0, 8 by default.
    positions : "all", "last" or int
        Where neurons are steered: at every token, at the last one, or at the end of one word of the
        prefix, from 0 (-1 is its last). In an LSTM the effect of one step propagates.
    shares : sequence of float, optional
        How many neurons, or groups, as shares of all; by default 0.5, 1, 2, 5, 10, 20, 50 and
        100 %.
    counts : sequence of int, optional
        How many neurons, instead of shares.
    texts : sequence of str, optional
        Other text on which the side effects are measured, all of its tokens steered.
    include_incorrect : bool
        Also steer pairs that the intact model gets wrong; they count as turned if they still are.
        By default they are left out and counted.
    n_random : int
        Number of random orders.
    seed : int
    tokenizer : PreTrainedTokenizerBase, optional
        Of a model in memory, see :func:`~neurox_lite.models.loading.as_loaded`.

    Raises
    ------
    InputError
        When there are no pairs, a pair is of both classes, pairs of the same two words are to be
        turned in opposite ways, a ranking is of other neurons, the model cannot choose between the
        words of a pair or gets all wrong, or an option is out of range.
    """
    rankings = as_rankings(rankings)
    pairs, target_pairs = as_pairs(pairs), as_pairs(target_pairs, "target_pairs")
    n_random = whole_number(n_random, "n_random", least=1)
    require_space(rankings)
    if mode not in MODES:
        raise unknown_choice("mode", mode, MODES)
    both = set(pairs) & set(target_pairs)
    if both:
        raise InputError(
            f"'{' '.join(next(iter(both)).prefix)}' is among the pairs to turn and those of the "
            "target class; give two classes"
        )
    seed = validate_seed(seed)
    space = rankings[0].space
    steps = _counts(space.n_neurons, shares, counts)
    coefficients = _coefficients(space.n_neurons, mode, strength)
    loaded = as_loaded(model, tokenizer, head="language")
    inputs, targets = encode_pairs(loaded, pairs), encode_pairs(loaded, target_pairs)
    where = Location.of_space(space, positions)
    runner = InterventionRunner.of_pairs(loaded, inputs, where)
    intact = intact_log_odds(runner, inputs)
    runner, inputs, right = select_right(runner, inputs, intact, include_incorrect)
    require_space(rankings, runner.space, or_groups=True)
    task = pair_task(loaded, pairs, intact, target_pairs)
    if task.holds:
        check_one_way(right)
    beside: dict[str, ModelMetric] = {}
    if texts is not None:
        of_text = kl_and_perplexity(loaded, texts, Location.of_space(space))
        beside = dict(zip(("kl", "perplexity"), of_text, strict=True))
    mean, target_mean = (
        each.activation_range().mean.double().cpu().numpy()
        for each in (runner, InterventionRunner.of_pairs(loaded, targets, where))
    )
    sets = NeuronSets.of(rankings, steps, n_random, seed)
    moved = sets.weights(coefficients)
    moved = np.concatenate([np.zeros_like(moved[:1]), moved])

    def measured(metric: ModelMetric, per_input: bool = False) -> np.ndarray:
        if mode == "set":
            return evaluate(metric, moved, target_mean, per_input=per_input)
        return evaluate_additions(metric, moved * (target_mean - mean), per_input=per_input)

    found = measured(log_odds_of(runner, inputs), per_input=True)
    values = {"success": (found < 0).mean(1), "log_odds": found.mean(1)}
    values |= {name: measured(metric) for name, metric in beside.items()}
    sweeps = {name: sets.sweeps(of_sets[0], of_sets[1:]) for name, of_sets in values.items()}
    return SteeringCurves(
        tuple(
            SteeringCurve(
                method=ranking.method,
                mode=mode,
                strength=None if mode == "set" else float(coefficients[0]),
                positions=str(positions),
                n_neurons=space.n_neurons,
                n_pairs=len(inputs),
                n_left_out=len(pairs) - len(inputs),
                counts=steps,
                task=task,
                units=space.unit_name,
                **{name: of_rankings[number] for name, of_rankings in sweeps.items()},
            )
            for number, ranking in enumerate(rankings)
        )
    )


def _counts(
    n_neurons: int, shares: Sequence[float] | None, counts: Sequence[int] | None
) -> tuple[int, ...]:
    """How many neurons to steer, ascending."""
    if shares is not None and counts is not None:
        raise InputError("shares and counts are given; give one of them")
    if counts is None:
        shares = checked_shares(STEERED_SHARES if shares is None else shares)
        counts = count_neurons(shares, n_neurons)
    is_one = isinstance(counts, str | bytes) or not isinstance(counts, Iterable)
    several: Iterable[Any] = [counts] if is_one else counts
    try:
        found = [whole_number(k, "count") for k in several]
    except InputError as error:
        raise InputError(f"counts: {error}; give whole numbers from 1 to {n_neurons}") from None
    if not found or not all(1 <= k <= n_neurons for k in found):
        raise InputError(f"counts {tuple(found)}: give whole numbers from 1 to {n_neurons}")
    return tuple(sorted(set(found)))


def _coefficients(n_neurons: int, mode: str, strength: float | None) -> np.ndarray:
    """How far the neuron at each rank is moved, (n_neurons,)."""
    if mode == "set":
        if strength is not None:
            raise InputError("strength applies to mode add; set neurons without it")
        return np.ones(n_neurons)
    strength = STRENGTH if strength is None else real_number(strength, "strength")
    if not LEAST_COEFFICIENT < strength < np.inf:
        raise InputError(f"strength is {strength}; give a number above {LEAST_COEFFICIENT}")
    return np.geomspace(strength, LEAST_COEFFICIENT, n_neurons)
