"""What formulas say of neurons: the best at both signs, beside a single concept and chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.descriptions.formula_search import Formula
from neurox_lite.descriptions.neuron_description import SIGNS
from neurox_lite.figures import MARKERS, PALETTE, Given, finish, known_title, panels
from neurox_lite.intervals import Interval
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ScoredFormula:
    """A formula and how well it fits.

    Attributes
    ----------
    formula : Formula
    iou : float
        On the sentences searched, so that it is too high, the more so of a longer formula.
    held_out : Interval
        IoU on the other sentences, with its interval.
    """

    formula: Formula
    iou: float
    held_out: Interval

    __repr__ = short_repr

    def __str__(self) -> str:
        return f"IoU {self.held_out}: {self.formula}"

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> ScoredFormula:
        """From what ``dataclasses.asdict`` and JSON make of it."""
        formula, held_out = Formula(**fields["formula"]), Interval(**fields["held_out"])
        return cls(formula, fields["iou"], held_out)


@dataclass(frozen=True)
class NeuronFormula:
    """What the words have in common on which a neuron is highest, or lowest.

    Attributes
    ----------
    neuron : Neuron
    sign : str
        ``"highest"`` or ``"lowest"``.
    n_active : tuple of two ints
        Words on which it is, among those searched and those held out.
    best, concept : ScoredFormula, optional
        The best formula, and the best of a single concept, both by the sentences searched.
    shuffled : ScoredFormula, optional
        The best formula of the neuron with its activations at other words: what chance reaches.
    reason : str
        Why there are no formulas; empty where there are.
    """

    neuron: Neuron
    sign: str
    n_active: tuple[int, int]
    best: ScoredFormula | None = None
    concept: ScoredFormula | None = None
    shuffled: ScoredFormula | None = None
    reason: str = ""

    __repr__ = short_repr

    def __str__(self) -> str:
        return f"{self.neuron} {self.sign}: {self.reason or self.best}"

    @property
    def scored(self) -> tuple[ScoredFormula | None, ...]:
        """Best, concept and shuffled."""
        return self.best, self.concept, self.shuffled

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> NeuronFormula:
        """From what ``dataclasses.asdict`` and JSON make of it."""
        scored = {
            name: fields[name] and ScoredFormula.from_json(fields[name])
            for name in ("best", "concept", "shuffled")
        }
        return cls(**{**fields, **scored, "neuron": Neuron(*fields["neuron"])})


@dataclass(frozen=True)
class CompositionalFormulas(SavedResult):
    """Formulas of neurons, see :func:`~neurox_lite.descriptions.formulas.compositional_formulas`.

    Attributes
    ----------
    space : NeuronSpace
    share : float
        Of the words on which a neuron is active.
    max_length, beam_width : int
    n_concepts : int
        Among which was searched.
    n_sentences, n_words : tuple of two ints
        Searched, and held out.
    seed : int
        Of the halves and of the shuffled neurons.
    formulas : tuple of NeuronFormula
        Two for each neuron, the highest activations first.
    """

    space: NeuronSpace
    share: float
    max_length: int
    beam_width: int
    n_concepts: int
    n_sentences: tuple[int, int]
    n_words: tuple[int, int]
    seed: int
    formulas: tuple[NeuronFormula, ...]

    KIND = "compositional formulas"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        found = [each for each in self.formulas if each.best]
        facts = {
            "neurons": len(self.formulas) // len(SIGNS),
            "with a formula": f"{len({each.neuron for each in found})}",
            "concepts": self.n_concepts,
            "words searched": self.n_words[0],
            "held out": self.n_words[1],
        }
        best = sorted(found, key=lambda each: -each.best.held_out.value if each.best else 0)
        return summary("CompositionalFormulas", facts, map(str, best))

    def of(self, neuron: Any) -> tuple[NeuronFormula, ...]:
        """The two formulas of a neuron, given as for :meth:`NeuronSpace.columns_of`.

        Raises
        ------
        InputError
            When there is no such neuron. Of one that was not asked for, it gives none.
        """
        (wanted,) = self.space.neurons(self.space.columns_of(neuron)[:1])
        return tuple(each for each in self.formulas if each.neuron == wanted)

    def table(self) -> Table:
        """A header, and a row per neuron and sign."""
        ends = ("held_out", "held_out_low", "held_out_high")
        header = ["layer", "unit", "sign", "n_active", "n_active_held_out", "reason"]
        for name in ("", "concept_", "shuffled_"):
            header += [f"{name}formula", *(f"{name}{each}" for each in ("length", "iou", *ends))]
        rows: Table = [[name.replace("concept_formula", "concept") for name in header]]
        for each in self.formulas:
            cells = [*each.neuron, each.sign, *each.n_active, each.reason or None]
            for one in each.scored:
                values: list[Any] = [None] * 6
                if one:
                    shown = (str(one.formula), len(one.formula), one.iou)
                    values = [*shown, *one.held_out.as_json()]
                cells += values
            rows.append(cells)
        return rows

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Held-out IoU of all neurons and signs, each line sorted: best, one concept, shuffled."""
        from matplotlib.ticker import MaxNLocator

        axes = panels(ax, size=(5.2, 3.6))
        axis = axes[0]
        names = ("best formula", "best single concept", "best formula, shuffled neuron")
        for place, name in enumerate(names):
            scored = [one for each in self.formulas if (one := each.scored[place])]
            values = np.sort([one.held_out.value for one in scored])[::-1]
            style = f"{MARKERS[place]}-"
            at = np.arange(1, len(values) + 1)
            axis.plot(at, values, style, color=PALETTE[place], markersize=4, label=name)
        axis.set_xlabel("neurons and signs, best first")
        axis.set_ylabel("IoU on held-out sentences")
        axis.set_ylim(bottom=0)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        return finish(axes, ax, known_title(ax, title, self.space.model), legend=3)

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        return {
            **fields,
            "space": NeuronSpace.from_dict(fields["space"]),
            "formulas": tuple(map(NeuronFormula.from_json, fields["formulas"])),
        }
