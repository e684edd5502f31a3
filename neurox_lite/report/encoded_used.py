"""Encoded against used: for each neuron its place in a ranking, and what replacing it does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from neurox_lite import figures
from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, Given, wrapped
from neurox_lite.results.ranking import NeuronRanking

MARKED, PER_ROW = 5, 2


def plot_encoded_used(
    panels: Mapping[str, tuple[NeuronRanking, NeuronRanking]],
    effect: str = "effect (nats)",
    title: str | None = None,
    ax: Given = None,
) -> Figure:
    """A scatter of the neurons of each panel; those with the most effect are named.

    Parameters
    ----------
    panels : mapping of str to pairs of NeuronRanking
        By title: a ranking by what neurons encode, whose order is shown, and one whose scores are
        their causal effects, such as
        :func:`~neurox_lite.masking.baselines.rank_by_single_replacement`. Neurons without an effect
        (NaN) are left out.
    effect : str
        What the scores of the second are.
    title : str, optional
        What stands above all panels.
    ax : Axes or several, optional
        One per panel, to draw on instead of a new figure.

    Raises
    ------
    InputError
        When there is no panel, or two rankings of one are of different neurons.
    """
    if not panels:
        raise InputError("nothing to draw; give at least one panel")
    n_columns = min(PER_ROW, len(panels))
    n_rows = -(-len(panels) // n_columns)
    size = (4.6 * n_columns, 3.6 * n_rows)
    axes = figures.panels(ax, len(panels), size=size, n_columns=n_columns)
    for axis, (name, (encoded, used)) in zip(axes, panels.items(), strict=True):
        if encoded.space != used.space:
            raise InputError(f"{name}: rankings of different neurons; give two of the same model")
        places, effects = encoded.ranks + 1, used.scores
        known = ~np.isnan(effects)
        correlation = spearmanr(-encoded.tied_ranks[known], effects[known]).statistic
        axis.scatter(places[known], effects[known], s=10, alpha=0.5, color="#0072b2", linewidths=0)
        for column in used.order[:MARKED]:
            label = str(encoded.space.neurons([column])[0])
            axis.annotate(
                label,
                (places[column], effects[column]),
                fontsize=7,
                xytext=(3, 2),
                textcoords="offset points",
            )
        axis.set_xscale("log")
        method = figure_text(encoded.method, MOST)
        axis.set_xlabel(wrapped(f"place by {method} (1: encodes it best)", 3.8, 10))
        axis.set_title(wrapped(f"{name}: Spearman {correlation:.2f}", 3.8, 10), fontsize=10)
        axis.grid(alpha=0.3)
    for axis in axes[::n_columns]:
        axis.set_ylabel(figure_text(effect, MOST))
    return figures.finish(axes, ax, title)
