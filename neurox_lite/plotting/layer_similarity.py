"""The heat map of the layers of two models."""

from __future__ import annotations

from textwrap import fill

from matplotlib.figure import Figure

from neurox_lite.plotting.texts import model_name, put_title
from neurox_lite.results import LayerSimilarity

NAMES = {"cka": "linear CKA", "svcca": "mean SVCCA correlation"}
MOST_NUMBERS = 16
"""Layers of a model up to which every cell has its number."""


def plot_layer_similarity(similarity: LayerSimilarity, title: str | None = None) -> Figure:
    """Layers of the first model upwards, of the other to the right."""
    n_rows, n_columns = len(similarity.layers), len(similarity.other_layers)
    size = (2.8 + 0.42 * n_columns, 1.6 + 0.38 * n_rows)
    figure = Figure(figsize=size, layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(similarity.matrix, cmap="viridis", vmin=0, vmax=1, origin="lower")
    figure.colorbar(image, ax=axis, label=NAMES[similarity.measure])
    axis.set_xticks(range(n_columns), [str(layer) for layer in similarity.other_layers])
    axis.set_yticks(range(n_rows), [str(layer) for layer in similarity.layers])
    axis.set_xlabel(fill(f"layer of {model_name(similarity.other)}", 30))
    axis.set_ylabel(fill(f"layer of {model_name(similarity.model)}", 30))
    if max(n_rows, n_columns) <= MOST_NUMBERS:
        for i, row in enumerate(similarity.matrix):
            for j, value in enumerate(row):
                color = "white" if value < 0.5 else "black"
                axis.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=7, color=color)
    put_title(figure, title)
    return figure
