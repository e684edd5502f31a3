"""The heat map of a regularisation search."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from neurox_lite.plotting.texts import put_title, wrapped
from neurox_lite.results import RegularisationSearch


def plot_search(search: RegularisationSearch, title: str | None = None) -> Figure:
    """Score S by l1 and l2, each cell with its dev accuracy; a star marks what did not converge."""
    n_l1, n_l2 = len(search.l1s), len(search.l2s)
    width = 2.6 + 1.0 * n_l2
    figure = Figure(figsize=(width, 2.2 + 0.6 * n_l1), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(search.scores, cmap="viridis", aspect="auto", origin="lower")
    figure.colorbar(image, ax=axis, label="score S")
    axis.set_xticks(range(n_l2), [f"{value:g}" for value in search.l2s])
    axis.set_yticks(range(n_l1), [f"{value:g}" for value in search.l1s])
    axis.set_xlabel("l2")
    axis.set_ylabel("l1")
    middle = (np.min(search.scores) + np.max(search.scores)) / 2
    for i, row in enumerate(search.scores):
        for j, score in enumerate(row):
            mark = "" if search.converged[i][j] else "*"
            text = f"{score:.3f}\n{100 * search.accuracies[i][j]:.1f} %{mark}"
            color = "white" if score < middle else "black"
            axis.text(j, i, text, ha="center", va="center", fontsize=7, color=color)
    l1, l2 = search.best
    at = search.l2s.index(l2) - 0.5, search.l1s.index(l1) - 0.5
    color = "red" if search.at_edge else "black"
    axis.add_patch(Rectangle(at, 1, 1, fill=False, edgecolor=color, linewidth=2.5, clip_on=False))
    edge = f", at the edge: {', '.join(search.at_edge)}" if search.at_edge else ""
    axis.set_title(wrapped(f"best l1 = {l1:g}, l2 = {l2:g}{edge}", width - 1.8, 10), fontsize=10)
    put_title(figure, title)
    return figure
