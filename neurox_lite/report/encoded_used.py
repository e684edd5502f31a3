"""Encoded against used: for each neuron its place in a ranking, and what replacing it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from neurox_lite import figures
from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, POINTS_PER_CHARACTER, Given, wrapped
from neurox_lite.results.ranking import NeuronRanking

MARKED, PER_ROW = 5, 2

PANEL = (3.6, 2.7)
"""Width and height of the axes of a panel, in inches, at least."""

NAME_SIZE = 7.0
"""Of a name, in points."""


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
        figures.log_scale(axis, 1, encoded.space.n_neurons)
        axis.margins(y=0.1)  # a name has room above the highest point
        top = used.order[:MARKED]
        names = [str(neuron) for neuron in encoded.space.neurons(top)]
        _put_names(axis, places[top], effects[top], names)
        method = figure_text(encoded.method, MOST)
        axis.set_xlabel(wrapped(f"place by {method} (1: encodes it best)", 3.8, 10))
        axis.set_title(wrapped(f"{name}: Spearman {correlation:.2f}", 3.8, 10), fontsize=10)
        axis.grid(alpha=0.3)
    for axis in axes[::n_columns]:
        axis.set_ylabel(figure_text(effect, MOST))
    return figures.finish(axes, ax, title)


def _put_names(axis: Axes, places: np.ndarray, effects: np.ndarray, names: Sequence[str]) -> None:
    """Names of points, each at a corner, or a line further off, where it is over no other."""
    (left, right), (low, high) = np.log10(axis.get_xlim()), axis.get_ylim()
    x = 72 * PANEL[0] * (np.log10(places) - left) / (right - left)
    y = 72 * PANEL[1] * (effects - low) / (high - low)
    taken: list[tuple[float, float, float, float]] = []
    for place, effect, at_x, at_y, name in zip(places, effects, x, y, names, strict=True):
        width, height = NAME_SIZE * POINTS_PER_CHARACTER * len(name), 1.3 * NAME_SIZE
        for across, up in product((3, -3), (2, -2, 12, -12)):
            ends = sorted((at_x + across, at_x + across + np.sign(across) * width))
            heights = sorted((at_y + up, at_y + up + np.sign(up) * height))
            box = (*ends, *heights)
            if ends[1] <= 72 * PANEL[0] and not any(_overlap(box, other) for other in taken):
                break
        taken.append(box)
        axis.annotate(
            name,
            (place, effect),
            xytext=(across, up),
            textcoords="offset points",
            ha="left" if across > 0 else "right",
            va="bottom" if up > 0 else "top",
            fontsize=NAME_SIZE,
        )


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
