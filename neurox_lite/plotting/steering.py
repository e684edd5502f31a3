"""The steering figure: what is turned, and what else changes, against the number of neurons."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurox_lite.plotting.texts import MOST, put_ticks, put_title, wrapped
from neurox_lite.results.steering import SteeredMeasure, SteeringCurve, SteeringCurves

WIDTH = 5.2


def plot_steering(curves: SteeringCurves, title: str | None = None) -> Figure:
    """Success above, KL on other text below if measured; one column per ranking."""
    has_text = all(curve.kl is not None for curve in curves.curves)
    n_rows, n_columns = 1 + has_text, len(curves.curves)
    figure = Figure(figsize=(WIDTH * n_columns, 3.6 * n_rows + 0.4), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharex="col", sharey="row")
    for column, curve in zip(axes.T, curves.curves, strict=True):
        how = "set to the mean" if curve.mode == "set" else f"translated, beta = {curve.strength:g}"
        name = wrapped(curve.method, WIDTH - 1.2, 10, most=2 * MOST)
        column[0].set_title(f"{name}\n{how}, {curve.n_pairs} pairs", fontsize=10)
        _panel(column[0], curve, curve.success)
        if curve.kl is not None and has_text:
            _panel(column[1], curve, curve.kl)
        column[-1].set_xlabel("neurons")
    axes[0, 0].set_ylim(-0.02, 1.02)
    axes[0, 0].set_ylabel("pairs turned")
    if has_text:
        axes[1, 0].set_ylabel("KL on other text (nats per token)")
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3, fontsize=8)
    put_title(figure, title)
    return figure


def _panel(axis: Axes, curve: SteeringCurve, measure: SteeredMeasure) -> None:
    axis.plot(curve.counts, measure.top, "o-", color="#0072b2", label="top")
    axis.plot(curve.counts, measure.bottom, "v-", color="#cc79a7", label="bottom")
    axis.plot(curve.counts, measure.random_mean, "-", color="0.5", label="random (mean, range)")
    axis.fill_between(
        curve.counts, measure.random_low, measure.random_high, color="0.5", alpha=0.25
    )
    axis.set_xscale("log")
    put_ticks(axis, curve.counts, [str(count) for count in curve.counts], WIDTH - 1.2)
    axis.minorticks_off()
    axis.grid(alpha=0.3)
