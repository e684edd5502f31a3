"""The best neurons of a ranking, and where they stand on other sentences."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from neurox_lite.plotting.texts import MOST, put_title, wrapped
from neurox_lite.results import RankIntervals

N_SHOWN = 30


def plot_rank_intervals(intervals: RankIntervals, title: str | None = None) -> Figure:
    """One bar per neuron from the low to the high rank, best neuron first; ranks from 1."""
    best = np.argsort(intervals.ranks)[:N_SHOWN]
    figure = Figure(figsize=(5.2, 1.4 + 0.2 * len(best)), layout="constrained")
    axis = figure.subplots()
    places = np.arange(len(best))
    low, high = np.array(intervals.low)[best] + 1, np.array(intervals.high)[best] + 1
    axis.hlines(places, low, high, color="#0072b2", linewidth=3, alpha=0.5)
    axis.plot(np.array(intervals.ranks)[best] + 1, places, "o", color="#0072b2", markersize=4)
    axis.set_yticks(places, [str(neuron) for neuron in intervals.space.neurons(best)], fontsize=7)
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_xlabel(f"rank ({100 * intervals.level:g} % interval over sentences)")
    k = len(best)
    stays = f"a resample keeps {100 * intervals.overlap(k):.0f} % of the top {k}"
    by_chance = f"by chance {100 * k / intervals.space.n_neurons:.0f} %"
    method = wrapped(intervals.method, 4.6, 10, most=2 * MOST)
    axis.set_title(f"{method}\n{stays} ({by_chance})", fontsize=10)
    axis.grid(alpha=0.3, axis="x")
    put_title(figure, title)
    return figure
