"""What the layers hold: salient neurons, and scores of their probes."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from neurox_lite.results import LayerScores


def plot_layers(counts: Mapping[int, int], title: str) -> Figure:
    """Bar chart of the number of salient neurons per layer."""
    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    axis = figure.subplots()
    axis.bar(range(len(counts)), list(counts.values()), color="#0072b2")
    axis.set_xticks(range(len(counts)), [str(layer) for layer in counts])
    axis.set_xlabel("layer")
    axis.set_ylabel("salient neurons")
    axis.set_title(title, fontsize=10)
    return figure


def plot_layer_scores(scores: LayerScores) -> Figure:
    """Scores of the probes of single layers and of growing stacks of layers."""
    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    axis = figure.subplots()
    places = range(len(scores.layers))
    axis.plot(places, scores.separate, "o-", color="#0072b2", label="this layer")
    axis.plot(places, scores.cumulative, "s-", color="#d55e00", label="layers up to this one")
    axis.axhline(scores.baseline, color="0.4", linestyle=":", label="no neuron")
    axis.set_xticks(places, [str(layer) for layer in scores.layers])
    axis.set_xlabel("layer")
    axis.set_ylabel(f"test {scores.metric}")
    axis.legend(fontsize=8)
    axis.grid(alpha=0.3)
    return figure
