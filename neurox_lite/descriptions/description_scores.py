"""Scores of descriptions of neurons, as a table, a figure and a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, Given, finish, panels
from neurox_lite.intervals import Interval
from neurox_lite.json_files import write_json
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

    def __str__(self) -> str:
        lines = (f"{score.description}: AUPRC {score.auprc}" for score in self.scores)
        return summary(f"DescriptionScores of {len(self.scores)}", {}, lines)

    def table(self) -> Table:
        """A header, and the row of each score."""
        header = self.scores[0].table()[0]
        return [header, *(score.table()[1] for score in self.scores)]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """A panel each for AUPRC, F1, IoU and correlation: values with their intervals."""
        names = [figure_text(score.description, MOST) for score in self.scores]
        width = 1.2 + 0.08 * max(map(len, names)) + 4 * 1.8
        axes = panels(ax, 4, size=(width, 1.3 + 0.26 * len(names)), n_columns=4, sharey=True)
        labels = ("AUPRC", "F1", "IoU", "correlation")
        for axis, measure, label in zip(axes, MEASURES, labels, strict=False):
            for place, score in enumerate(self.scores):
                colour = "0.5" if score.description in (CONSTANT, SHUFFLED) else "#0072b2"
                interval = getattr(score, measure)
                if interval.is_known:
                    ends = [interval.low, interval.high]
                    axis.plot(ends, [place] * 2, "-", color=colour, linewidth=2, alpha=0.6)
                axis.plot(interval.value, place, "o", color=colour, markersize=4)
            axis.set_xlabel(label, fontsize=8)
            axis.tick_params(labelsize=8)
            axis.grid(axis="x", alpha=0.3)
        axes[0].set_yticks(range(len(names)), names)
        axes[0].invert_yaxis()
        return finish(axes, ax, title)

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
