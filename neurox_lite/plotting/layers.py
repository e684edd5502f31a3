"""What the layers hold: salient neurons, and scores of their probes."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurox_lite.plotting.texts import MOST, put_ticks, put_title, wrapped
from neurox_lite.results import LayerScores


def plot_layers(counts: Mapping[int, int], method: str, title: str | None = None) -> Figure:
    """Bar chart of the number of salient neurons per layer."""
    width = _width(len(counts))
    figure = Figure(figsize=(width, 3.2), layout="constrained")
    axis = figure.subplots()
    axis.bar(range(len(counts)), list(counts.values()), color="#0072b2")
    put_ticks(axis, range(len(counts)), [str(layer) for layer in counts], width - 1)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("layer")
    axis.set_ylabel("salient neurons")
    axis.set_title(wrapped(method, width - 1, 10, most=2 * MOST), fontsize=10)
    put_title(figure, title)
    return figure


def plot_layer_scores(scores: LayerScores, title: str | None = None) -> Figure:
    """Scores of the probes of single layers and of growing stacks of layers."""
    width = _width(len(scores.layers))
    figure = Figure(figsize=(width, 3.9), layout="constrained")
    axis = figure.subplots()
    places = range(len(scores.layers))
    axis.plot(places, scores.separate, "o-", color="#0072b2", label="this layer")
    axis.plot(places, scores.cumulative, "s-", color="#d55e00", label="layers up to this one")
    axis.axhline(scores.baseline, color="0.4", linestyle=":", label="no neuron")
    put_ticks(axis, places, [str(layer) for layer in scores.layers], width - 1)
    axis.set_xlabel("layer")
    axis.set_ylabel(f"test {scores.metric}")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    axis.grid(alpha=0.3)
    put_title(figure, title)
    return figure


def _width(n_layers: int) -> float:
    """In inches; layers of large models have room, too."""
    return min(max(5.2, 1.2 + 0.25 * n_layers), 20)
