"""A fitted neuron mask: what it does, on examples it was not fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.figures import Given
from neurox_lite.files import hash_file
from neurox_lite.intervals import Interval
from neurox_lite.json_files import write_json
from neurox_lite.masking.template_effects import TemplateEffect
from neurox_lite.outputs import atomic_write_folder
from neurox_lite.results.html import as_html
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.pair_task import PairTask
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.saving import read_result
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import some, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KIND = "mask fit"
OF_MASK = "sha256 of mask"
NUMBERS = (
    "size",
    "alpha",
    "feasible",
    "converged",
    "intact",
    "effect",
    "held_out_intact",
    "held_out_effect",
    "held_out_effect_low",
    "held_out_effect_high",
    "success",
    "train_success",
    "held_out_success",
    "held_out_low",
    "held_out_high",
    "max_replacement_z",
    "out_of_range",
    "n_runs",
)
"""Fields that ``fit.json`` also has as they are, not rounded."""
LATER = (
    "held_out_low",
    "held_out_high",
    "held_out_effect_low",
    "held_out_effect_high",
    "success",
    "train_success",
)
OF_EARLIER: dict[str, Any] = {"out_of_range": False, **dict.fromkeys(LATER)}
"""Of fits that were saved before there were these fields."""


@dataclass(frozen=True, eq=False, repr=False)
class MaskFit:
    """The smallest mask a search found, and whether it does what it was to do.

    Attributes
    ----------
    mask : NeuronMask
        Gates are 0 or 1. Of *sufficiency* they are 1 for all neurons but those kept.
    size : int
        Neurons selected: those replaced, of *sufficiency* those kept. Where neurons share gates,
        units such as heads (``mask.units``), of which all numbers are then.
    objective : {"flip", "sufficiency", "custom"}
    alpha : float
        What the mean effect was to reach; with ``success`` what an example is to reach to succeed,
        of *flip* 0.
    feasible : bool
        Whether the hard mask reaches what was asked on all training examples, and on those held
        out at least as far as chance explains: the upper end of the 95 % interval does. If it does
        not in training, no mask does as far as was found, and ``mask`` is the best there was.
    converged : bool
        Whether size and effect of the gates had settled when the search ended.
    intact, effect : float
        Mean effect without a mask and with it, on all training examples.
    held_out_intact, held_out_effect : float
        The same on examples that were held out, with the replacements found in training; NaN when
        there were none.
    held_out_effect_low, held_out_effect_high : float
        95 % interval of the held-out effect, see :func:`neurox_lite.mean_interval`; groups as of
        the share below.
    success : float, optional
        The share of examples that were to succeed, if that was asked and not a mean effect.
    train_success : float
        Share of training examples that succeed, as below.
    templates : tuple of TemplateEffect
        Effect and success by template and condition, of all training examples.
    held_out_success : float
        Share of held-out examples whose own effect is above 0 (flipped), of objectives other than
        *flip* at least ``alpha``.
    probabilities : (n_neurons,) array
        That the gate is open; of the top of a ranking 1 for its neurons and 0 for others.
    max_replacement_z : float
        Of the replacements, from the mean of their neuron, in its standard deviations; 0 for none.
    sizes, effects : tuples of float
        Expected number of open gates and effect of a batch, step by step of a search.
    n_runs : int
        Examples the model was run on, forward, by this fit; not those of a ranking it is given.
    counts : dict
        Examples trained on, held out, and left out as copies of others or since the intact model
        gets them wrong.
    order : NeuronRanking, optional
        Whose top the mask is; none of a search.
    held_out_low, held_out_high : float
        95 % interval of the share: where it would be on other examples, see
        :func:`neurox_lite.intervals.accuracy_interval`; pairs of the same two words are turned
        together.
    out_of_range : bool
        Whether a replacement lies more than twice as far from the mean of its neuron as any of its
        activations on the examples: no input would bring the neuron there.
    task : PairTask, optional
        Whether the intact model can do what the pairs ask; of masks over pairs.
    """

    mask: NeuronMask
    size: int
    objective: str
    alpha: float
    feasible: bool
    converged: bool
    intact: float
    effect: float
    held_out_intact: float
    held_out_effect: float
    held_out_success: float
    probabilities: np.ndarray
    max_replacement_z: float
    sizes: tuple[float, ...]
    effects: tuple[float, ...]
    n_runs: int
    counts: Mapping[str, int] = field(default_factory=dict)
    order: NeuronRanking | None = None
    held_out_low: float = float("nan")
    held_out_high: float = float("nan")
    out_of_range: bool = False
    task: PairTask | None = None
    held_out_effect_low: float = float("nan")
    held_out_effect_high: float = float("nan")
    success: float | None = None
    train_success: float = float("nan")
    templates: tuple[TemplateEffect, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the mask is feasible and converged, of a model that can do the task."""
        return self.feasible and self.converged and (self.task is None or self.task.holds)

    @property
    def status(self) -> str:
        """``feasible``, ``not converged``, ``infeasible`` or ``the model cannot do the task``.

        A mask that is enough on the training examples only is ``infeasible on held-out examples``.

        With what is to be said to it: ``feasible, out of range (34.9 std)``.
        """
        if self.task is not None and not self.task.holds:
            return f"the model cannot do the task: {self.task}"
        if not self.feasible:
            elsewhere = " on held-out examples" if self._reached_in_training else ""
            return f"infeasible{elsewhere}"
        found = "feasible" if self.converged else "not converged"
        return (
            f"{found}, out of range ({self.max_replacement_z:.1f} std)"
            if self.out_of_range
            else found
        )

    @property
    def _reached_in_training(self) -> bool:
        if self.success is None:
            return self.effect >= self.alpha
        return self.train_success >= self.success

    @property
    def _effect_of_asked(self) -> str:
        if self.success is None:
            return f"effect {self.effect:.4g} of {self.alpha:.4g} asked for"
        return f"success {self.train_success:.4g} of {self.success:.4g} asked for"

    def __str__(self) -> str:
        what, how_much = self._effect_of_asked.split(" ", 1)
        facts = {
            what: how_much,
            "held-out effect": Interval(
                self.held_out_effect, self.held_out_effect_low, self.held_out_effect_high
            ),
            "held-out success": self.held_out_success,
            "largest replacement": f"{self.max_replacement_z:.3g} std",
        }
        counted = self.mask.counted
        first = some(counted.neurons(self.mask.selected))
        title = f"MaskFit ({self.objective}): {self.status}, {self.size} {counted.unit_name}"
        return summary(title, facts, [first])

    def table(self) -> Table:
        """A header and one row: what is said about the fit."""
        single = {k: v for k, v in self.summary().items() if not isinstance(v, list)}
        return [list(single), list(single.values())]

    to_pandas = as_pandas
    _repr_html_ = as_html

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Neurons of the mask in every layer."""
        return self.mask.plot(ax, title=title)

    def __repr__(self) -> str:
        return (
            f"MaskFit({self.status}, {self._effect_of_asked}, "
            f"held-out success {self.held_out_success:.3g}, {self.mask!r})"
        )

    def ranking(self) -> NeuronRanking:
        """Neurons by the probability that their gate is open, those of the mask first.

        Of the top of a ranking it is that ranking. For an order that does not depend on one
        ``alpha`` see :func:`neurox_lite.masking.path.mask_path`.
        """
        if self.order is not None:
            return self.order
        scores = self.probabilities.copy()
        scores[self.mask.selected] += 1
        return NeuronRanking.from_scores(
            self.mask.counted,
            scores,
            self.mask.method,
            parameters={"objective": self.objective, "alpha": self.alpha},
            provenance=self.mask.provenance,
        )

    def summary(self) -> dict[str, Any]:
        """What is said about the fit, JSON-ready."""

        def number(value: float | None) -> float | None:
            return None if value is None or np.isnan(value) else round(value, 6)

        asked = {} if self.success is None else {"success asked for": number(self.success)}

        counted = self.mask.counted
        neurons = counted.neurons(self.mask.selected[:100])
        return {
            "status": self.status,
            "objective": self.objective,
            "alpha": number(self.alpha),
            **asked,
            "size": self.size,
            counted.unit_name: [str(neuron) for neuron in neurons],
            "largest replacement, in std": number(self.max_replacement_z),
            "effect without a mask": number(self.intact),
            "effect": number(self.effect),
            "success": number(self.train_success),
            "templates short of it": [str(each) for each in self.templates if not each.holds],
            "held-out effect without a mask": number(self.held_out_intact),
            "held-out effect": number(self.held_out_effect),
            "held-out effect, 95 % interval": [
                number(self.held_out_effect_low),
                number(self.held_out_effect_high),
            ],
            "held-out success": number(self.held_out_success),
            "held-out success, 95 % interval": [
                number(self.held_out_low),
                number(self.held_out_high),
            ],
            **({} if self.task is None else {"can do the task": self.task.summary()}),
            "model runs": self.n_runs,
            **{f"examples {name}": count for name, count in self.counts.items()},
        }

    def save(self, folder: str | Path) -> None:
        """Write the mask, ``fit.json`` (what is said about it) and ``ranking.json``."""
        numbers = {name: getattr(self, name) for name in NUMBERS}
        with atomic_write_folder(folder) as new:
            self.mask.save(new)
            write_json(
                new / "fit.json",
                {
                    "kind": KIND,
                    **self.summary(),
                    "sizes": list(self.sizes),
                    "effects": list(self.effects),
                    "probabilities": self.probabilities.tolist(),
                    "numbers": {
                        k: None if v is None or not np.isfinite(v) else v
                        for k, v in numbers.items()
                    },
                    "templates": [each.summary() for each in self.templates],
                    "counts": dict(self.counts),
                    "is top of ranking.json": self.order is not None,
                    OF_MASK: hash_file(new / "mask.safetensors"),
                },
            )
            self.ranking().save(new / "ranking.json")

    @classmethod
    def load(cls, folder: str | Path) -> MaskFit:
        """Read what :meth:`save` wrote, or the command `mask`.

        Raises
        ------
        InputError
            When a file is missing, damaged or holds something else.
        """
        folder = Path(folder)
        mask = NeuronMask.load(folder)

        def build(**data: Any) -> MaskFit:
            if data.get(OF_MASK) not in (None, hash_file(folder / "mask.safetensors")):
                raise ValueError("it belongs to another mask than the one beside it")
            # Masks of earlier versions call it the head, and lack what came later.
            is_top = data.get("is top of ranking.json", data.get("is head of ranking.json"))
            saved = {**OF_EARLIER, **data["numbers"]}
            numbers: dict[str, Any] = {
                name: np.nan if saved[name] is None else saved[name] for name in NUMBERS
            }
            numbers["success"] = saved["success"]
            task = data.get("can do the task")
            return cls(
                mask=mask,
                objective=data["objective"],
                probabilities=np.array(data["probabilities"]),
                sizes=data["sizes"],
                effects=data["effects"],
                counts=data["counts"],
                templates=tuple(TemplateEffect(**each) for each in data.get("templates", [])),
                order=NeuronRanking.load(folder / "ranking.json") if is_top else None,
                task=None if task is None else PairTask.from_summary(task),
                **numbers,
            )

        return read_result(folder / "fit.json", KIND, build)
