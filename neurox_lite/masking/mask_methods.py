"""Masks by the name of a method, from one seed or several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Unpack

from neurox_lite.arguments import whole_number
from neurox_lite.choices import unknown_choice
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.errors import InputError
from neurox_lite.masking.baselines import (
    rank_by_activation_difference,
    rank_by_integrated_gradients,
    rank_by_single_replacement,
)
from neurox_lite.masking.fitting import N_STEPS
from neurox_lite.masking.neuron_mask import SEARCHES, PairOptions, RankPairs, fit_neuron_mask
from neurox_lite.masking.seed_spread import SeedSpread
from neurox_lite.models.loading import LoadedModel, Model, as_loaded
from neurox_lite.models.neuron_spaces import neuron_space
from neurox_lite.results.random_ranking import random_ranking
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed

TO_TARGET = ("integrated-gradients", "activation-difference")
"""Methods that compare the pairs with those of another condition."""

METHODS = (*SEARCHES, *TO_TARGET, "single-replacement", "random")


def fit_neuron_masks(
    model: Model,
    pairs: Sequence[MinimalPair],
    *,
    method: str | NeuronRanking = "differentiable-mask",
    target_pairs: Sequence[MinimalPair] | None = None,
    alpha: float | None = None,
    success: float | None = None,
    held_out: float = 0.25,
    n_steps: int = N_STEPS,
    n_seeds: int = 1,
    seed: int = 0,
    **options: Unpack[PairOptions],
) -> SeedSpread:
    """A mask from every seed, by the name of a method; see :func:`fit_neuron_mask`.

    Parameters
    ----------
    model, pairs, alpha, success, held_out, n_steps
        As for :func:`fit_neuron_mask`.
    method : str or NeuronRanking
        A search, ``"differentiable-mask"`` or ``"reinforce"``; or whose top neurons are taken:
        those of ``"integrated-gradients"``, ``"activation-difference"``, ``"single-replacement"``,
        ``"random"`` or a ranking.
    target_pairs : sequence of MinimalPair, optional
        Those to turn to, of the first two of the latter.
    n_seeds : int
    seed : int
        The first.
    **options : PairOptions

    Raises
    ------
    InputError
        When there is no such method, it needs other pairs and there are none, or takes none, or as
        :func:`fit_neuron_mask`.
    """
    if isinstance(method, str) and method not in METHODS:
        raise unknown_choice("method", method, METHODS, "or a ranking")
    if (target_pairs is not None) != (method in TO_TARGET):
        raise InputError(
            f"method '{method}' needs target_pairs, those to turn to"
            if method in TO_TARGET
            else f"target_pairs are of {' and '.join(TO_TARGET)}; leave them out"
        )
    n_seeds, seed = whole_number(n_seeds, "n_seeds", least=1), validate_seed(seed)
    loaded = as_loaded(model, options.pop("tokenizer", None), head="language")
    fits = [
        fit_neuron_mask(
            loaded,
            pairs,
            method=_ranker(method, loaded, target_pairs, options, number),
            alpha=alpha,
            success=success,
            held_out=held_out,
            n_steps=n_steps,
            seed=number,
            **options,
        )
        for number in range(seed, seed + n_seeds)
    ]
    return SeedSpread(tuple(fits))


def _ranker(
    method: str | NeuronRanking,
    loaded: LoadedModel,
    target_pairs: Sequence[MinimalPair] | None,
    options: PairOptions,
    seed: int,
) -> str | NeuronRanking | RankPairs:
    """What :func:`fit_neuron_mask` takes: a search, a ranking, or what ranks by pairs."""
    if isinstance(method, NeuronRanking) or method in SEARCHES:
        return method
    if method == "random":
        units = options.get("units", "neurons")
        space = neuron_space(loaded, options.get("site"), options.get("layers"), units=units)
        return random_ranking(space, seed=seed)
    if method == "single-replacement":
        return partial(rank_by_single_replacement, loaded, seed=seed, **options)
    others = target_pairs or ()
    if method == "integrated-gradients":
        return partial(
            rank_by_integrated_gradients, loaded, target_pairs=others, seed=seed, **options
        )
    return partial(rank_by_activation_difference, loaded, target_pairs=others, **options)
