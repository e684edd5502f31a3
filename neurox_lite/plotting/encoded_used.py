"""Encoded against used: for each neuron its place in a ranking, and what replacing it does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from neurox_lite.errors import InputError
from neurox_lite.results.ranking import NeuronRanking

MARKED, PER_ROW = 5, 2


def plot_encoded_used(
    panels: Mapping[str, tuple[NeuronRanking, NeuronRanking]], effect: str = "effect (nats)"
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
    for axis, (title, (encoded, used)) in zip(axes.flat, panels.items(), strict=False):
        if encoded.space != used.space:
            raise InputError(f"{title}: rankings of different neurons; give two of the same model")
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
        axis.set_xlabel(f"place by {encoded.method} (1: encodes it best)")
        axis.set_title(f"{title}: Spearman {correlation:.2f}", fontsize=10)
        axis.grid(alpha=0.3)
    for axis in axes[:, 0]:
        axis.set_ylabel(effect)
    return figure
