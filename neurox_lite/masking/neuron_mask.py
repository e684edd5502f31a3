"""The smallest set of neurons that decides between the words of minimal pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from neurox_lite.arguments import expect_function
from neurox_lite.choices import unknown_choice
from neurox_lite.corpora.minimal_pairs import MinimalPair, as_pairs
from neurox_lite.interventions.pair_inputs import encode_pairs
from neurox_lite.interventions.pair_scores import intact_log_odds, select_right
from neurox_lite.interventions.pair_task import check_one_way, pair_task
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.masking.effects import Measure, PairEffect
from neurox_lite.masking.fitting import BATCH_SIZE, N_STEPS, fit_mask, mask_from_ranking
from neurox_lite.masking.gate_search import search_mask
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.masking.path import BATCH_SIZE as PATH_BATCH_SIZE
from neurox_lite.masking.path import mask_path
from neurox_lite.masking.reinforce import reinforce_mask
from neurox_lite.models.loading import Model, as_loaded
from neurox_lite.models.location import Location
from neurox_lite.models.neuron_spaces import site_of_units, units_of
from neurox_lite.neurons import Layers, NeuronSpace
from neurox_lite.results.objective import Objective
from neurox_lite.results.ranking import NeuronRanking

RankPairs = Callable[[Sequence[MinimalPair]], NeuronRanking]
"""Ranks the neurons of a model by minimal pairs."""

SEARCHES = {"differentiable-mask": search_mask, "reinforce": reinforce_mask}
"""Methods that find a mask without a ranking."""


class PairOptions(TypedDict, total=False):
    """Which neurons may be replaced, and what is asked of pairs, see :func:`fit_neuron_mask`."""

    site: str | None
    layers: Layers
    positions: str | int
    objective: str | Measure
    bounds_from: Sequence[MinimalPair] | None
    include_incorrect: bool
    others: Sequence[MinimalPair] | None
    tokenizer: Any
    units: str | NeuronSpace


def fit_neuron_mask(
    model: Model,
    pairs: Sequence[MinimalPair],
    *,
    site: str | None = None,
    layers: Layers = None,
    positions: str | int = "all",
    objective: str | Measure = "flip",
    alpha: float | None = None,
    success: float | None = None,
    bounds_from: Sequence[MinimalPair] | None = None,
    include_incorrect: bool = False,
    others: Sequence[MinimalPair] | None = None,
    method: str | NeuronRanking | RankPairs = "differentiable-mask",
    held_out: float = 0.25,
    n_steps: int = N_STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    tokenizer: Any = None,
    units: str | NeuronSpace = "neurons",
) -> MaskFit:
    """Fewest neurons whose replacement turns the model's choice (De Cao et al. 2022).

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
        A causal or masked language model, with its head.
    pairs : sequence of MinimalPair
        All to be turned the same way, such as singular subjects only: the replacements are the
        same for all of them. Those that the model reads and chooses from alike count once, so
        that no copy of a pair is held out.
    site : str, optional
        By default that of a ranking or of the units, else ``lstm_cell`` for the package's LSTM and
        ``hidden_states`` for others.
    layers : int, several ints or "all", optional
        By default those of a ranking, else all.
    positions : "all", "last" or int
        Where neurons are replaced: at every token, at the last one, or at the end of one word of
        the prefix, from 0 (-1 is its last). In an LSTM the effect of one step propagates.
    objective : {"flip", "sufficiency"} or function
        See :class:`~neurox_lite.masking.effects.PairEffect`.
    bounds_from : sequence of MinimalPair, optional
        Replacements stay in the range of their neuron on these pairs, such as those of both
        numbers. By default they are free, as in the paper, and mostly leave it: then one neuron
        may drive a model where no input would.
    alpha, success, held_out, n_steps, batch_size, seed
        See :func:`~neurox_lite.masking.fitting.fit_mask`.
    include_incorrect : bool
        Also use pairs that the intact model gets wrong; by default they are left out and counted.
    others : sequence of MinimalPair, optional
        Pairs of the same words that turn the other way, such as plural subjects, by default those
        of ``bounds_from``: they distinguish a model that can do the task from one that always
        prefers the same word. Any other pairs among them are ignored. See ``MaskFit.task``.
    method : {"differentiable-mask", "reinforce"}, NeuronRanking or function
        How neurons are found. Of a ranking, the fewest of its top neurons that reach ``alpha``:
        what the neurons of another method can do, see
        :func:`~neurox_lite.masking.fitting.mask_from_ranking`. A function makes the ranking of the
        pairs to train on, as
        ``lambda train: nx.masking.rank_by_integrated_gradients(model, train, plural)``: it never
        sees those held out.
    tokenizer : PreTrainedTokenizerBase, optional
        Of a model in memory, see :func:`~neurox_lite.models.loading.as_loaded`.
    units : {"neurons", "heads"} or NeuronSpace
        What has a gate of its own, and is counted: every neuron, every attention head (at the site
        of that name), or groups of the neurons, as ``nx.neuron_space(model).grouped(labels)``.
        Replacements stay those of each neuron. A ranking of groups says it itself.

    Returns
    -------
    MaskFit
        Its status says so when the model is right on the pairs, before any is left out, no more
        often than chance: then the mask is one of luck.

    Raises
    ------
    InputError
        When the model cannot choose between the words of a pair, has no such site, layer or word,
        or gets all pairs wrong, pairs of the same two words are to be flipped in opposite ways, or
        a ranking is of other neurons.
    """
    if isinstance(method, str) and method not in SEARCHES:
        raise unknown_choice("method", method, SEARCHES, "or a ranking")
    if not isinstance(method, str | NeuronRanking):
        expect_function(method, "method", f"{', '.join(SEARCHES)}, a NeuronRanking or a function")
    if isinstance(method, NeuronRanking):
        site = method.space.site if site is None else site
        layers = method.space.ungrouped.layers if layers is None else layers
        units = method.space if method.space.groups is not None else units
    effect, left_out = pair_effect(
        model,
        pairs,
        site=site,
        layers=layers,
        positions=positions,
        objective=objective,
        bounds_from=bounds_from,
        include_incorrect=include_incorrect,
        tokenizer=tokenizer,
        others=others,
        units=units,
    )
    options: dict[str, Any] = {
        "alpha": alpha,
        "success": success,
        "held_out": held_out,
        "seed": seed,
    }
    if isinstance(method, str):
        steps: dict[str, Any] = {"n_steps": n_steps, "batch_size": batch_size}
        fit = fit_mask(effect, search=SEARCHES[method], method=method, **steps, **options)
    elif isinstance(method, NeuronRanking):
        fit = mask_from_ranking(effect, method, **options)
    else:
        rank = method
        fit = mask_from_ranking(
            effect, lambda rows: rank(effect.inputs.select(rows).pairs), **options
        )
    parameters = {
        **fit.mask.parameters,
        "positions": positions if isinstance(positions, str) else int(positions),
        "bounds_from_data": bounds_from is not None,
    }
    return replace(
        fit,
        mask=replace(fit.mask, parameters=parameters),
        counts={**fit.counts, **left_out},
        task=effect.task,
    )


def rank_by_neuron_mask(
    model: Model,
    pairs: Sequence[MinimalPair],
    *,
    batch_size: int = PATH_BATCH_SIZE,
    seed: int = 0,
    **options: Unpack[PairOptions],
) -> NeuronRanking:
    """Rank neurons by how early they enter the mask as more effect is asked for.

    See :func:`~neurox_lite.masking.path.mask_path`. Takes 600 steps.

    Parameters
    ----------
    model, pairs, batch_size, seed, **options
        As for :func:`fit_neuron_mask`; the options are those of :class:`PairOptions`.

    Returns
    -------
    NeuronRanking
        ``provenance["task"]`` says whether the model can do what the pairs ask (``holds``).

    Raises
    ------
    InputError
        As there.
    """
    effect, _ = pair_effect(model, pairs, **options)
    ranking = mask_path(effect, batch_size=batch_size, seed=seed)
    return replace(ranking, provenance={**ranking.provenance, **task_of(effect)})


def task_of(effect: PairEffect) -> dict[str, Any]:
    """What a ranking by pairs says of the task in its provenance."""
    return {} if effect.task is None else {"task": effect.task.summary()}


def pair_effect(
    model: Model,
    pairs: Sequence[MinimalPair],
    *,
    site: str | None = None,
    layers: Layers = None,
    positions: str | int = "all",
    objective: str | Measure = "flip",
    bounds_from: Sequence[MinimalPair] | None = None,
    include_incorrect: bool = False,
    tokenizer: Any = None,
    others: Sequence[MinimalPair] | None = None,
    units: str | NeuronSpace = "neurons",
) -> tuple[PairEffect, dict[str, int]]:
    """The effect of a mask on the pairs that are used, and how many are left out, and why.

    Parameters and errors are those of :func:`fit_neuron_mask`.
    """
    loaded = as_loaded(model, tokenizer, head="language")
    if bounds_from is not None:
        bounds_from = as_pairs(bounds_from, "bounds_from")
    inputs = encode_pairs(loaded, pairs)
    distinct = inputs.distinct()
    n_copies = len(inputs) - len(distinct)
    inputs = inputs.select(distinct)
    where = Location(site_of_units(site, units), layers, inputs.resolve_positions(positions))
    runner = InterventionRunner.of_pairs(loaded, inputs, where, every_token=callable(objective))
    counted = units_of(runner.sites, runner.space, units)
    odds = intact_log_odds(runner, inputs)
    runner, used, right = select_right(runner, inputs, odds, include_incorrect)
    others = bounds_from if others is None else others
    others = as_pairs(others, "others") if others else ()
    task = pair_task(loaded, inputs.pairs, odds, others)
    effect = PairEffect(
        runner,
        used,
        objective=objective,
        bounds_from=None if bounds_from is None else encode_pairs(loaded, bounds_from),
        task=task,
    )
    effect.space = counted
    if effect.objective is Objective.FLIP and task.holds:
        check_one_way(right)
    n_wrong = len(inputs) - len(used)
    return effect, {"left out as copies": n_copies, "left out as wrong": n_wrong}
