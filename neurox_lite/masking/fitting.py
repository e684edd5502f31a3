"""A mask for any effect: searched, rounded, and scored on held-out examples.

1. Hold out some of the examples.
2. Measure the effect without a mask on the others; ``alpha`` is what the mask has to reach.
3. Search gates and replacements by gradient (:mod:`~neurox_lite.masking.gate_search`).
4. Make gates hard (:mod:`~neurox_lite.masking.rounding`), and fit replacements again, by some of
   the examples, of every template as many.
5. Repair the mask if it does not reach ``alpha`` on all of them: fit replacements to all, and open
   the next gates as far as that is not enough.
6. Score the hard mask on the examples that were held out.

By a ranking, the shortest top that reaches ``alpha`` takes the place of 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from neurox_lite.arguments import whole_number
from neurox_lite.errors import InputError
from neurox_lite.masking.effects import Effect, effects_of
from neurox_lite.masking.fit_task import (
    REPLACEMENT_STEPS,
    FitTask,
    make_task,
    spread_over_templates,
)
from neurox_lite.masking.gate_search import SearchState, initial_state, search_mask
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.masking.mask_scores import score_mask
from neurox_lite.masking.prefix_fit import HardMask, shortest_prefix
from neurox_lite.masking.replacement_fit import fit_replacements, gates_of
from neurox_lite.masking.rounding import round_gates
from neurox_lite.results.ranking import NeuronRanking, require_space
from neurox_lite.seeds import validate_seed

N_STEPS, BATCH_SIZE = 300, 32
ROUNDING_ROWS = 64
"""Training examples that the hard mask is found by, before it is tried on all."""


def fit_mask(
    effect: Effect,
    *,
    alpha: float | None = None,
    success: float | None = None,
    held_out: float = 0.25,
    n_steps: int = N_STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    search: Callable[..., SearchState] = search_mask,
    method: str = "differentiable-mask",
) -> MaskFit:
    """Find the smallest mask with an effect of at least ``alpha`` (De Cao et al. 2022).

    See the module for the steps. The time is that of ``n_steps`` forward and backward passes of
    ``batch_size`` examples, and of some 100 to 300 passes of 64 to make gates hard, more when the
    search is too short to settle.

    Parameters
    ----------
    effect : Effect
    alpha : float, optional
        By default half as far beyond 0 as the model is before it without a mask: half as sure of
        the wrong word as it was of the right one. Of sufficiency -0.1, a KL divergence in nats.
    success : float, optional
        The share of the examples that are to succeed, in place of a mean effect: to flip, of other
        objectives to reach ``alpha`` each. Rounding counts them; the search has the gradient of a
        sigmoid, see :mod:`~neurox_lite.masking.success_effect`.
    held_out : float
        Share of the examples that the mask is scored on.
    n_steps, batch_size : int
    seed : int
        Of the held-out examples, batches and gates.
    search : function
        :func:`search_mask`, or :func:`~neurox_lite.masking.reinforce.reinforce_mask`.
    method : str
        Name of the search.

    Raises
    ------
    InputError
        When an option is out of range or there are fewer than two examples.
    """
    n_steps, batch_size = whole_number(n_steps, "n_steps"), whole_number(batch_size, "batch_size")
    if n_steps < 1 or batch_size < 1:
        raise InputError(f"n_steps {n_steps}, batch_size {batch_size}; give at least 1")
    seed = validate_seed(seed)
    task = make_task(effect, alpha, success, held_out, seed)
    found = search(
        task.sought,
        task.least,
        rows=task.train,
        scale=task.gap,
        start=initial_state(effect),
        n_steps=n_steps,
        batch_size=batch_size,
        generator=torch.Generator().manual_seed(seed),
    )
    rows = spread_over_templates(effect, task.train, ROUNDING_ROWS)
    # No neuron selected: the intact model, or of sufficiency one of which nothing is kept.
    hard = HardMask((), task.closed, task.unmasked)
    if hard.effect < task.least:
        hard = _refit(task.sought, round_gates(task.sought, found, task.least, rows), rows)
    by_gate = torch.argsort(found.phi, descending=True, stable=True).tolist()
    hard = _repair(task, hard, by_gate)
    parameters = {**task.asked, "n_steps": n_steps, "seed": seed}
    return score_mask(effect, task, hard, found, method, parameters)


def mask_from_ranking(
    effect: Effect,
    ranking: NeuronRanking | Callable[[torch.Tensor], NeuronRanking],
    *,
    alpha: float | None = None,
    success: float | None = None,
    held_out: float = 0.25,
    seed: int = 0,
) -> MaskFit:
    """The shortest top of a ranking that reaches ``alpha`` with fitted replacements.

    What :func:`fit_mask` is to be compared with: the same examples, replacements and scores, but
    the neurons of another method, in its order.

    Parameters
    ----------
    effect, alpha, success, held_out, seed
        As there.
    ranking : NeuronRanking or function
        Of the neurons of ``effect.space``, which are grouped if it is; or a function of the numbers
        of the examples to train on that makes one, so that it sees none of those held out.
    """
    seed = validate_seed(seed)
    task = make_task(effect, alpha, success, held_out, seed)
    ranking = ranking if isinstance(ranking, NeuronRanking) else ranking(task.train)
    if effect.space.groups is not None and ranking.space.groups is None:
        ranking = ranking.group(effect.space)
    require_space(ranking, effect.space)
    rows = spread_over_templates(effect, task.train, ROUNDING_ROWS)
    order = ranking.order.tolist()
    hard = HardMask((), task.closed, task.unmasked)
    if hard.effect < task.least:
        hard = shortest_prefix(
            task.sought, order, task.least, effect.start, rows, n_steps=REPLACEMENT_STEPS
        )
        hard = _refit(task.sought, hard, rows)
    hard = _repair(task, hard, order)
    fit = score_mask(effect, task, hard, None, ranking.method, {**task.asked, "seed": seed})
    return replace(fit, order=ranking)


def _refit(effect: Effect, mask: HardMask, rows: torch.Tensor) -> HardMask:
    """The same neurons with better replacements, which so far were good enough only."""
    gates = gates_of(effect, [mask.columns])
    effects, values = fit_replacements(effect, gates, mask.values, rows, REPLACEMENT_STEPS)
    return HardMask(mask.columns, values[0], float(effects[0]))


def _repair(task: FitTask, mask: HardMask, order: Sequence[int]) -> HardMask:
    """The mask on all training examples, mended there if it is enough only on those it was made by.

    Its neurons come first, and then others in the order given.
    """
    tried = _measured(task.sought, mask, task.train)
    if tried.effect >= task.least or mask.effect < task.least:
        return tried
    inside = set(mask.columns)
    order = [*mask.columns, *(column for column in order if column not in inside)]
    first = len(mask.columns)
    return shortest_prefix(task.sought, order, task.least, mask.values, task.train, first)


def _measured(effect: Effect, mask: HardMask, rows: torch.Tensor) -> HardMask:
    """The mask as it is, with its effect on other examples."""
    gates = gates_of(effect, [mask.columns])[0]
    return HardMask(
        mask.columns, mask.values, float(effects_of(effect, gates, mask.values, rows).mean())
    )
