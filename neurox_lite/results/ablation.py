"""Ablation curves: what is lost when neurons are removed, in the order of a ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.figures import MOST, Given, finish, panels, wrapped
from neurox_lite.results.html import as_html
from neurox_lite.results.pair_task import PairTask
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.sweep import OTHER_STYLES, WIDTH, Sweep, label_counts
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


PER_ROW = 4

PER_CURVE = ("method", "retrained", "replacement", "metric", "intact")

COLUMNS = {
    "keep_top": ("keep", "top"),
    "remove_top": ("remove", "top"),
    "keep_bottom": ("keep", "bottom"),
    "random_mean": ("keep", "random_mean"),
    "random_low": ("keep", "random_low"),
    "random_high": ("keep", "random_high"),
    "remove_bottom": ("remove", "bottom"),
    "remove_random_mean": ("remove", "random_mean"),
    "remove_random_low": ("remove", "random_low"),
    "remove_random_high": ("remove", "random_high"),
}
"""Of the table, and keys of files by earlier versions: which sweep, and what of it."""


@dataclass(frozen=True)
class AblationCurve:
    """How well a property is predicted from a growing share of a ranking's neurons.

    Attributes
    ----------
    method : str
        Of the ranking.
    retrained : bool
        Whether a probe was fitted on the kept neurons alone, or stayed as it was.
    replacement : str
        What removed neurons are replaced by.
    metric : str
    n_neurons : int
    shares, counts : tuples
        How many neurons are kept or removed, as shares of all and as numbers.
    keep : Sweep
        When only these neurons are kept.
    remove : Sweep
        When only these are removed; on activations only of the top.
    converged : bool
        False when a probe behind the curve did not converge.
    task : PairTask, optional
        Of minimal pairs, whether the intact model can do what they ask.
    units : str
        What is kept or removed: neurons, or groups of them such as heads, which all numbers count.
    """

    method: str
    retrained: bool
    replacement: str
    metric: str
    n_neurons: int
    shares: tuple[float, ...]
    counts: tuple[int, ...]
    keep: Sweep
    remove: Sweep
    converged: bool
    task: PairTask | None = None
    units: str = "neurons"

    @property
    def intact(self) -> float:
        """The metric of the intact model or probe."""
        return self.keep.intact

    @property
    def holds(self) -> bool:
        """Whether probes converged and the intact model can do the task, where there is one."""
        return self.converged and (self.task is None or self.task.holds)

    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        return summary(f"AblationCurve of {self._said()}", self._facts())

    def _said(self) -> str:
        how = "retrained" if self.retrained else f"others replaced by {self.replacement}"
        found = f"{self.metric} {self.intact:.4g} with all {self.n_neurons} {self.units}"
        return f"{self.method}, {how}: {found}"

    def _facts(self) -> dict[str, object]:
        counts = _ends([str(n) for n in self.counts], "-")
        return {
            "top": f"{counts} keeps {_ends(_short(self.keep.top))}",
            "random": _ends(_short(self.keep.random_mean)),
            "converged": self.converged,
        }

    def table(self) -> Table:
        """A header, and a row per share."""
        return AblationCurves((self,)).table()

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """One panel of :meth:`AblationCurves.plot`."""
        return AblationCurves((self,)).plot(ax, title=title)

    @property
    def area_below_random(self) -> float:
        """Mean over shares of remove-random minus remove-top; negative where less is better.

        Raises
        ------
        InputError
            When random neurons were not removed.
        """
        if not self.remove.random_mean:
            raise InputError(
                f"'{self.method}': no random neurons were removed; ablate in the model"
            )
        return float(np.mean(np.subtract(self.remove.random_mean, self.remove.top)))

    @property
    def area_above_random(self) -> float:
        """Mean over shares of keep-top minus the mean of random; 0 for a random ranking."""
        return float(np.mean(np.subtract(self.keep.top, self.keep.random_mean)))


@dataclass(frozen=True)
class AblationCurves(SavedResult):
    """One curve per ranking and way of evaluating, on the same shares and the same random sets."""

    curves: tuple[AblationCurve, ...]

    KIND = "ablation curves"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        return summary("AblationCurves", {"curves": len(self.curves)}, map(_line, self.curves))

    def table(self) -> Table:
        """A header, and a row per curve and share; cells of what was not measured are None."""
        names = [name for name in COLUMNS if any(_column(curve, name) for curve in self.curves)]
        rows: Table = [[*PER_CURVE, "share", self.curves[0].units, *names]]
        for curve in self.curves:
            same = [getattr(curve, name) for name in PER_CURVE]
            values = [_column(curve, name) for name in names]
            for i, (share, count) in enumerate(zip(curve.shares, curve.counts, strict=True)):
                cells = [of_share[i] if of_share else None for of_share in values]
                rows.append([*same, share, count, *cells])
        return rows

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """One panel per curve: top, all but the top, bottom, and the band of random sets."""
        count = len(self.curves)
        n_rows = -(-count // (2 if count <= PER_ROW else PER_ROW))
        n_columns = -(-count // n_rows)
        height = 4.2 * n_rows + 0.6
        size = (WIDTH * n_columns + 0.8, height)
        axes = panels(ax, count, size=size, n_columns=n_columns, sharey=True)
        for axis, curve in zip(axes, self.curves, strict=True):
            _panel(axis, curve)
        if self.curves[0].metric in ("accuracy", "R2"):
            axes[0].set_ylim(_lowest(self), 1.02)
        for axis in axes[::n_columns]:
            axis.set_ylabel(self.curves[0].metric)
        return finish(axes, ax, title, legend=3)

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {"curves": tuple(map(_curve, fields["curves"]))}


def _column(curve: AblationCurve, name: str) -> tuple[float, ...]:
    sweep, part = COLUMNS[name]
    return getattr(getattr(curve, sweep), part)


def _line(curve: AblationCurve) -> str:
    facts = curve._facts()
    return f"{curve._said()}, top {facts['top']}, random {facts['random']}"


def _curve(fields: dict[str, Any]) -> AblationCurve:
    task = None if fields.get("task") is None else PairTask(**fields["task"])
    if "keep" not in fields:
        fields = _with_sweeps(fields)
    sweeps = {name: Sweep(**fields[name]) for name in ("keep", "remove")}
    return AblationCurve(**{**fields, **sweeps, "task": task})


def _with_sweeps(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a curve, from those of a file by an earlier version."""
    sweeps = {name: {"intact": fields["intact"]} for name in ("keep", "remove")}
    for name, (sweep, part) in COLUMNS.items():
        sweeps[sweep][part] = fields.get(name, ())
    return {k: v for k, v in fields.items() if k not in COLUMNS and k != "intact"} | sweeps


def _lowest(curves: AblationCurves) -> float:
    """Where the axis starts: a little below the least value, an R2 not below -1."""
    sweeps = [sweep for curve in curves.curves for sweep in (curve.keep, curve.remove)]
    parts = [(*each.top, *each.bottom, *each.random_low) for each in sweeps]
    least = min(map(min, filter(None, parts)))
    return max(least - 0.05 * (1 - least), 0.0 if least >= 0 else -1.0)


def _panel(axis: Axes, curve: AblationCurve) -> None:
    percent = [100 * share for share in curve.shares]
    axis.axhline(curve.intact, color="0.4", linewidth=0.8, label=f"all {curve.units}")
    curve.keep.draw(axis, percent, ("top only", "bottom only", "random only (mean, range)"))
    removed = ("all but the top", "all but the bottom", "all but random")
    curve.remove.draw(axis, percent, removed, OTHER_STYLES)
    label_counts(axis, percent, [f"{value:g}" for value in percent])
    axis.set_xlabel(f"{curve.units} (%)")
    how = "probe retrained" if curve.retrained else f"probe frozen, others {curve.replacement}"
    if curve.remove.random_mean:
        how = f"in the model, replaced by {curve.replacement}"
    name = wrapped(curve.method, WIDTH - 1.2, 10, most=2 * MOST)
    axis.set_title(f"{name}\n{how}", fontsize=10)


def _short(values: Sequence[float]) -> list[str]:
    return [f"{value:.4g}" for value in values]


def _ends(shown: Sequence[str], between: str = " to ") -> str:
    """The first and the last; of a single share that one."""
    return shown[0] if len(shown) == 1 else f"{shown[0]}{between}{shown[-1]}"
