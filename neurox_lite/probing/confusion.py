"""Which labels a probe takes for which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.errors import InputError
from neurox_lite.figures import Given
from neurox_lite.labels import validate_labels
from neurox_lite.results.html import as_html
from neurox_lite.results.label_heat_map import plot_label_heat_map
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_COUNTS = 20
"""Labels of a figure that has room for the counts."""


@dataclass(frozen=True)
class Confusion(SavedResult):
    """How many words of each label got each label.

    Attributes
    ----------
    labels : tuple of str
        All that words have or got, sorted.
    counts : (n_labels, n_labels) tuple of tuples of int
        A row per label that words have, a column per label that they got.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    KIND = "confusion"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    @classmethod
    def of(cls, y: Any, predicted: Any) -> Confusion:
        """Count, of the labels of a split and what a probe says: ``probe.predict(test.X)``.

        Parameters
        ----------
        y, predicted : (n_words,) array-likes

        Raises
        ------
        InputError
            When there is no word, one has no label, or both are not as many or of one kind.
        """
        y = validate_labels(y)
        predicted = validate_labels(predicted, name="predicted", like=y)
        if len(y) != len(predicted):
            raise InputError(f"{len(predicted)} predicted labels for {len(y)} words; give as many")
        if not len(y):
            raise InputError("y has no label; give those of a split, such as data.test.y")
        labels, ids = np.unique(np.concatenate([y, predicted]), return_inverse=True)
        counts = np.zeros((len(labels), len(labels)), dtype=int)
        np.add.at(counts, (ids[: len(y)], ids[len(y) :]), 1)
        return cls(tuple(map(str, labels.tolist())), tuple(map(tuple, counts.tolist())))

    def __str__(self) -> str:
        counts = np.array(self.counts)
        facts = {"words": int(counts.sum()), "right": int(np.trace(counts))}
        np.fill_diagonal(counts, 0)
        worst = np.argsort(-counts, axis=None, kind="stable")[:3]
        lines = [
            f"{self.labels[row]} taken for {self.labels[column]}: {counts[row, column]}"
            for row, column in zip(*np.unravel_index(worst, counts.shape), strict=True)
            if counts[row, column]
        ]
        return summary(f"Confusion of {len(self.labels)} labels", facts, lines)

    def table(self) -> Table:
        """A header, and a row per label that words have and label that they got."""
        rows = [
            [label, predicted, count]
            for label, row in zip(self.labels, self.counts, strict=True)
            for predicted, count in zip(self.labels, row, strict=True)
        ]
        return [["label", "predicted", "words"], *rows]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Heat map of the share of a label's words that got each label, with counts if few."""
        counts = np.array(self.counts)
        right = np.trace(counts) / counts.sum()
        return plot_label_heat_map(
            counts / np.maximum(counts.sum(axis=1, keepdims=True), 1),
            ("label", self.labels),
            ("predicted", self.labels),
            "share of a label's words",
            f"accuracy {right:.3f} of {counts.sum():,} words",
            ax,
            title,
            counts=counts if len(self.labels) <= MOST_COUNTS else None,
        )
