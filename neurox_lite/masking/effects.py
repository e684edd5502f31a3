"""What a mask is to bring about, measured example by example.

An effect is an object with

- ``space``, the neurons that may be replaced, and ``len(effect)``, the number of examples; of a
  grouped space, such as that of attention heads, the neurons of a unit share a gate in what is
  searched, and are counted as one;
- ``start`` and ``std``, (n_neurons,) tensors: replacements to begin with, and the size of a
  step away from them;
- ``low`` and ``high``, (n_neurons,) tensors: between which replacements stay, or infinite;
- ``reach``, an (n_neurons,) tensor: how far from ``start`` activations lie at most;
- ``groups``, (n_examples,) ints: examples that succeed or fail together, see
  :func:`~neurox_lite.intervals.accuracy_interval`;
- ``templates``, (n_examples,) strings: what each example was written by;
- ``objective``, an :class:`~neurox_lite.results.objective.Objective`: to *flip* a choice, which
  it does where it is above 0, or *sufficiency*, where an open gate keeps its neuron and all others
  are replaced;
- ``effect(gates, values, rows)``: the effect, (n_rows,), on the examples ``rows`` of gates and
  replacements, each (n_neurons,) or (n_rows, n_neurons), differentiable in both. Higher is
  better;
- ``rows_at_once``, how many examples fit in one forward and backward pass;
- ``n_runs``, the number of examples it was computed for.

Gates are those of the search: :func:`to_replacing_gates` turns them into the gates of a model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch

from neurox_lite.activations.access import load, space_of
from neurox_lite.activations.moments import moments
from neurox_lite.choices import unknown_choice
from neurox_lite.corpora.minimal_pairs import template_of
from neurox_lite.errors import InputError
from neurox_lite.interventions.pair_inputs import PairInputs
from neurox_lite.interventions.pair_task import groups_of
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.models.location import Location
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.objective import Objective
from neurox_lite.results.pair_task import PairTask

Measure = Callable[[torch.Tensor, PairInputs, torch.Tensor], torch.Tensor]

STATES_AT_ONCE = 2**24
"""Tokens times neurons of all layers in a forward and backward pass, which takes about 100 bytes
for each: 1.6 GB."""
READOUT_ROWS_AT_ONCE = 2048


class Effect(Protocol):
    """See the module."""

    space: NeuronSpace
    start: torch.Tensor
    std: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    reach: torch.Tensor
    groups: np.ndarray
    templates: np.ndarray
    objective: Objective
    rows_at_once: int

    @property
    def n_runs(self) -> int: ...
    def __len__(self) -> int: ...
    def __call__(
        self, gates: torch.Tensor, values: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor: ...


def effects_of(
    effect: Effect, gates: torch.Tensor, values: torch.Tensor, rows: torch.Tensor
) -> torch.Tensor:
    """The effect of one mask on each of some examples, (n_rows,) float64, without a gradient."""
    if not len(rows):
        return torch.zeros(0, dtype=torch.float64)
    with torch.no_grad():
        parts = rows.split(min(256, effect.rows_at_once))
        return torch.cat([effect(gates, values, some) for some in parts]).double()


def succeeds(objective: Objective, effects: torch.Tensor, alpha: float) -> torch.Tensor:
    """On which examples a mask does what it is to do: flips, or reaches ``alpha``."""
    return effects > 0 if objective is Objective.FLIP else effects >= alpha


def to_replacing_gates(effect: Effect, gates: torch.Tensor) -> torch.Tensor:
    """Gates that replace a neuron, from the gates that are searched for."""
    return 1 - gates if effect.objective is Objective.SUFFICIENCY else gates


def to_z_scores(effect: Effect, values: torch.Tensor) -> torch.Tensor:
    """How far values lie from where replacements start, in standard deviations; 0 for constants."""
    varies = effect.std > 0
    scale = torch.where(varies, effect.std, 1)
    return torch.where(varies, (values - effect.start) / scale, 0)


class PairEffect:
    """What replaced neurons do to a language model's choice between the words of pairs.

    Parameters
    ----------
    runner : InterventionRunner
        Of the pairs and the neurons that may be replaced; of an objective that is a function, with
        the logits of every token.
    inputs : PairInputs
        The pairs.
    objective : {"flip", "sufficiency"} or function
        - flip: ``log p(wrong) - log p(right)`` (De Cao et al. 2022, R). Open gates replace.
        - sufficiency: ``-KL(p || p~)`` in nats between the predictions of the intact model and of
          one that keeps the neurons of open gates only.
        - a function of the logits (n_rows, n_tokens, vocabulary), the inputs and the numbers of
          the rows, that gives (n_rows,) numbers. Open gates replace.
    bounds_from : PairInputs, optional
        Replacements stay between the lowest and the highest activation of their neuron on these,
        at any token.
    task : PairTask, optional
        Whether the intact model can do what the pairs ask, if that was found out.
    """

    def __init__(
        self,
        runner: InterventionRunner,
        inputs: PairInputs,
        *,
        objective: str | Measure = "flip",
        bounds_from: PairInputs | None = None,
        task: PairTask | None = None,
    ):
        self.inputs = inputs
        self.task = task
        self.groups = groups_of(inputs.pairs)
        self.templates = np.array([template_of(pair) for pair in inputs.pairs])
        self.objective = _objective(objective) if isinstance(objective, str) else Objective.CUSTOM
        self._measure = objective
        self.runner = runner
        self.space = runner.space
        n_states = sum(runner.sites.widths.values())
        tokens_at_once = min(runner.tokens_at_once, STATES_AT_ONCE // n_states)
        self.rows_at_once = max(1, tokens_at_once // inputs.input_ids.shape[1])
        found = runner.activation_range()
        self.start, self.std = found.mean, found.std
        if runner.positions is not None:
            # At one word a neuron may hardly vary because of what all pairs share, as their number.
            found = runner.everywhere().activation_range()
            self.std = found.std
        lowest, highest = found.low, found.high
        self.low = torch.full_like(self.start, -torch.inf)
        self.high = torch.full_like(self.start, torch.inf)
        if bounds_from is not None:
            where = Location.of_space(runner.space)
            others = InterventionRunner.of_pairs(runner.loaded, bounds_from, where)
            bounds = others.activation_range()
            self.low, self.high = bounds.low, bounds.high
            lowest, highest = bounds.low, bounds.high
            self.start = self.start.clamp(self.low, self.high)
        self.reach = torch.maximum(highest - self.start, self.start - lowest)
        self._intact = None
        if self.objective is Objective.SUFFICIENCY:
            batches = runner.batches()
            predicted = [self._predictions(runner.intact_logits(rows), rows) for rows in batches]
            self._intact = torch.cat(predicted)[torch.argsort(torch.cat(batches))]

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def n_runs(self) -> int:
        return self.runner.n_runs

    def __call__(
        self, gates: torch.Tensor, values: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor:
        logits = self.runner.logits(to_replacing_gates(self, gates), values, rows)
        if callable(self._measure):
            return _checked(self._measure(logits, self.inputs, rows), rows)
        if self._intact is None:
            return -self.inputs.log_odds(logits, rows)
        intact = self._intact[rows]
        found = self._predictions(logits, rows)
        return -(intact.exp() * (intact - found)).sum(1)

    def _predictions(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of all words where the choice is made, (n_rows, vocabulary)."""
        return self.inputs.choice_logits(logits, rows).log_softmax(-1)


def _objective(name: str) -> Objective:
    known = (Objective.FLIP, Objective.SUFFICIENCY)
    if name not in known:
        raise unknown_choice("objective", name, known)
    return Objective(name)


def _checked(found: Any, rows: torch.Tensor) -> torch.Tensor:
    """What a function of the user's gives, if it can be searched by."""
    if not isinstance(found, torch.Tensor) or found.shape != rows.shape:
        shape = tuple(getattr(found, "shape", ()))
        raise InputError(f"objective: numbers of shape {shape}; give ({len(rows)},), one per row")
    if torch.is_grad_enabled() and not found.requires_grad:
        raise InputError("objective: has no gradient; compute it of the logits, and do not detach")
    if not torch.isfinite(found).all():
        raise InputError("objective: NaN or infinite; give finite numbers")
    return found


class ReadoutEffect:
    """What replaced neurons do to a linear readout of activations, such as a probe; no model runs.

    Parameters
    ----------
    weights : (n_neurons, n_classes) array
        On raw activations, as a probe's ``raw_weights()``.
    intercept : (n_classes,) array
    X : (n, n_neurons) array-like
        Loaded into memory, as float32.
    bounds_from : pair of (n_neurons,) arrays, optional
        Lowest and highest replacement; by default of the activations. A linear readout could
        otherwise be flipped by any one neuron that has a weight.
    objective : {"flip", "sufficiency"}
        See :func:`~neurox_lite.masking.probe_mask.fit_probe_mask`.
    """

    def __init__(
        self,
        weights: np.ndarray,
        intercept: np.ndarray,
        X: Any,
        *,
        bounds_from: tuple[np.ndarray, np.ndarray] | None = None,
        objective: str = "flip",
    ):
        if X.shape[1] != len(weights):
            raise InputError(
                f"activations of {X.shape[1]} neurons, a readout of {len(weights)}; give those it "
                "was fitted on"
            )
        self.space = space_of(X)
        self.objective = _objective(objective)
        self.X = torch.from_numpy(np.asarray(load(X), dtype=np.float32))
        self.weights = torch.as_tensor(weights).float()
        self.intercept = torch.as_tensor(intercept).float()
        found = moments(self.X)
        self.start, self.std = (torch.from_numpy(each).float() for each in (found.mean, found.std))
        bounds = (self.X.amin(0), self.X.amax(0)) if bounds_from is None else bounds_from
        self.low, self.high = (torch.as_tensor(bound).float() for bound in bounds)
        self.start = self.start.clamp(self.low, self.high)
        self.reach = torch.maximum(self.high - self.start, self.start - self.low)
        self.rows_at_once = max(1, min(READOUT_ROWS_AT_ONCE, STATES_AT_ONCE // X.shape[1]))
        self.groups = np.arange(len(self.X))
        self.templates = np.full(len(self.X), "")
        self.n_runs = 0
        self._intact = (self.X @ self.weights + self.intercept).log_softmax(1)
        self._predicted = self._intact.argmax(1)

    def __len__(self) -> int:
        return len(self.X)

    def __call__(
        self, gates: torch.Tensor, values: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor:
        self.n_runs += len(rows)
        X = self.X[rows]
        found = torch.lerp(X, values.expand_as(X), to_replacing_gates(self, gates).expand_as(X))
        predictions = (found @ self.weights + self.intercept).log_softmax(1)
        if self.objective is Objective.SUFFICIENCY:
            intact = self._intact[rows]
            return -(intact.exp() * (intact - predictions)).sum(1)
        predicted = self._predicted[rows][:, None]
        others = predictions.scatter(1, predicted, -torch.inf).logsumexp(1)
        return others - predictions.gather(1, predicted)[:, 0]
