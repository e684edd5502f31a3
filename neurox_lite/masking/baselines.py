"""Baselines of the neuron mask: neurons of a running model ranked by minimal pairs.

- integrated gradients: what replacing each neuron adds while all are replaced together;
- activation difference: how far the means of each neuron lie apart between two sets of pairs;
- single replacement: what the best replacement of each neuron alone does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import torch

from neurox_lite.arguments import whole_number
from neurox_lite.corpora.minimal_pairs import MinimalPair, as_pairs
from neurox_lite.errors import InputError
from neurox_lite.masking.attribution import gate_gradients
from neurox_lite.masking.effects import PairEffect
from neurox_lite.masking.exhaustive import best_masks
from neurox_lite.masking.fit_task import without_gates
from neurox_lite.masking.neuron_mask import PairOptions, pair_effect, task_of
from neurox_lite.models.loading import Model
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed


def rank_by_integrated_gradients(
    model: Model,
    pairs: Sequence[MinimalPair],
    target_pairs: Sequence[MinimalPair],
    *,
    n_pairs: int = 200,
    n_steps: int = 20,
    seed: int = 0,
    **options: Unpack[PairOptions],
) -> NeuronRanking:
    """Rank neurons by what replacing them by their mean on other pairs adds to the wrong word.

    Integrated gradients (Sundararajan et al. 2017) of ``log p(wrong) - log p(right)``, from the
    model as it is to one in which all neurons are replaced, by captum; see
    :func:`~neurox_lite.masking.attribution.gate_gradients`. The score is the mean over pairs;
    neurons that work against the wrong word have negative ones.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
        A causal or masked language model, with its head.
    pairs : sequence of MinimalPair
        All to be turned the same way, such as those with singular subjects.
    target_pairs : sequence of MinimalPair
        Whose mean activations replace: such as those with plural subjects.
    n_pairs : int
        Size of the sample of pairs, drawn without replacement.
    n_steps : int
        Points of the integral.
    seed : int
        Of the sample.
    **options : PairOptions
        site, layers, positions, objective, include_incorrect, tokenizer and others, by default
        ``target_pairs``, as for :func:`~neurox_lite.masking.neuron_mask.fit_neuron_mask`.

    Returns
    -------
    NeuronRanking
        Neurons that are the same on all pairs have score NaN and come last. ``provenance["task"]``
        says whether the model can do what the pairs ask (``holds``).

    Raises
    ------
    InputError
        When captum is not installed, an option is out of range, or as for ``fit_neuron_mask``.
    """
    n_pairs, n_steps, seed = _check(n_pairs, n_steps, seed)
    effect, other = _both(model, pairs, target_pairs, options)
    rows = _sample(effect, n_pairs, seed)
    found = gate_gradients(effect, other.start, rows=rows, n_steps=n_steps)
    return _ranking(
        effect,
        found,
        (effect.std > 0) | (effect.start != other.start),
        "integrated-gradients",
        {"n_pairs": len(rows), "n_steps": n_steps, "seed": seed},
    )


def rank_by_activation_difference(
    model: Model,
    pairs: Sequence[MinimalPair],
    target_pairs: Sequence[MinimalPair],
    **options: Unpack[PairOptions],
) -> NeuronRanking:
    """Rank neurons by how much their means differ between two sets of pairs.

    The score of neuron j is ``|mu_j - mu'_j| / sigma_j``, at most 2, over the tokens at which
    neurons are replaced, with the standard deviation over both sets. For two sides of the same
    sentences see :func:`~neurox_lite.ranking.activation_difference.activation_difference`.

    Parameters
    ----------
    model, pairs, target_pairs, **options
        As for :func:`rank_by_integrated_gradients`.

    Returns
    -------
    NeuronRanking
        Neurons that are constant in both sets have score NaN and come last.

    Raises
    ------
    InputError
        As for :func:`~neurox_lite.masking.neuron_mask.fit_neuron_mask`.
    """
    effect, other = _both(model, pairs, target_pairs, options)
    here, there = effect.runner.activation_range(), other.runner.activation_range()
    distance = (here.mean.double() - there.mean.double()).abs()
    variance = (here.std.double() ** 2 + there.std.double() ** 2) / 2
    scale = (variance + (distance / 2) ** 2).sqrt()
    scores = torch.where(scale > 0, distance / scale, torch.nan).cpu().numpy()
    space, details = effect.space, {"provenance": task_of(effect)}
    ranking = NeuronRanking.from_scores(space.ungrouped, scores, "activation-difference", **details)
    return ranking if space.groups is None else ranking.group(space)


def rank_by_single_replacement(
    model: Model,
    pairs: Sequence[MinimalPair],
    *,
    n_pairs: int = 16,
    n_steps: int = 15,
    seed: int = 0,
    **options: Unpack[PairOptions],
) -> NeuronRanking:
    """Rank neurons by what the best replacement of each alone does: the truth for masks of one.

    The score is the mean effect with the neuron replaced less that of the intact model, in nats of
    ``log p(wrong) - log p(right)``; of *sufficiency* with this neuron kept alone, less that of none
    kept. Every neuron has replacements of its own fitted, which takes
    ``n_neurons n_pairs (n_steps + 1)`` runs of the model.

    Parameters
    ----------
    model, pairs, n_pairs, seed, **options
        As for :func:`rank_by_integrated_gradients`, and the option ``bounds_from``.
    n_steps : int
        Of fitting replacements.

    Returns
    -------
    NeuronRanking
        As there.

    Raises
    ------
    InputError
        When an option is out of range, or as for ``fit_neuron_mask``.
    """
    n_pairs, n_steps, seed = _check(n_pairs, n_steps, seed)
    effect, _ = pair_effect(model, pairs, **options)
    rows = _sample(effect, n_pairs, seed)
    _, found = best_masks(effect, rows, n_steps=n_steps)
    return _ranking(
        effect,
        found - without_gates(effect, rows),
        effect.std > 0,
        "single-replacement",
        {"n_pairs": len(rows), "n_steps": n_steps, "seed": seed},
    )


def _check(n_pairs: int, n_steps: int, seed: int) -> tuple[int, int, int]:
    n_pairs, n_steps = whole_number(n_pairs, "n_pairs"), whole_number(n_steps, "n_steps")
    if n_pairs < 1 or n_steps < 1:
        raise InputError(f"n_pairs is {n_pairs}, n_steps is {n_steps}; give at least 1")
    return n_pairs, n_steps, validate_seed(seed)


def _sample(effect: PairEffect, n_pairs: int, seed: int) -> torch.Tensor:
    rows = torch.from_numpy(np.random.default_rng(seed).permutation(len(effect))[:n_pairs])
    return rows.to(effect.start.device)


def _both(
    model: Model,
    pairs: Sequence[MinimalPair],
    target_pairs: Sequence[MinimalPair],
    options: PairOptions,
) -> tuple[PairEffect, PairEffect]:
    """The effect on pairs, and that on those they are to be turned to."""
    target_pairs = as_pairs(target_pairs, "target_pairs")
    of_pairs: PairOptions = {**options, "others": options.get("others") or target_pairs}
    of_targets: PairOptions = {**options, "others": pairs}
    effect, _ = pair_effect(model, pairs, **of_pairs)
    other, _ = pair_effect(effect.runner.loaded, target_pairs, **of_targets)
    return effect, other


def _ranking(
    effect: PairEffect,
    scores: torch.Tensor,
    varies: torch.Tensor,
    method: str,
    parameters: dict[str, Any],
) -> NeuronRanking:
    known = torch.from_numpy(effect.space.any_member(varies.cpu().numpy()))
    found = torch.where(known, scores.cpu(), torch.nan).numpy()
    return NeuronRanking.from_scores(
        effect.space, found, method, parameters=parameters, provenance=task_of(effect)
    )
