"""The ablation figure: accuracy against the share of neurons."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurox_lite.plotting.texts import MOST, put_ticks, put_title, wrapped
from neurox_lite.results import AblationCurve, AblationCurves

PER_ROW = 4
WIDTH = 5.2


def plot_ablation(curves: AblationCurves, title: str | None = None) -> Figure:
    """One panel per curve: top, all but top, bottom, and the band of random sets."""
    count = len(curves.curves)
    n_columns = min(count, PER_ROW)
    n_rows = -(-count // n_columns)
    figure = Figure(figsize=(WIDTH * n_columns + 0.8, 4.2 * n_rows + 0.6), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True)
    for axis in axes.flat[count:]:
        axis.remove()
    for axis, curve in zip(axes.flat, curves.curves, strict=False):
        _panel(axis, curve)
    if curves.curves[0].metric in ("accuracy", "R2"):
        axes[0, 0].set_ylim(_lowest(curves), 1.02)
    for axis in axes[:, 0]:
        axis.set_ylabel(curves.curves[0].metric)
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3, fontsize=8)
    put_title(figure, title)
    return figure


def _lowest(curves: AblationCurves) -> float:
    """Where the axis starts: at 0, or at the least R2, but not below -1."""
    columns = [
        (*curve.keep_top, *curve.remove_top, *curve.keep_bottom, *curve.random_low)
        for curve in curves.curves
    ]
    return max(min(0.0, *map(min, columns)), -1.0)


def _panel(axis: Axes, curve: AblationCurve) -> None:
    percent = [100 * share for share in curve.shares]
    axis.axhline(curve.intact, color="0.4", linestyle=":", label="all neurons")
    axis.plot(percent, curve.keep_top, "o-", color="#0072b2", label="top only")
    axis.plot(percent, curve.remove_top, "s-", color="#d55e00", label="all but the top")
    axis.plot(percent, curve.keep_bottom, "v-", color="#cc79a7", label="bottom only")
    axis.plot(percent, curve.random_mean, "-", color="0.5", label="random only (mean, range)")
    axis.fill_between(percent, curve.random_low, curve.random_high, color="0.5", alpha=0.25)
    if curve.remove_random_mean:
        axis.plot(percent, curve.remove_bottom, "^-", color="#e69f00", label="all but the bottom")
        axis.plot(percent, curve.remove_random_mean, "--", color="0.5", label="all but random")
        axis.fill_between(
            percent, curve.remove_random_low, curve.remove_random_high, color="0.7", alpha=0.25
        )
    axis.set_xscale("log")
    put_ticks(axis, percent, [f"{value:g}" for value in percent], WIDTH - 1.2)
    axis.minorticks_off()
    axis.set_xlabel("neurons (%)")
    how = "probe retrained" if curve.retrained else f"probe frozen, others {curve.replacement}"
    if curve.remove_random_mean:
        how = f"in the model, replaced by {curve.replacement}"
    name = wrapped(curve.method, WIDTH - 1.2, 10, most=2 * MOST)
    axis.set_title(f"{name}\n{how}", fontsize=10)
    axis.grid(alpha=0.3)
