"""Columns of activations in groups, such as attention heads: what is done to a group at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neurox_lite.showing import short_repr

HEADS = "heads"


@dataclass(frozen=True)
class ColumnGroups:
    """Every column is in one group.

    Attributes
    ----------
    kind : str
        What groups are called, such as ``heads``.
    layers, widths : tuples of int
        Layers of the columns, and how many columns each has.
    numbers : (n_columns,) tuple of int
        Group of each column, from 0.
    labels : tuple of str
        What each group is called, if its number does not say it.
    """

    kind: str
    layers: tuple[int, ...]
    widths: tuple[int, ...]
    numbers: tuple[int, ...]
    labels: tuple[str, ...] = ()

    __repr__ = short_repr

    @cached_property
    def of_columns(self) -> np.ndarray:
        """The numbers as an array, (n_columns,)."""
        return np.array(self.numbers, dtype=np.int64)

    @property
    def sizes(self) -> np.ndarray:
        """Columns in each group; shape (n_groups,)."""
        return np.bincount(self.of_columns)

    def members(self, groups: np.ndarray) -> np.ndarray:
        """Columns of some groups, one group after the other."""
        order = np.argsort(self.of_columns, kind="stable")
        parts = np.split(order, np.cumsum(self.sizes)[:-1])
        return np.concatenate([parts[group] for group in groups] or [order[:0]])

    def reduce(self, values: np.ndarray, by: str) -> np.ndarray:
        """A number of each group from those of its columns, NaN left out; (..., n_groups)."""
        rows = np.atleast_2d(values)
        found = np.array([REDUCTIONS[by](row, self.of_columns) for row in rows])
        return found[0] if values.ndim == 1 else found

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form that :meth:`from_dict` reads."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ColumnGroups:
        lists = (tuple(data[name]) for name in ("layers", "widths", "numbers", "labels"))
        found = cls(data["kind"], *lists)
        if len(found.numbers) != sum(found.widths) or not found.sizes.all():
            raise ValueError("its groups are not of its columns")
        return found


def _mean(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    sums = np.bincount(numbers, np.where(known, values, 0))
    counts = np.bincount(numbers, known)
    return np.divide(sums, counts, where=counts > 0, out=np.full(len(sums), np.nan))


def _sum(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    return _mean(values, numbers) * np.bincount(numbers, ~np.isnan(values))


def _max(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    found = np.full(numbers.max() + 1, np.nan)
    np.fmax.at(found, numbers, values)
    return found


REDUCTIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "mean": _mean,
    "sum": _sum,
    "max": _max,
}
