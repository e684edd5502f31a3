"""Scores of descriptions of neurons, as a table, a figure and a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurox_lite.descriptions.interval_plot import plot_intervals
from neurox_lite.figures import Given
from neurox_lite.intervals import Interval
from neurox_lite.json_files import write_json
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, is_table_name, write_table
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONSTANT, SHUFFLED = "constant", "shuffled activations"
"""What the references are called in tables."""

MEASURES = ("auprc", "f1", "iou", "correlation", "inverse_auprc")


@dataclass(frozen=True)
class DescriptionScore(SavedResult):
    """How well a description says on which examples a neuron is active.

    Attributes
    ----------
    description : str
    threshold : float
        Above it the neuron is active.
    n_examples, n_sentences : int
    prevalence : float
        Share of the examples in which the described is present.
    density : float
        Share of the examples in which the neuron is active.
    auprc : Interval
        The description as a detector of active examples; by chance it is the density.
    f1, iou : Interval
        Of the examples in which the described is present and those in which the neuron is active.
    correlation : Interval
        Of description and activation.
    inverse_auprc : Interval
        The activation as a detector of the described; by chance it is the prevalence, so that it is
        high for whatever is frequent. To be read beside the prevalence only.
    """

    description: str
    threshold: float
    n_examples: int
    n_sentences: int
    prevalence: float
    density: float
    auprc: Interval
    f1: Interval
    iou: Interval
    correlation: Interval
    inverse_auprc: Interval

    KIND = "description score"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {
            "examples": self.n_examples,
            "prevalence": self.prevalence,
            "density": self.density,
        }
        lines = (f"{name} {getattr(self, name)}" for name in MEASURES[:4])
        return summary(f"DescriptionScore of {self.description}", facts, lines)

    def table(self) -> Table:
        """A header and one row: of each score its value and the ends of its interval."""
        single = ("description", "n_examples", "n_sentences", "prevalence", "density")
        ends = ("", " low", " high")
        return [
            [*single, *(f"{name}{end}" for name in MEASURES for end in ends)],
            [
                *(getattr(self, name) for name in single),
                *(number for name in MEASURES for number in getattr(self, name).as_json()),
            ],
        ]

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, or under a name in ``.csv`` or ``.tex`` the table."""
        if is_table_name(path):
            write_table(path, self.table())
        else:
            write_json(path, {"kind": self.KIND, **self.as_json()})

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """One row of :meth:`DescriptionScores.plot`."""
        return DescriptionScores((self,)).plot(ax, title=title)

    def as_json(self) -> dict[str, Any]:
        """The fields as they are saved."""
        return {**vars(self), **{name: getattr(self, name).as_json() for name in MEASURES}}

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        return {**fields, **{name: Interval.from_json(fields[name]) for name in MEASURES}}


@dataclass(frozen=True)
class DescriptionScores(SavedResult):
    """Scores of several descriptions, or of one and its references; a row of a table each."""

    scores: tuple[DescriptionScore, ...]

    KIND = "description scores"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        lines = (f"{score.description}: AUPRC {score.auprc}" for score in self.scores)
        return summary(f"DescriptionScores of {len(self.scores)}", {}, lines)

    def table(self) -> Table:
        """A header, and the row of each score."""
        header = self.scores[0].table()[0]
        return [header, *(score.table()[1] for score in self.scores)]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """A panel each for AUPRC, F1, IoU and correlation: values with their intervals."""
        names = [score.description for score in self.scores]
        columns = {
            label: [getattr(score, measure) for score in self.scores]
            for label, measure in zip(("AUPRC", "F1", "IoU", "correlation"), MEASURES, strict=False)
        }
        is_reference = [name in (CONSTANT, SHUFFLED) for name in names]
        return plot_intervals(names, is_reference, columns, ax, title)

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, or under a name in ``.csv`` or ``.tex`` the table."""
        if is_table_name(path):
            write_table(path, self.table())
        else:
            scores = [score.as_json() for score in self.scores]
            write_json(path, {"kind": self.KIND, "scores": scores})

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        scores = (DescriptionScore(**DescriptionScore.from_json(one)) for one in fields["scores"])
        return {"scores": tuple(scores)}
