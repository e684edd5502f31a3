"""Is a property more localised in one model than in another?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.arguments import one_or_more
from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.evaluation.localisation import Localisation, Measure, half_width
from neurox_lite.figures import MOST, PALETTE, Given, finish, log_scale, panels
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class LocalisationDifference:
    """One measure of a property in one model, compared with another.

    Attributes
    ----------
    tag, model, other, measure : str
    value : float
        Of numbers of neurons the ratio, of the others the difference: model and other.
    low, high : float
        95 % interval. It excludes 1 (of a ratio) or 0 where sentences do not explain it.
    paired : bool
        Whether both models were measured on the same resamples of the same words.
    """

    tag: str
    model: str
    other: str
    measure: str
    value: float
    low: float
    high: float
    is_ratio: bool
    paired: bool

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes that there is no difference."""
        none = 1 if self.is_ratio else 0
        return not self.low <= none <= self.high


@dataclass(frozen=True)
class Localisations(SavedResult):
    """How localised properties are, in one model or several.

    Attributes
    ----------
    results : tuple of Localisation
    """

    results: tuple[Localisation, ...]

    KIND = "localisations"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        lines = (f"{one.tag} in {one.model}: {one.measures[0]}" for one in self.results)
        return summary(f"Localisations: {len(self.results)}", None, lines)

    @classmethod
    def of(cls, results: Localisation | Sequence[Localisation]) -> Localisations:
        """Put results together.

        Raises
        ------
        InputError
            When there is none, or two are of the same property and model.
        """
        found = one_or_more(results, Localisation, "results", "a Localisation or a list of them")
        names = [(one.tag, one.model) for one in found]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{name[0]} in {name[1]} is there twice; give each once")
        return cls(tuple(found))

    @property
    def converged(self) -> bool:
        """Whether all probes did."""
        return all(one.converged for one in self.results)

    def differences(self) -> list[LocalisationDifference]:
        """Every two models compared, by every measure that both have of a property."""
        found = []
        for one, other in combinations(self.results, 2):
            if one.tag != other.tag:
                continue
            for measure in one.measures:
                beside = other.measure(measure.name)
                if beside is not None and _is_known(measure) and _is_known(beside):
                    found.append(_difference(one, other, measure, beside))
        return found

    def table(self) -> Table:
        """A header, a row per measure, and a row per difference, which has a model as ``other``."""
        header = ["property", "model", "other", "measure", "value", "low", "high", "by_chance"]
        rows = [
            [tag, model, None, *rest]
            for one in self.results
            for tag, model, *rest in one.table()[1:]
        ]
        rows += [
            [d.tag, d.model, d.other, d.measure, d.value, d.low, d.high, None]
            for d in self.differences()
        ]
        return [header, *rows]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """A panel per measure with a dot and its interval per property and model."""
        every = [m for one in self.results for m in one.measures]
        known = [m for m in every if m.value is not None] or every[:1]
        names = list(dict.fromkeys(m.name for m in known))
        models = list(dict.fromkeys(one.model for one in self.results))
        tags = list(dict.fromkeys(one.tag for one in self.results))
        ordered = sorted(self.results, key=lambda one: tags.index(one.tag))
        size = (1.6 + 2.3 * len(names), 1.9 + 0.3 * len(ordered))
        axes = panels(ax, len(names), size=size, n_columns=len(names))
        places = range(len(ordered))
        for axis, name in zip(axes, names, strict=True):
            for place, one in zip(places, ordered, strict=True):
                measure = one.measure(name)
                if measure is None or measure.value is None:
                    axis.text(0.5, place, "none", transform=axis.get_yaxis_transform(), va="center")
                    continue
                colour = PALETTE[models.index(one.model) % len(PALETTE)]
                if measure.low is not None and measure.high is not None:
                    axis.hlines(
                        place, measure.low, measure.high, color=colour, linewidth=3, alpha=0.5
                    )
                axis.plot(measure.value, place, "o", color=colour, markersize=5)
                if measure.by_chance is not None:
                    axis.plot(measure.by_chance, place, "|", color="0.3", markersize=11)
            axis.set_ylim(len(ordered) - 0.5, -0.5)
            axis.set_yticks(places, [""] * len(ordered))
            axis.set_title(name, fontsize=10)
            axis.grid(alpha=0.3)
            if any(m.name == name and m.is_count for one in ordered for m in one.measures):
                ends = [end for m in known if m.name == name for end in (m.low, m.high, m.value)]
                counts = [end for end in ends if end is not None]
                log_scale(axis, min(counts), max(counts))
            else:
                axis.set_xlim(-0.05, 1.05)
        several = len(models) > 1
        labels = [f"{one.tag} ({one.model})" if several else one.tag for one in ordered]
        axes[0].set_yticks(places, [figure_text(label, MOST) for label in labels], fontsize=8)
        axes[0].plot([], [], "o-", color="0.4", label="value, 95 % interval over sentences")
        axes[0].plot([], [], "|", color="0.3", markersize=11, linestyle="", label="by chance")
        return finish(axes, ax, title, legend=2)

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        results = (Localisation(**Localisation.from_json(one)) for one in fields["results"])
        return {"results": tuple(results)}


def _is_known(measure: Measure) -> bool:
    return measure.value is not None and measure.low is not None


def _difference(
    one: Localisation, other: Localisation, first: Measure, second: Measure
) -> LocalisationDifference:
    is_ratio = first.is_count
    values = np.array([first.value, second.value], dtype=float)
    drawn = [np.array(measure.resampled, dtype=float) for measure in (first, second)]
    if is_ratio:
        values, drawn = np.log(values), [np.log(each) for each in drawn]
    paired = one.words == other.words
    if paired:
        half = half_width(drawn[0] - drawn[1])
    else:
        half = float(np.hypot(half_width(drawn[0]), half_width(drawn[1])))
    ends = np.array([0, -half, half]) + values[0] - values[1]
    value, low, high = (np.exp(ends) if is_ratio else ends).tolist()
    return LocalisationDifference(
        one.tag, one.model, other.model, first.name, value, low, high, is_ratio, paired
    )
