"""What `mask --method` takes: a search, a method that ranks the model's neurons, or a ranking."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurox_lite.corpora.minimal_pairs import MinimalPair
    from neurox_lite.masking.neuron_mask import PairOptions, RankPairs
    from neurox_lite.models.loading import LoadedModel
    from neurox_lite.results.ranking import NeuronRanking

SEARCHES = ("differentiable-mask", "reinforce")
TO_TARGET = ("integrated-gradients", "activation-difference")
ALONE = ("single-replacement", "random")


def chosen_method(
    method: str,
    loaded: LoadedModel,
    target_pairs: list[MinimalPair] | None,
    options: PairOptions,
    seed: int,
) -> str | NeuronRanking | RankPairs:
    """The name of a search, a ranking of the model's neurons, or a function of pairs that ranks.

    Raises
    ------
    InputError
        When a method needs other pairs and there are none, or takes none.
    """
    from neurox_lite.choices import did_you_mean
    from neurox_lite.errors import InputError
    from neurox_lite.masking import baselines as in_model
    from neurox_lite.models.neuron_spaces import neuron_space
    from neurox_lite.ranking.random import random_ranking
    from neurox_lite.results.ranking import NeuronRanking

    known = SEARCHES + TO_TARGET + ALONE
    if method not in known and not method.endswith((".json", ".csv")):
        raise InputError(
            f"--method {method}: use {', '.join(known)}, or a ranking from 'rank' (.json)"
            f"{did_you_mean(method, known)}"
        )
    if (target_pairs is not None) != (method in TO_TARGET):
        raise InputError(
            f"--method {method} needs --target, the condition that the pairs are to be turned to"
            if method in TO_TARGET
            else f"--target is of --method {' and '.join(TO_TARGET)}; leave it out"
        )
    if method in SEARCHES:
        return method
    if method == "integrated-gradients" and target_pairs is not None:
        return partial(
            in_model.rank_by_integrated_gradients,
            loaded,
            target_pairs=target_pairs,
            seed=seed,
            **options,
        )
    if method == "activation-difference" and target_pairs is not None:
        return partial(
            in_model.rank_by_activation_difference, loaded, target_pairs=target_pairs, **options
        )
    if method == "single-replacement":
        return partial(in_model.rank_by_single_replacement, loaded, seed=seed, **options)
    if method == "random":
        return random_ranking(neuron_space(loaded, options["site"], options["layers"]), seed=seed)
    return NeuronRanking.load(method)
