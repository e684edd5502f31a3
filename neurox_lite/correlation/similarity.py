"""How similar the layers of two models are."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.activations.inputs import validate_activations, validate_space
from neurox_lite.choices import unknown_choice
from neurox_lite.correlation.cca import correlate_components, principal
from neurox_lite.correlation.cross_moments import CrossMoments, cross_moments
from neurox_lite.errors import InputError
from neurox_lite.figures import Given, finish, known_title, model_name, panels, put_ticks
from neurox_lite.neurons import NeuronSpace
from neurox_lite.public_names import public_name
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


NAMES = {"cka": "linear CKA", "svcca": "mean SVCCA correlation"}

MOST_INCHES = 12.0
"""Side of a heat map; of more layers the cells become smaller."""

MOST_NUMBERS = 16
"""Layers of a model up to which every cell has its number."""


@dataclass(frozen=True)
class LayerSimilarity(SavedResult):
    """A similarity between 0 and 1 for every layer of one model and every layer of another.

    ``measure`` is ``"cka"`` or ``"svcca"``; ``model`` and ``other`` are names. ``matrix`` has one
    row for each of ``layers`` and one column for each of ``other_layers``.
    """

    measure: str
    model: str
    other: str
    layers: tuple[int, ...]
    other_layers: tuple[int, ...]
    matrix: tuple[tuple[float, ...], ...]

    KIND = "layer similarity"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        title = f"LayerSimilarity ({self.measure}) of {self.model} and {self.other}"
        best = [
            (max(row), layer, self.other_layers[row.index(max(row))])
            for layer, row in zip(self.layers, self.matrix, strict=True)
        ]
        lines = (f"layer {one} is most like {other}: {value:.3f}" for value, one, other in best)
        return summary(title, {"layers": f"{len(self.layers)} and {len(self.other_layers)}"}, lines)

    @property
    def is_of_one_model(self) -> bool:
        """Whether both have the same name, as two sites of a model do."""
        return public_name(self.model) == public_name(self.other)

    def table(self) -> Table:
        """A header, and a row per pair of layers."""
        rows: Table = [["layer", "other_layer", "similarity"]]
        for layer, row in zip(self.layers, self.matrix, strict=True):
            rows += [[layer, o, value] for o, value in zip(self.other_layers, row, strict=True)]
        return rows

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Heat map, layers of the first model upwards, of the other to the right."""
        n_rows, n_columns = len(self.layers), len(self.other_layers)
        side = min(0.42, MOST_INCHES / max(n_rows, n_columns))
        width, height = max(side * n_columns, 1.6), max(side * n_rows, 2.4)
        axes = panels(ax, size=(2.8 + width, 1.6 + height))
        axis = axes[0]
        image = axis.imshow(
            self.matrix, cmap="viridis", vmin=0, vmax=1, origin="lower", aspect="auto"
        )
        axis.figure.colorbar(image, ax=axis, label=NAMES[self.measure])
        put_ticks(axis, range(n_columns), [str(layer) for layer in self.other_layers], width)
        every = max(1, round(0.2 / side))  # inches that a number needs
        places = range(0, n_rows, every)
        axis.set_yticks(places, [str(self.layers[place]) for place in places])
        axis.set_xlabel(fill(f"layer of {model_name(self.other)}", 30))
        axis.set_ylabel(fill(f"layer of {model_name(self.model)}", 24))
        if max(n_rows, n_columns) <= MOST_NUMBERS:
            for (i, j), value in np.ndenumerate(np.array(self.matrix)):
                color = "white" if value < 0.5 else "black"
                axis.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=7, color=color)
        models = public_name(self.model)
        if not self.is_of_one_model:
            models += f" and {public_name(self.other)}"
        return finish(axes, ax, known_title(ax, title, models))


MEASURES = ("cka", "svcca")

VARIANCE = 0.99


def layer_similarity(
    X: Any,
    other: Any,
    *,
    space: NeuronSpace | None = None,
    other_space: NeuronSpace | None = None,
    measure: str = "cka",
) -> LayerSimilarity:
    """Compare every layer of one model with every layer of another, in one pass over both.

    ``"cka"`` is linear centred kernel alignment (Kornblith et al. 2019), of centred
    layers A and B::

        ||A'B||^2 / (||A'A|| ||B'B||)      Frobenius norms

    ``"svcca"`` is the mean canonical correlation between the principal components that hold 99 %
    of the variance of each layer (Raghu et al. 2017). Both are between 0 and 1, and the same for
    rotated or scaled layers. Memory: the covariances between all layers and within each.

    Parameters
    ----------
    X, other : (n, n_neurons) arrays, tensors or stores' matrices
        Of the same words.
    space, other_space : NeuronSpace, optional
        The layers of an array; a store's matrix knows its own.
    measure : {"cka", "svcca"}

    Raises
    ------
    InputError
        When the measure is another, the matrices differ in rows or hold NaN or infinity, a space
        does not fit, a layer is constant or, for SVCCA, has as many principal components as words.
    """
    if measure not in MEASURES:
        raise unknown_choice("measure", measure, MEASURES)
    X, other = validate_activations(X), validate_activations(other, "other")
    spaces = validate_space(space, X), validate_space(other_space, other, "other_space")
    rows, columns = ([each.columns(layer) for layer in each.layers] for each in spaces)
    moments = cross_moments(X, other, rows, columns)
    for its_space, side in zip(spaces, (moments.x, moments.y), strict=True):
        for layer in its_space.layers:
            if not side.std[its_space.columns(layer)].any():
                raise InputError(f"layer {layer} of {its_space.model} is constant; leave it out")
    matrix = (_cka if measure == "cka" else _svcca)(moments, rows, columns)
    return LayerSimilarity(
        measure=measure,
        model=spaces[0].model,
        other=spaces[1].model,
        layers=spaces[0].layers,
        other_layers=spaces[1].layers,
        matrix=tuple(map(tuple, matrix.clip(0, 1).tolist())),
    )


def _cka(moments: CrossMoments, rows: list[slice], columns: list[slice]) -> np.ndarray:
    between = [
        [np.linalg.norm(moments.covariance[run, column]) ** 2 for column in columns] for run in rows
    ]
    own = [np.linalg.norm(covariance) for covariance in moments.x.covariances]
    others = [np.linalg.norm(covariance) for covariance in moments.y.covariances]
    return np.array(between) / np.outer(own, others)


def _svcca(moments: CrossMoments, rows: list[slice], columns: list[slice]) -> np.ndarray:
    own = [principal(covariance, VARIANCE) for covariance in moments.x.covariances]
    others = [principal(covariance, VARIANCE) for covariance in moments.y.covariances]

    def mean_correlation(i: int, j: int) -> float:
        between = moments.covariance[rows[i], columns[j]]
        components = correlate_components(own[i], others[j], between, moments.x.n_rows)
        return np.linalg.svd(components, compute_uv=False).clip(0, 1).mean()

    return np.array([[mean_correlation(i, j) for j in range(len(others))] for i in range(len(own))])
