"""Encoded against used: for each neuron its place in a ranking, and what replacing it does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.plotting.texts import MOST, put_title, wrapped
from neurox_lite.results.ranking import NeuronRanking

MARKED, PER_ROW = 5, 2


def plot_encoded_used(
    panels: Mapping[str, tuple[NeuronRanking, NeuronRanking]],
    effect: str = "effect (nats)",
    title: str | None = None,
) -> Figure:
    """A scatter of the neurons of each panel; those with the most effect are named.

    Parameters
    ----------
    panels : mapping of str to pairs of NeuronRanking
        By title: a ranking by what neurons encode, whose order is shown, and one whose scores are
        their causal effects, such as
        :func:`~neurox_lite.ranking.in_model.rank_by_single_replacement`. Neurons without an effect
        (NaN) are left out.
    effect : str
        What the scores of the second are.
    title : str, optional
        What stands above all panels.

    Raises
    ------
    InputError
        When there is no panel, or two rankings of one are of different neurons.
    """
    if not panels:
        raise InputError("nothing to draw; give at least one panel")
    n_columns = min(PER_ROW, len(panels))
    n_rows = -(-len(panels) // n_columns)
    figure = Figure(figsize=(4.6 * n_columns, 3.6 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False)
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    for axis, (name, (encoded, used)) in zip(axes.flat, panels.items(), strict=False):
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
    for axis in axes[:, 0]:
        axis.set_ylabel(figure_text(effect, MOST))
    put_title(figure, title)
    return figure
