"""What `mask --by` takes: a search, a method that ranks the model's neurons, or a ranking."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurox_lite.corpora.minimal_pairs import MinimalPair
    from neurox_lite.masking.neuron_mask import RankPairs
    from neurox_lite.models.loading import LoadedModel
    from neurox_lite.results.ranking import NeuronRanking

SEARCHES = ("differentiable-mask", "reinforce")
TOWARDS = ("integrated-gradients", "activation-difference")
ALONE = ("single-replacement", "random")


def chosen_method(
    by: str,
    loaded: LoadedModel,
    towards: list[MinimalPair] | None,
    where: dict[str, Any],
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

    known = SEARCHES + TOWARDS + ALONE
    if by not in known and not by.endswith((".json", ".csv")):
        raise InputError(
            f"--by {by}: use {', '.join(known)}, or a ranking from 'rank' (.json)"
            f"{did_you_mean(by, known)}"
        )
    if (towards is not None) != (by in TOWARDS):
        raise InputError(
            f"--by {by} needs --towards, the condition that the pairs are to be turned to"
            if by in TOWARDS
            else f"--towards is of --by {' and '.join(TOWARDS)}; leave it out"
        )
    if by in SEARCHES:
        return by
    if by == "integrated-gradients" and towards is not None:
        return partial(
            in_model.rank_by_integrated_gradients, loaded, towards=towards, seed=seed, **where
        )
    if by == "activation-difference" and towards is not None:
        return partial(in_model.rank_by_activation_difference, loaded, towards=towards, **where)
    if by == "single-replacement":
        return partial(in_model.rank_by_single_replacement, loaded, seed=seed, **where)
    if by == "random":
        return random_ranking(neuron_space(loaded, where["site"], where["layers"]), seed=seed)
    return NeuronRanking.load(by)
