"""What a neuron mask does beside what it was made for: do its neurons play no other role?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurox_lite.arguments import expect, whole_number
from neurox_lite.choices import did_you_mean, listed
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text, terminal
from neurox_lite.figures import MOST, Given, finish, log_scale, panels
from neurox_lite.interventions.activation_range import ActivationRange
from neurox_lite.interventions.model_metric import ModelMetric, evaluate
from neurox_lite.interventions.pair_inputs import PairInputs, encode_pairs, reads_both_sides
from neurox_lite.interventions.pair_metrics import accuracy_of, changes_of, kl_elsewhere
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.interventions.text_metrics import kl_and_perplexity
from neurox_lite.models.loading import LoadedModel, Model, as_loaded
from neurox_lite.models.location import Location
from neurox_lite.models.neuron_spaces import check_space
from neurox_lite.models.sites import find_sites
from neurox_lite.neurons import NeuronSpace, check_revision
from neurox_lite.progress import tqdm
from neurox_lite.results.html import as_html
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, one_row
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class SideEffect:
    """One measure: of the intact model, with the mask, and with masks of random neurons.

    Attributes
    ----------
    metric : str
        ``KL``, ``perplexity``, ``pseudo-perplexity``, ``accuracy`` or ``choices changed``.
    data : str
        ``elsewhere in the pairs``, ``text``, or the name of a task.
    intact, masked : float
    random_mean, random_low, random_high : float
        Mean, lowest and highest over the random masks.
    """

    metric: str
    data: str
    intact: float
    masked: float
    random_mean: float
    random_low: float
    random_high: float

    def __str__(self) -> str:
        return terminal(
            f"{self.metric} of {self.data}: {self.intact:.4g} intact, {self.masked:.4g} with the "
            f"mask, {self.random_mean:.4g} with random masks"
        )

    def table(self) -> Table:
        """A header and one row."""
        return one_row(self)

    to_pandas = as_pandas
    _repr_html_ = as_html


@dataclass(frozen=True)
class SideEffects(SavedResult):
    """Every measure of one mask, beside chance.

    Attributes
    ----------
    n_touched : int
        Neurons that the mask touches, and each random mask.
    n_random : int
        Number of random masks.
    measures : tuple of SideEffect
    """

    n_touched: int
    n_random: int
    measures: tuple[SideEffect, ...]

    KIND = "side effects"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {"neurons": self.n_touched, "random masks": self.n_random}
        return summary("SideEffects of a mask", facts, map(str, self.measures))

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """A panel per metric: with the mask, with random masks and their range, and intact."""
        metrics = list(dict.fromkeys(each.metric for each in self.measures)) or ["nothing measured"]
        rows = list(dict.fromkeys(each.data for each in self.measures))
        names = [figure_text(row, MOST) for row in rows]
        beside = 0.08 * max(map(len, names), default=0)
        size = (1.2 + beside + 2.1 * len(metrics), 2.0 + 0.3 * len(rows))
        axes = panels(ax, len(metrics), size=size, n_columns=len(metrics), sharey=True)
        for axis, metric in zip(axes, metrics, strict=True):
            of_it = [each for each in self.measures if each.metric == metric]
            for each in of_it:
                place = rows.index(each.data)
                ends = (each.random_low, each.random_high)
                axis.hlines(place, *ends, color="0.5", linewidth=3, alpha=0.5)
                axis.plot(each.random_mean, place, "s", color="0.5", markersize=4)
                axis.plot(each.intact, place, "|", color="black", markersize=11)
                axis.plot(each.masked, place, "o", color="#0072b2", markersize=5)
            values = [v for e in of_it for v in (e.intact, e.masked, e.random_low, e.random_high)]
            if 0 < 10 * min(values, default=0) < max(values):
                log_scale(axis, min(values), max(values))
            axis.set_xlabel("KL (nats)" if metric == "KL" else figure_text(metric, MOST))
            axis.grid(axis="x", alpha=0.3)
        axes[0].set_yticks(range(len(rows)), names, fontsize=8)
        axes[0].set_ylim(max(len(rows), 1) - 0.5, -0.5)
        axes[0].plot([], [], "o", color="#0072b2", label=f"mask of {self.n_touched:,} neurons")
        random = f"{self.n_random} random masks (mean, range)"
        axes[0].plot([], [], "s-", color="0.5", label=random)
        axes[0].plot([], [], "|", color="black", markersize=11, label="intact")
        return finish(axes, ax, title, legend=3 if len(metrics) > 1 else 1)

    def get(self, metric: str, data: str) -> SideEffect:
        """One measure.

        Raises
        ------
        InputError
            When it was not taken.
        """
        for measure in self.measures:
            if (measure.metric, measure.data) == (metric, data):
                return measure
        known = [f"{measure.metric} of {measure.data}" for measure in self.measures]
        raise InputError(
            f"no {metric} of {data}; there are {listed(known)}"
            f"{did_you_mean(f'{metric} of {data}', known)}"
        )

    def summary(self) -> dict[str, Any]:
        """The means per metric, JSON-ready; of tasks without the intact model's zeros."""
        found: dict[str, dict[str, float]] = {}
        for measure in self.measures:
            values = {"intact": measure.intact, "with the mask": measure.masked}
            for name, value in {**values, "with random masks": measure.random_mean}.items():
                if name != "intact" or measure.metric not in ("KL", "choices changed"):
                    row = found.setdefault(f"{measure.metric} {name}", {})
                    row[measure.data] = round(value, 6)
        return found

    def table(self) -> Table:
        """A header, and a row per measure."""
        rows = [measure.table() for measure in self.measures]
        return [[field.name for field in fields(SideEffect)], *(row for _, row in rows)]

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {"measures": tuple(SideEffect(**each) for each in fields["measures"])}


def side_effects(
    model: Model,
    mask: NeuronMask,
    *,
    pairs: Sequence[MinimalPair] | None = None,
    positions: str | int | None = None,
    texts: Sequence[str] | None = None,
    tasks: Mapping[str, Sequence[MinimalPair]] | None = None,
    n_random: int = 5,
    seed: int = 0,
    tokenizer: Any = None,
) -> SideEffects:
    """Measure what else changes under a mask, beside masks of random neurons.

    A random mask has as many neurons of each layer, with the gates of the mask's own, replaced by
    values as many standard deviations from their means. Means and standard deviations are over all
    tokens of the texts; without texts, of the pairs; without pairs, of the first task.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
        A causal or masked language model, with its head.
    mask : NeuronMask
    pairs : sequence of MinimalPair, optional
        Those the mask was made for: KL(p || p~) in nats, mean over their tokens other than where
        the choice is made. Not measured when they have no other, or none that a causal model reads
        after a replaced one.
    positions : "all", "last" or int, optional
        Where neurons are replaced in ``pairs`` and ``tasks``: at every token, at the last one, or
        at the end of one word of the prefix. By default where the mask was fitted, or at every
        token if it was made by hand.
    texts : sequence of str, optional
        Unrelated text, where neurons are replaced at every token: mean KL per token in nats, and
        perplexity, of a masked model pseudo-perplexity.
    tasks : mapping of str to sequences of MinimalPair, optional
        Other tasks by name, such as other templates, the other number, pronouns: accuracy, and
        the share of choices that are not those of the intact model.
    n_random : int
    seed : int
    tokenizer : PreTrainedTokenizerBase, optional
        Of a model in memory, see :func:`~neurox_lite.models.loading.as_loaded`.

    Returns
    -------
    SideEffects
        Takes about ``4 + 2 n_random`` forward passes of all inputs; of a masked model
        ``2 + n_random`` more for every token of the texts.

    Raises
    ------
    InputError
        When no data is given, the mask is of other neurons than the model's, or the model cannot
        read a text or choose between the words of a pair, which is named.
    """
    expect(mask, NeuronMask, "mask", "a NeuronMask")
    n_random, seed = whole_number(n_random, "n_random", least=1), validate_seed(seed)
    loaded = as_loaded(model, tokenizer, head="language")
    check_revision(mask.space, loaded.revision, f"mask '{mask.method}'")
    check_space(find_sites(loaded.model, mask.space.site), mask.space)
    if tasks is not None:
        expect(tasks, Mapping, "tasks", "a dict from name to minimal pairs")
    if pairs is None and texts is None and not tasks:
        raise InputError("nothing to measure side effects on; give pairs, texts or tasks")
    if positions is None:
        positions = mask.parameters.get("positions", "all")
    metrics = _metrics(loaded, mask.space, pairs, positions, texts, tasks)
    if not metrics:
        return SideEffects(len(mask), n_random, ())
    usual = metrics[0][2].runner.everywhere().activation_range()
    gates, values = random_masks(mask, usual, n_random, seed)
    gates = np.stack([np.zeros_like(mask.gates), mask.gates, *gates])
    values = np.stack([mask.replacement, mask.replacement, *values])
    measures = []
    bar = tqdm(metrics, desc="side effects", unit="measure", disable=None, delay=2, leave=False)
    for name, data, metric in bar:
        intact, masked, *chance = evaluate(metric, gates, values).tolist()
        spread = (float(np.mean(chance)), min(chance), max(chance))
        measures.append(SideEffect(name, data, intact, masked, *spread))
    return SideEffects(len(mask), n_random, tuple(measures))


def _metrics(
    loaded: LoadedModel,
    space: NeuronSpace,
    pairs: Sequence[MinimalPair] | None,
    positions: str | int,
    texts: Sequence[str] | None,
    tasks: Mapping[str, Sequence[MinimalPair]] | None,
) -> list[tuple[str, str, ModelMetric]]:
    """What is measured, of what, and how."""
    found = []
    where = Location.of_space(space, positions)
    if texts is not None:
        kl, predicted = kl_and_perplexity(loaded, texts, Location.of_space(space))
        found += [("KL", "text", kl), (predicted.name, "text", predicted)]
    if pairs is not None:
        inputs = encode_pairs(loaded, pairs)
        if _is_felt_elsewhere(loaded, inputs, inputs.resolve_positions(positions)):
            found.append(("KL", "elsewhere in the pairs", kl_elsewhere(loaded, inputs, where)))
    for name, others in (tasks or {}).items():
        try:
            inputs = encode_pairs(loaded, others)
            runner = InterventionRunner.of_pairs(loaded, inputs, where)
        except InputError as error:
            raise InputError(f"task '{name}': {error}") from None
        found.append(("accuracy", name, accuracy_of(runner, inputs)))
        found.append(("choices changed", name, changes_of(runner, inputs)))
    return found


def _is_felt_elsewhere(
    loaded: LoadedModel, inputs: PairInputs, positions: str | torch.Tensor
) -> bool:
    """Whether other tokens than that of the choice could be; a causal model reads no later one."""
    if inputs.attention_mask.sum() == len(inputs):
        return False
    if isinstance(positions, str):
        last_only = positions == "last"
    else:
        last_only = positions.equal(inputs.prediction_positions)
    return reads_both_sides(loaded) or not last_only


def random_masks(
    mask: NeuronMask, usual: ActivationRange, n_random: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Gates and replacements, (n_random, n_neurons) both, that are chance for a mask.

    Where neurons share gates, as those of a head, whole units are drawn.
    """
    counted = mask.counted
    touched_units = counted.any_member(mask.gates > 0)
    mean, std = (part.double().cpu().numpy() for part in (usual.mean, usual.std))
    # A neuron that never varies has no such distance.
    away = np.divide(mask.replacement - mean, std, where=std > 0, out=np.zeros(len(mean)))
    gates = np.zeros((n_random, len(mean)))
    values = np.tile(mean, (n_random, 1))
    rng = np.random.default_rng(seed)
    for gate, value in zip(gates, values, strict=True):
        for layer in counted.layers:
            units = counted.columns(layer)
            touched = units.start + np.flatnonzero(touched_units[units])
            every = np.arange(units.start, units.stop)
            drawn = counted.members(rng.choice(every, len(touched), replace=False))
            like = np.resize(counted.members(touched), len(drawn))
            gate[drawn] = mask.gates[like]
            value[drawn] += away[like] * std[drawn]
    return gates, values
