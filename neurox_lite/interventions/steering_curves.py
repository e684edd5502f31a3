"""Steering curves: how many neurons turn what a model predicts, and what else that changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurox_lite.figures import MOST, Given, finish, panels, wrapped
from neurox_lite.results.html import as_html
from neurox_lite.results.pair_task import PairTask
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.sweep import WIDTH, Sweep, label_counts
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURES = ("success", "log_odds", "kl", "perplexity")

MOST_TURNED = 0.9
"""Share of the pairs of which it is printed how many neurons turn them."""

SETS = ("top", "bottom", "random_mean", "random_low", "random_high")


@dataclass(frozen=True)
class SteeringCurve:
    """What steering the first neurons of a ranking does.

    Attributes
    ----------
    method : str
        Of the ranking.
    mode : {"set", "add"}
    strength : float or None
        The coefficient of the difference that is added to the first neuron.
    positions : str
        Where neurons are steered in the pairs: "all", "last" or the number of a word.
    n_neurons : int
    n_pairs, n_left_out : int
        Pairs steered, and those left out since the intact model gets them wrong.
    counts : tuple of int
        How many neurons are steered.
    success : Sweep
        Share of the pairs whose other word is the more probable one.
    log_odds : Sweep
        Mean of log p(right) - log p(wrong), in nats.
    kl, perplexity : Sweep or None
        On other text: mean of KL(p || p~) per token from the intact model, in nats, and perplexity.
    task : PairTask or None
        Whether the intact model can do what the pairs ask.
    units : str
        What is steered: neurons, or groups of them such as heads, which all numbers count.
    """

    method: str
    mode: str
    strength: float | None
    positions: str
    n_neurons: int
    n_pairs: int
    n_left_out: int
    counts: tuple[int, ...]
    success: Sweep
    log_odds: Sweep
    kl: Sweep | None = None
    perplexity: Sweep | None = None
    task: PairTask | None = None
    units: str = "neurons"

    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {"pairs": self.n_pairs, "left out": self.n_left_out}
        return summary(f"SteeringCurve of {self._said()}", facts)

    def _said(self) -> str:
        fewest = self.fewest(MOST_TURNED)
        enough = "none of the counts turns" if fewest is None else f"{fewest} turn"
        return (
            f"{self.method}, {self.mode}: turns {self.success.top[0]:.3g} with {self.counts[0]} "
            f"to {self.success.top[-1]:.3g} with {self.counts[-1]} {self.units}; {enough} "
            f"{100 * MOST_TURNED:g} %"
        )

    def table(self) -> Table:
        """A header, and a row per set of neurons and count."""
        return SteeringCurves((self,)).table()

    def _title(self) -> str:
        how = f"added, beta = {self.strength:g}" if self.mode == "add" else "set to the mean"
        name = wrapped(self.method, WIDTH - 1.2, 10, most=2 * MOST)
        return f"{name}\n{how}, {self.n_pairs} pairs"

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """As :meth:`SteeringCurves.plot`."""
        return SteeringCurves((self,)).plot(ax, title=title)

    def fewest(self, success: float = 0.5) -> int | None:
        """The least count of top neurons that turns so many of the pairs; None where none does."""
        turned = zip(self.counts, self.success.top, strict=True)
        return next((k for k, share in turned if share >= success), None)


@dataclass(frozen=True)
class SteeringCurves(SavedResult):
    """One curve per ranking, of the same pairs, counts and random sets."""

    curves: tuple[SteeringCurve, ...]

    KIND = "steering curves"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {"curves": len(self.curves), "pairs": self.curves[0].n_pairs}
        return summary("SteeringCurves", facts, (curve._said() for curve in self.curves))

    def table(self) -> Table:
        """A header, and a row per ranking, set of neurons and count.

        Cells of what was not measured are None.
        """
        rows: Table = [["method", self.curves[0].units, "count", *MEASURES]]
        for curve in self.curves:
            measures = [getattr(curve, name) for name in MEASURES]
            intact = [None if measure is None else measure.intact for measure in measures]
            rows.append([curve.method, "none", 0, *intact])
            for neurons in SETS:
                for i, count in enumerate(curve.counts):
                    values = [None if m is None else getattr(m, neurons)[i] for m in measures]
                    rows.append([curve.method, neurons, count, *values])
        return rows

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Success over the number of neurons, one panel per ranking; KL in panels below, if known.

        Axes that are given: one per ranking, then one per ranking for KL.
        """
        has_text = all(curve.kl is not None for curve in self.curves)
        count = len(self.curves)
        axes = panels(
            ax,
            count * (1 + has_text),
            size=(WIDTH * count, 3.6 * (1 + has_text) + 0.4),
            n_columns=count,
            sharex="col",
            sharey="row",
        )
        for i, curve in enumerate(self.curves):
            _panel(axes[i], curve, curve.success)
            axes[i].set_title(curve._title(), fontsize=10)
            if has_text and curve.kl is not None:
                _panel(axes[count + i], curve, curve.kl)
        for axis in axes[-count:]:
            axis.set_xlabel(self.curves[0].units)
        axes[0].set_ylim(-0.02, 1.02)
        axes[0].set_ylabel("pairs turned")
        if has_text:
            axes[count].set_ylabel("KL on other text (nats per token)")
        return finish(axes, ax, title, legend=3)

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {"curves": tuple(map(_curve, fields["curves"]))}


def _curve(fields: dict[str, Any]) -> SteeringCurve:
    sweeps = {name: None if fields[name] is None else Sweep(**fields[name]) for name in MEASURES}
    task = None if fields.get("task") is None else PairTask(**fields["task"])
    return SteeringCurve(**{**fields, **sweeps, "task": task})


def _panel(axis: Axes, curve: SteeringCurve, sweep: Sweep) -> None:
    sweep.draw(axis, curve.counts)
    label_counts(axis, curve.counts, [str(count) for count in curve.counts])
