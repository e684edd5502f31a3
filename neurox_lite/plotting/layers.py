"""Where the salient neurons are: a bar per layer."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure


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
