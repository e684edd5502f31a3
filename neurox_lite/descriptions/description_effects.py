"""What changing a neuron does to the sentences that a description describes, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurox_lite.descriptions.description_scores import CONSTANT
from neurox_lite.descriptions.interval_plot import plot_intervals
from neurox_lite.escaping import terminal
from neurox_lite.figures import Given
from neurox_lite.intervals import Interval
from neurox_lite.json_files import write_json
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, is_table_name, write_table
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHUFFLED_PRESENCE = "shuffled presence"
"""What the reference is called in tables."""

MEASURES = ("described", "others", "difference", "auc")


@dataclass(frozen=True)
class DescriptionEffect:
    """How far a neuron, when it is set, moves what the model says of described sentences.

    Attributes
    ----------
    description : str
    neuron : Neuron
        That is set.
    n_sentences, n_described : int
        Different sentences, and those that are described.
    described, others : Interval
        Mean change of the described sentences and of the others, in nats per token.
    difference : Interval
        Of the two; from length alone that of the shuffled presence.
    auc : Interval
        How often a described sentence is changed more than another one of about the same length;
        by chance 0.5.
    """

    description: str
    neuron: Neuron
    n_sentences: int
    n_described: int
    described: Interval
    others: Interval
    difference: Interval
    auc: Interval

    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        return terminal(
            f"{self.neuron}, {self.description}: AUC {self.auc}, "
            f"{self.described.value:.3g} nats per token, others {self.others.value:.3g}"
        )

    def table(self) -> Table:
        """A header and one row: of each measure its value and the ends of its interval."""
        ends = [f"{name}{end}" for name in MEASURES for end in ("", " low", " high")]
        return [
            ["description", "layer", "unit", "n_sentences", "n_described", *ends],
            [
                self.description,
                *self.neuron,
                self.n_sentences,
                self.n_described,
                *(number for name in MEASURES for number in getattr(self, name).as_json()),
            ],
        ]

    def as_json(self) -> dict[str, Any]:
        """The fields as they are saved."""
        return {**vars(self), **{name: getattr(self, name).as_json() for name in MEASURES}}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> DescriptionEffect:
        """From what :meth:`as_json` gave."""
        intervals = {name: Interval.from_json(fields[name]) for name in MEASURES}
        return cls(**{**fields, "neuron": Neuron(*fields["neuron"]), **intervals})


@dataclass(frozen=True)
class DescriptionEffects(SavedResult):
    """Of a description and its references; a row of a table each.

    Attributes
    ----------
    space : NeuronSpace
        Of the neuron's layer.
    replacement : str
        What neurons are set to: ``mean`` or ``zero``.
    effects : tuple of DescriptionEffect
        The description, ``constant``, ``shuffled presence``, and the description with other neurons
        of the layer set.
    """

    space: NeuronSpace
    replacement: str
    effects: tuple[DescriptionEffect, ...]

    KIND = "description effects"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {
            "model": self.space.model,
            "site": self.space.site,
            "set to": self.replacement,
            "sentences": self.effects[0].n_sentences,
            "described": self.effects[0].n_described,
        }
        return summary("DescriptionEffects", facts, map(str, self.effects))

    def table(self) -> Table:
        """A header, and the row of each."""
        header = self.effects[0].table()[0]
        return [header, *(effect.table()[1] for effect in self.effects)]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """A panel each for the difference and the AUC: values with their intervals."""
        own = self.effects[0].neuron
        names = [
            effect.description if effect.neuron == own else f"{effect.neuron} set"
            for effect in self.effects
        ]
        columns = {
            "difference (nats per token)": [effect.difference for effect in self.effects],
            "AUC": [effect.auc for effect in self.effects],
        }
        is_reference = [
            effect.neuron != own or effect.description in (CONSTANT, SHUFFLED_PRESENCE)
            for effect in self.effects
        ]
        return plot_intervals(names, is_reference, columns, ax, title)

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, or under a name in ``.csv`` or ``.tex`` the table."""
        if is_table_name(path):
            write_table(path, self.table())
            return
        data = {
            "space": self.space.to_dict(),
            "replacement": self.replacement,
            "effects": [effect.as_json() for effect in self.effects],
        }
        write_json(path, {"kind": self.KIND, **data})

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        effects = tuple(DescriptionEffect.from_json(one) for one in fields["effects"])
        return {**fields, "space": NeuronSpace.from_dict(fields["space"]), "effects": effects}
