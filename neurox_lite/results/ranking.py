"""A ranking: all neurons of a space in order of importance."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.files import read_json, write_json, write_text
from neurox_lite.neurons import Neuron, NeuronSpace

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class NeuronRanking:
    """A total order over all neurons of a space, most important first.

    Parameters
    ----------
    space : NeuronSpace
    order : (n_neurons,) int array
        Columns, most important first.
    scores : (n_neurons,) float array
        Score of each column (not in the order of the ranking).
    method : str
    classes : tuple of str
        Classes of ``class_scores``; empty when the method has none.
    class_scores : (n_classes, n_neurons) float array, optional
        Non-negative importance of each column for each class.
    parameters, provenance : dict
        What the method was given, and what it was computed from; JSON-ready.

    Raises
    ------
    InputError
        When ``order`` is not a permutation of all neurons or a shape does not fit.
    """

    space: NeuronSpace
    order: np.ndarray
    scores: np.ndarray
    method: str
    classes: tuple[str, ...] = ()
    class_scores: np.ndarray | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = self.space.n_neurons
        if self.order.shape != (n,) or not np.array_equal(np.sort(self.order), np.arange(n)):
            raise InputError(f"ranking '{self.method}': the order is no permutation of {n} neurons")
        if self.scores.shape != (n,):
            raise InputError(f"ranking '{self.method}': {self.scores.shape} scores for {n} neurons")
        if self.class_scores is not None and self.class_scores.shape != (len(self.classes), n):
            raise InputError(f"ranking '{self.method}': class scores have the wrong shape")

    @classmethod
    def from_scores(
        cls, space: NeuronSpace, scores: np.ndarray, method: str, **details: Any
    ) -> NeuronRanking:
        """Rank by decreasing score; ties by column, NaN last."""
        scores = np.asarray(scores, dtype=np.float64)
        order = np.argsort(-scores, kind="stable")
        return cls(space, order, scores, method, **details)

    def top(self, k: int) -> list[Neuron]:
        """The k most important neurons, best first."""
        return self.space.neurons(self.order[: self._checked(k)])

    def bottom(self, k: int) -> list[Neuron]:
        """The k least important neurons, worst first."""
        return self.space.neurons(self.order[::-1][: self._checked(k)])

    def mask(self, k: int) -> np.ndarray:
        """True for the columns of the top k; shape (n_neurons,)."""
        mask = np.zeros(self.space.n_neurons, dtype=bool)
        mask[self.order[: self._checked(k)]] = True
        return mask

    def _checked(self, k: int) -> int:
        if not 0 <= k <= self.space.n_neurons:
            raise InputError(f"k is {k}; give a number from 0 to {self.space.n_neurons}")
        return k

    def salient(self, mass: float = 0.25) -> dict[str, np.ndarray]:
        """Per class, the fewest columns that hold a share of its importance, best first.

        Dalvi et al. 2019: the neurons up to a cumulative share ``mass`` of a class's weights. A
        class without any importance has none.

        Raises
        ------
        InputError
            When the method gives no scores per class, or ``mass`` is not between 0 and 1.
        """
        if self.class_scores is None:
            raise InputError(f"ranking '{self.method}' has no scores per class")
        if not 0 <= mass <= 1:
            raise InputError(f"mass is {mass}; give a share from 0 to 1")
        lists = {}
        for name, scores in zip(self.classes, self.class_scores, strict=True):
            order = np.argsort(-scores, kind="stable")
            ahead = np.concatenate(([0.0], np.cumsum(scores[order], dtype=np.float64)[:-1]))
            # Neurons are added while the mass ahead of them is still short of the share asked.
            # All of it is all neurons with a weight, also one too small to change the sum.
            short = ahead < (mass * scores.sum() if mass < 1 else np.inf)
            lists[name] = order[short & (scores[order] > 0)]
        return lists

    def per_layer(self, k: int | None = None, *, mass: float = 0.25) -> dict[int, int]:
        """Number of salient neurons per layer.

        Parameters
        ----------
        k : int, optional
            Count the top k; by default the union over classes of :meth:`salient`.
        mass : float
            Share of each class's importance, when ``k`` is not given.
        """
        if k is not None:
            return self.space.count_per_layer(self.order[: self._checked(k)])
        union = np.unique(np.concatenate(list(self.salient(mass).values())))
        return self.space.count_per_layer(union)

    def overlap(self, other: NeuronRanking, k: int) -> float:
        """Share of the top k that both rankings have.

        Raises
        ------
        InputError
            When they rank different neurons.
        """
        if self.space != other.space:
            raise InputError(f"'{self.method}' and '{other.method}' rank different neurons")
        return float(np.sum(self.mask(k) & other.mask(k)) / k) if k else 0.0

    def to_pandas(self) -> pandas.DataFrame:
        """One row per neuron, best first: rank, layer, unit, score, one column per class."""
        import pandas

        header, *rows = self._table()
        return pandas.DataFrame(rows, columns=header)

    def plot(self, k: int | None = None, *, mass: float = 0.25) -> Figure:
        """Bar chart of :meth:`per_layer`."""
        from neurox_lite.plotting.layers import plot_layers

        return plot_layers(self.per_layer(k, mass=mass), self.method)

    def save(self, path: str | Path) -> None:
        """Write the ranking as ``.json`` (everything) or ``.csv`` (a table, best first)."""
        if Path(path).suffix == ".csv":
            write_text(path, self._csv())
            return
        if Path(path).suffix != ".json":
            raise InputError(f"{path}: a ranking is saved as .json or .csv; choose such a name")
        write_json(
            path,
            {
                "kind": "neuron ranking",
                "method": self.method,
                "space": self.space.to_dict(),
                "parameters": dict(self.parameters),
                "provenance": dict(self.provenance),
                "order": self.order.tolist(),
                "scores": _nan_as_none(self.scores),
                "classes": list(self.classes),
                "class_scores": None
                if self.class_scores is None
                else [_nan_as_none(row) for row in self.class_scores],
            },
        )

    def _csv(self) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(self._table())
        return text.getvalue()

    def _table(self) -> list[list[Any]]:
        """A header, and one row per neuron, best first."""
        rows: list[list[Any]] = [["rank", "layer", "unit", "score", *self.classes]]
        for rank, column in enumerate(self.order.tolist(), start=1):
            neuron = self.space.neuron(column)
            per_class = [] if self.class_scores is None else self.class_scores[:, column].tolist()
            score = float(self.scores[column])
            rows.append([rank, neuron.layer, neuron.unit, score, *per_class])
        return rows

    @classmethod
    def load(cls, path: str | Path) -> NeuronRanking:
        """Read a ranking written as JSON.

        Raises
        ------
        InputError
            When the file is missing or holds no ranking.
        """
        data = read_json(path)
        if not isinstance(data, dict) or data.get("kind") != "neuron ranking":
            raise InputError(f"{path}: holds no neuron ranking; make one with 'rank'")
        try:
            return cls._from_dict(data)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: the ranking is damaged ({error}); make it again") from None

    @classmethod
    def _from_dict(cls, data: dict[str, Any]) -> NeuronRanking:
        class_scores = data["class_scores"]
        return cls(
            space=NeuronSpace.from_dict(data["space"]),
            order=np.array(data["order"], dtype=np.int64),
            scores=np.array(data["scores"], dtype=np.float64),
            method=data["method"],
            classes=tuple(data["classes"]),
            class_scores=None if class_scores is None else np.array(class_scores, dtype=np.float64),
            parameters=data["parameters"],
            provenance=data["provenance"],
        )


def _nan_as_none(values: np.ndarray) -> list[float | None]:
    """JSON has no NaN; read back as a float array, None is one."""
    return [None if value != value else value for value in values.tolist()]
