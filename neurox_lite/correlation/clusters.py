"""Groups of neurons that say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.activations.access import space_of
from neurox_lite.activations.inputs import validate_activations
from neurox_lite.activations.moments import covariances
from neurox_lite.arguments import real_number
from neurox_lite.errors import InputError
from neurox_lite.figures import Given, finish, known_title, panels, put_ticks
from neurox_lite.neurons import NeuronSpace
from neurox_lite.results.html import as_html
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, some, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class NeuronClusters(SavedResult):
    """Every neuron is in one cluster.

    Attributes
    ----------
    space : NeuronSpace
    threshold : float
        Distance up to which clusters were joined.
    numbers : (n_neurons,) tuple of int
        Cluster of every column, numbered from 0 by first column.
    """

    space: NeuronSpace
    threshold: float
    numbers: tuple[int, ...]

    KIND = "neuron clusters"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        sizes = sorted(np.bincount(self.numbers).tolist(), reverse=True)
        facts = {"clusters": self.n_clusters, "alone": sizes.count(1), "threshold": self.threshold}
        title = f"NeuronClusters of {self.space.n_neurons} neurons"
        return summary(title, facts, [f"largest {some(sizes)}"])

    def table(self) -> Table:
        """A header, and a row per neuron."""
        neurons = self.space.neurons(range(self.space.n_neurons))
        pairs = zip(neurons, self.numbers, strict=True)
        return [["layer", "unit", "cluster"], *([*neuron, number] for neuron, number in pairs)]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Neurons by the size of their cluster, in one layer or across layers.

        Sizes stand together up to twice as large: 1, 2, 3 and 4, 5 to 8, ...
        """
        axes = panels(ax, size=(5.6, 3.8))
        axis = axes[0]
        sizes = np.bincount(self.numbers)
        doublings = np.ceil(np.log2(sizes)).astype(int)
        of_layer = np.repeat(np.arange(len(self.space.layers)), self.space.widths)
        pairs = np.unique(np.stack([self.numbers, of_layer]), axis=1)
        is_across = np.bincount(pairs[0]) > 1
        below = np.zeros(doublings.max() + 1)
        parts = (
            ("in one layer", ~is_across, "#0072b2", ""),
            ("across layers", is_across, "#e69f00", "//"),
        )
        for label, chosen, colour, hatch in parts:
            neurons = np.bincount(doublings[chosen], sizes[chosen], minlength=len(below))
            axis.bar(
                range(len(below)), neurons, bottom=below, color=colour, hatch=hatch,
                edgecolor="white", label=label,
            )  # fmt: skip
            below += neurons
        names = [f"{2**n // 2 + 1}-{2**n}" if n > 1 else str(n + 1) for n in range(len(below))]
        put_ticks(axis, range(len(below)), names, 4.8)
        axis.set_xlim(-0.6, max(len(below), 3) - 0.4)
        axis.set_ylim(0, 1.05 * below.max())
        axis.set_xlabel(f"neurons of a cluster (distance up to {self.threshold:g})")
        axis.set_ylabel("neurons in such clusters")
        axis.set_title(
            f"{self.n_clusters:,} clusters of {len(self.numbers):,} neurons", fontsize=10
        )
        return finish(axes, ax, known_title(ax, title, self.space.model), legend=2)

    @property
    def n_clusters(self) -> int:
        return max(self.numbers) + 1

    @property
    def independent(self) -> np.ndarray:
        """Columns, ascending, of the neurons alone in their cluster."""
        return np.flatnonzero(np.bincount(self.numbers)[list(self.numbers)] == 1)

    def members(self) -> list[np.ndarray]:
        """Columns, ascending, of every cluster; ``space.neurons`` names them."""
        order = np.argsort(self.numbers, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.numbers))[:-1])

    def representatives(self, ranking: NeuronRanking) -> np.ndarray:
        """The column of every cluster that a ranking puts first, in the order of the ranking.

        Raises
        ------
        InputError
            When the ranking is of other neurons.
        """
        if ranking.space != self.space:
            raise InputError(f"'{ranking.method}' ranks other neurons than those in the clusters")
        _, first = np.unique(np.array(self.numbers)[ranking.order], return_index=True)
        return ranking.order[np.sort(first)]

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {"space": NeuronSpace.from_dict(fields["space"])}


def correlation_clusters(X: Any, *, threshold: float = 0.5) -> NeuronClusters:
    """Cluster neurons by their correlation (Dalvi et al. 2020, Analyzing redundancy).

    Average linkage on the distances ``1 - |rho|`` of neurons over all words; clusters are joined
    while their distance is at most the threshold. A constant neuron is a cluster of its own.
    Memory: four times n_neurons squared in float64.

    Parameters
    ----------
    X : (n, n_neurons) array, tensor or store's matrix
    threshold : float
        Between 0 and 1. The larger, the fewer clusters.

    Raises
    ------
    InputError
        When the threshold is outside, or an activation is NaN or infinite.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    X, threshold = validate_activations(X), real_number(threshold, "threshold")
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold is {threshold}; give a distance 1 - |r| from 0 to 1")
    found = covariances(X, [slice(None)])
    varies = np.flatnonzero(~found.is_constant)
    # Every neuron is alone, unless linkage gives it a lower number together with others.
    labels = len(found.mean) + 1 + np.arange(len(found.mean))
    if len(varies) > 1:
        distances = _distances(found.covariances[0], varies, found.scale)
        labels[varies] = fcluster(linkage(distances, "average"), threshold, "distance")
    _, first, number = np.unique(labels, return_index=True, return_inverse=True)
    in_order = np.argsort(np.argsort(first))  # clusters are numbered by their first column
    return NeuronClusters(space_of(X), threshold, tuple(in_order[number].tolist()))


def _distances(covariance: np.ndarray, columns: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """``1 - |rho|`` of all pairs of columns, as scipy wants them: row by row, each pair once."""
    rows = [
        np.abs(covariance[column, columns[place + 1 :]] * scale[columns[place + 1 :]])
        * scale[column]
        for place, column in enumerate(columns)
    ]
    return (1 - np.concatenate(rows)).clip(min=0)
