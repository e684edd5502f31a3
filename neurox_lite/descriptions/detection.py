"""Can a description tell active examples from inactive ones? For comparison with other tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np

from neurox_lite.arguments import whole_number
from neurox_lite.descriptions.score_intervals import LEVEL, overlap
from neurox_lite.descriptions.scored_examples import Examples
from neurox_lite.errors import InputError
from neurox_lite.intervals import Interval, accuracy_interval
from neurox_lite.json_files import write_json
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, is_table_name, write_table
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, summary

N_QUANTILES = 10


@dataclass(frozen=True)
class Detection(SavedResult):
    """How well a description tells active examples from inactive ones.

    Attributes
    ----------
    n_active, n_inactive : int
        How many were drawn of each.
    balanced_accuracy : Interval
        Mean of the shares of active and of inactive examples that are told right; by chance 0.5.
    f1 : Interval
        Of the active ones; of a description that is present everywhere 2/3, if as many are drawn.
    """

    n_active: int
    n_inactive: int
    balanced_accuracy: Interval
    f1: Interval

    KIND = "detection"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        drawn = {"active": self.n_active, "inactive": self.n_inactive}
        return summary(
            "Detection", drawn, [f"balanced accuracy {self.balanced_accuracy}", f"F1 {self.f1}"]
        )

    def table(self) -> Table:
        """A header and one row."""
        names = [
            f"{name}{end}" for name in ("balanced_accuracy", "f1") for end in ("", " low", " high")
        ]
        values = (*self.balanced_accuracy.as_json(), *self.f1.as_json())
        return [["n_active", "n_inactive", *names], [self.n_active, self.n_inactive, *values]]

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, or under a name in ``.csv`` or ``.tex`` the table."""
        if is_table_name(path):
            write_table(path, self.table())
            return
        intervals = {name: getattr(self, name).as_json() for name in ("balanced_accuracy", "f1")}
        write_json(path, {"kind": self.KIND, **vars(self), **intervals})

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        names = ("balanced_accuracy", "f1")
        return {**fields, **{name: Interval.from_json(fields[name]) for name in names}}


def detect(
    present: Any,
    activations: Any,
    sentences: Any,
    *,
    threshold: float,
    n: SupportsIndex = 50,
    seed: SupportsIndex = 0,
) -> Detection:
    """Tell active examples from inactive ones by a description (detection of Paulo et al. 2024).

    As many active as inactive examples are drawn, the active ones evenly from ten quantiles of
    their activations. With TP the drawn active examples in which the described is present, and so
    on:

        balanced accuracy = (TP / (TP + FN) + TN / (TN + FP)) / 2    F1 = 2 TP / (2 TP + FP + FN)

    Among so many active examples a description that claims too much is hardly seen to be wrong
    (Oikarinen et al. 2025): to compare descriptions, use
    :func:`~neurox_lite.descriptions.scoring.score_description`.

    Parameters
    ----------
    present, activations, sentences, threshold
        As for :func:`~neurox_lite.descriptions.scoring.score_description`.
    n : int
        How many of each; where there are fewer, all.
    seed : int

    Returns
    -------
    Detection
        With 95 % intervals over sentences: of the mean of two shares by the method of variance
        estimates recovery (Zou & Donner 2008) from those of the shares.

    Raises
    ------
    InputError
        As ``score_description``, or when no example, or every one, is active.
    """
    n, seed = whole_number(n, "n", least=N_QUANTILES), validate_seed(seed)
    examples = Examples.of(present, activations, sentences, threshold)
    active, inactive = draw(examples, n, np.random.default_rng(seed))
    is_present, groups = examples.is_present, examples.sentences
    told = (
        accuracy_interval(is_present[active], groups[active], level=LEVEL),
        accuracy_interval(~is_present[inactive], groups[inactive], level=LEVEL),
    )
    drawn = np.concatenate([active, inactive])
    _, f1 = overlap(examples.is_active[drawn], is_present[drawn], groups[drawn])
    return Detection(len(active), len(inactive), _mean_of(*told), f1)


def draw(examples: Examples, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows of up to n active and n inactive examples, ascending.

    Raises InputError when there are none of one kind.
    """
    active, inactive = (
        np.flatnonzero(which) for which in (examples.is_active, ~examples.is_active)
    )
    if not len(active) or not len(inactive):
        which = "none" if not len(active) else "every one"
        raise InputError(
            f"of {len(active) + len(inactive)} examples {which} is active at the threshold "
            f"{examples.threshold:g}; give another threshold, or more examples"
        )
    by_activation = active[np.argsort(examples.activations[active], kind="stable")]
    # Each quantile is in an order of its own; of each the first ones are taken, then the second ...
    quantiles = [rng.permutation(part) for part in np.array_split(by_activation, N_QUANTILES)]
    turn = np.concatenate([np.arange(len(part)) for part in quantiles])
    taken = np.concatenate(quantiles)[np.argsort(turn, kind="stable")][:n]
    others = rng.choice(inactive, min(n, len(inactive)), replace=False)
    return np.sort(taken), np.sort(others)


def _mean_of(one: Interval, other: Interval) -> Interval:
    """Of two independent estimates."""
    value = (one.value + other.value) / 2
    below = np.hypot(one.value - one.low, other.value - other.low) / 2
    above = np.hypot(one.high - one.value, other.high - other.value) / 2
    return Interval(value, float(value - below), float(value + above))
