"""A mask for any effect: searched, rounded, and scored on held-out examples.

1. Hold out some of the examples.
2. Measure the effect without a mask on the others; ``alpha`` is what the mask has to reach.
3. Search gates and replacements by gradient (:mod:`~neurox_lite.masking.gate_search`).
4. Make gates hard (:mod:`~neurox_lite.masking.rounding`), and fit replacements again.
5. Score the hard mask on the examples that were held out.

By a ranking, the shortest top that reaches ``alpha`` takes the place of 3 and 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from neurox_lite.arguments import real_number, whole_number
from neurox_lite.errors import InputError
from neurox_lite.intervals import Interval, accuracy_interval
from neurox_lite.masking.effects import Effect, to_replacing_gates
from neurox_lite.masking.gate_search import SearchState, initial_state, search_mask, to_z_scores
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.masking.replacement_fit import fit_replacements, gates_of
from neurox_lite.masking.rounding import HardMask, round_gates, shortest_prefix
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.objective import Objective
from neurox_lite.results.ranking import NeuronRanking, require_space
from neurox_lite.seeds import validate_seed

N_STEPS, BATCH_SIZE = 300, 32
SUFFICIENT = 0.1
"""Default of sufficiency: KL divergence in nats."""
ROUNDING_ROWS = 64
"""Training examples that the hard mask is found by."""
REPLACEMENT_STEPS = 30
SETTLED_SIZE, SETTLED_EFFECT = 0.25, 0.1
FAR = 2.0
"""A replacement is out of range so many times as far from the mean as any activation is."""


def fit_mask(
    effect: Effect,
    *,
    alpha: float | None = None,
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
    task = _task(effect, alpha, held_out, seed)
    found = search(
        effect,
        task.alpha,
        rows=task.train,
        scale=task.gap,
        start=initial_state(effect),
        n_steps=n_steps,
        batch_size=batch_size,
        generator=torch.Generator().manual_seed(seed),
    )
    rows = task.train[:ROUNDING_ROWS]
    hard = _empty(effect, task, rows)
    if hard.effect < task.alpha:
        hard = _fitted_again(effect, round_gates(effect, found, task.alpha, rows), rows)
    parameters = {"alpha": task.alpha, "n_steps": n_steps, "seed": seed}
    return _scored(effect, task, hard, found, method, parameters)


def mask_from_ranking(
    effect: Effect,
    ranking: NeuronRanking | Callable[[torch.Tensor], NeuronRanking],
    *,
    alpha: float | None = None,
    held_out: float = 0.25,
    seed: int = 0,
) -> MaskFit:
    """The shortest top of a ranking that reaches ``alpha`` with fitted replacements.

    What :func:`fit_mask` is to be compared with: the same examples, replacements and scores, but
    the neurons of another method, in its order.

    Parameters
    ----------
    effect : Effect
    ranking : NeuronRanking or function
        Of the neurons of ``effect.space``; or a function of the numbers of the examples to train
        on that makes one, so that it sees none of those held out.
    alpha, held_out, seed
        As there.

    Raises
    ------
    InputError
        When an option is out of range or the ranking is of other neurons.
    """
    seed = validate_seed(seed)
    task = _task(effect, alpha, held_out, seed)
    ranking = ranking if isinstance(ranking, NeuronRanking) else ranking(task.train)
    require_space(ranking, effect.space)
    rows = task.train[:ROUNDING_ROWS]
    hard = _empty(effect, task, rows)
    if hard.effect < task.alpha:
        order = ranking.order.tolist()
        hard = shortest_prefix(
            effect, order, task.alpha, effect.start, rows, n_steps=REPLACEMENT_STEPS
        )
        hard = _fitted_again(effect, hard, rows)
    parameters = {"alpha": task.alpha, "seed": seed}
    fit = _scored(effect, task, hard, None, ranking.method, parameters)
    return replace(fit, order=ranking)


@dataclass(frozen=True)
class _Task:
    """Examples to train on and to hold out, the effect without a mask, and the one asked for.

    ``closed`` are replacements when no gate is open, of *sufficiency* the best ones for training;
    ``runs_before`` counts runs of the model that are not of this fit.
    """

    train: torch.Tensor
    test: torch.Tensor
    closed: torch.Tensor
    intact: float
    alpha: float
    runs_before: int

    @property
    def gap(self) -> float:
        """Size of a large gap to ``alpha``."""
        return max(abs(self.alpha - self.intact), 1e-3)


def _task(effect: Effect, alpha: float | None, held_out: float, seed: int) -> _Task:
    held_out = real_number(held_out, "held_out")
    alpha = None if alpha is None else real_number(alpha, "alpha")
    if not 0 <= held_out < 1:
        raise InputError(f"held_out is {held_out}; give a share below 1")
    runs_before = effect.n_runs
    train, test = (rows.to(effect.start.device) for rows in _split(len(effect), held_out, seed))
    intact, closed = _without_gates(effect, train)
    keeps = effect.objective is Objective.SUFFICIENCY
    if alpha is None and not keeps and intact >= 0:
        raise InputError(
            f"without a mask the effect is {intact:.3g} and there is nothing to turn; give alpha"
        )
    if alpha is not None and not math.isfinite(alpha):
        raise InputError(f"alpha is {alpha}; give a finite number")
    if alpha is None:
        alpha = -SUFFICIENT if keeps else -intact / 2
    return _Task(train, test, closed, intact, float(alpha), runs_before)


def _scored(
    effect: Effect,
    task: _Task,
    hard: HardMask,
    found: SearchState | None,
    method: str,
    parameters: dict[str, Any],
) -> MaskFit:
    """A hard mask and all that is said about it."""
    gates = gates_of([hard.columns], effect.start)[0]
    before, _ = _on(effect, torch.zeros_like(gates), task.closed, task.test, task.alpha)
    after, succeeds = _on(effect, gates, hard.values, task.test, task.alpha)
    success = _success(effect, task.test, succeeds)
    probabilities = gates if found is None else found.probabilities
    replaces = to_replacing_gates(effect, gates)
    mask = NeuronMask(
        effect.space,
        replaces.double().cpu().numpy(),
        hard.values.double().cpu().numpy(),
        method,
        {"objective": effect.objective.value, **parameters},
    )
    return MaskFit(
        mask=mask,
        size=len(hard.columns),
        objective=effect.objective.value,
        alpha=task.alpha,
        feasible=hard.effect >= task.alpha,
        converged=found is None or _settled(found, task.alpha, task.gap),
        intact=task.intact,
        effect=hard.effect,
        held_out_intact=before,
        held_out_effect=after,
        held_out_success=success.value,
        held_out_low=success.low,
        held_out_high=success.high,
        max_replacement_z=_max_replacement_z(effect, replaces, hard.values),
        out_of_range=_out_of_range(effect, replaces, hard.values),
        probabilities=probabilities.double().cpu().numpy(),
        sizes=() if found is None else found.sizes,
        effects=() if found is None else found.effects,
        n_runs=effect.n_runs - task.runs_before,
        counts={"trained on": len(task.train), "held out": len(task.test)},
    )


def _split(n: int, held_out: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers of the examples to train on, in random order, and of those to hold out."""
    n_out = round(held_out * n)
    if n - n_out < 1:
        raise InputError(f"{n} examples, {n_out} of them held out; give more")
    order = torch.from_numpy(np.random.default_rng(seed).permutation(n))
    return order[n_out:], order[:n_out].sort().values


def _empty(effect: Effect, task: _Task, rows: torch.Tensor) -> HardMask:
    """No neuron selected: the intact model, or of *sufficiency* one of which nothing is kept."""
    mask = HardMask((), effect.start, task.intact)
    return _fitted_again(effect, mask, rows) if effect.objective is Objective.SUFFICIENCY else mask


def _fitted_again(effect: Effect, mask: HardMask, rows: torch.Tensor) -> HardMask:
    """The same neurons with better replacements, which so far were good enough only."""
    gates = gates_of([mask.columns], mask.values)
    effects, values = fit_replacements(effect, gates, mask.values, rows, REPLACEMENT_STEPS)
    return HardMask(mask.columns, values[0], float(effects[0]))


def without_gates(effect: Effect, rows: torch.Tensor) -> float:
    """Mean effect when no gate is open, of *sufficiency* with the best replacements of all."""
    return _without_gates(effect, rows)[0]


def _without_gates(effect: Effect, rows: torch.Tensor) -> tuple[float, torch.Tensor]:
    """:func:`without_gates`, and the replacements."""
    closed = gates_of([()], effect.start)
    n_steps = REPLACEMENT_STEPS if effect.objective is Objective.SUFFICIENCY else 0
    found, values = fit_replacements(effect, closed, effect.start, rows, n_steps)
    return float(found[0]), values[0]


def _on(
    effect: Effect, gates: torch.Tensor, values: torch.Tensor, rows: torch.Tensor, alpha: float
) -> tuple[float, np.ndarray]:
    """Mean effect of a mask, and on which examples it succeeds."""
    if not len(rows):
        return float("nan"), np.zeros(0, dtype=bool)
    parts = rows.split(min(256, effect.rows_at_once))
    with torch.no_grad():
        found = torch.cat([effect(gates, values, some) for some in parts]).double()
    succeeds = found > 0 if effect.objective is Objective.FLIP else found >= alpha
    return float(found.mean()), succeeds.cpu().numpy()


def _success(effect: Effect, rows: torch.Tensor, succeeds: np.ndarray) -> Interval:
    """The share of examples on which a mask succeeds, NaN of none."""
    if not len(rows):
        return Interval(math.nan, math.nan, math.nan)
    return accuracy_interval(succeeds, effect.groups[rows.cpu().numpy()])


def _max_replacement_z(effect: Effect, gates: torch.Tensor, values: torch.Tensor) -> float:
    """Largest distance of a replacement from its neuron's mean, in standard deviations."""
    away = to_z_scores(effect, values).abs()[gates > 0]
    return float(away.max()) if len(away) else 0.0


def _out_of_range(effect: Effect, gates: torch.Tensor, values: torch.Tensor) -> bool:
    """Whether a replacement lies where its neuron is far from ever being."""
    away = (values - effect.start).abs()
    return bool((away > FAR * effect.reach)[gates > 0].any())


def _settled(found: SearchState, alpha: float, scale: float) -> bool:
    """Whether in the last fifth of the steps the effect was there and the size did not change."""
    if len(found.sizes) < 2:
        return False
    fifth = max(1, len(found.sizes) // 5)
    before, last = (
        (float(np.mean(found.sizes[part])), float(np.mean(found.effects[part])))
        for part in (slice(-2 * fifth, -fifth), slice(-fifth, None))
    )
    same_size = abs(last[0] - before[0]) <= max(1.0, SETTLED_SIZE * before[0])
    return same_size and last[1] >= alpha - SETTLED_EFFECT * scale
