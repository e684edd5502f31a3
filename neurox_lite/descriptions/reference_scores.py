"""Mean scores of descriptions, beside those of a constant one and of shuffled activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurox_lite.descriptions.description_scores import CONSTANT, SHUFFLED, DescriptionScore
from neurox_lite.descriptions.scored_examples import Examples
from neurox_lite.descriptions.scoring import score_examples
from neurox_lite.intervals import Interval, mean_interval
from neurox_lite.showing import short_repr

AVERAGED = {"auprc": (0, 1), "f1": (0, 1), "iou": (0, 1), "correlation": (-1, 1)}
"""Scores, and their bounds."""

OWN = "descriptions"

MOST_SHUFFLED = 200
"""Descriptions whose activations are shuffled, evenly taken from all."""


@dataclass(frozen=True)
class MeanScores:
    """Means over descriptions, with 95 % intervals over neurons.

    Attributes
    ----------
    of : {"descriptions", "constant", "shuffled activations"}
        What is scored: descriptions, in their place one that is present everywhere, or the same
        descriptions with activations that are shuffled by whole sentences.
    n : int
        Descriptions.
    auprc, f1, iou, correlation : Interval
    """

    of: str
    n: int
    auprc: Interval
    f1: Interval
    iou: Interval
    correlation: Interval

    __repr__ = short_repr

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> MeanScores:
        """From what :meth:`as_json` gave."""
        return cls(**{**fields, **{name: Interval.from_json(fields[name]) for name in AVERAGED}})

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), **{name: getattr(self, name).as_json() for name in AVERAGED}}


class ReferenceScores:
    """Collects the scores of descriptions, and those that they are compared with.

    Parameters
    ----------
    n_descriptions : int
        How many may come, at most.
    seed : int
        Of shuffling.
    """

    def __init__(self, n_descriptions: int, seed: int):
        self._every = max(1, n_descriptions // MOST_SHUFFLED)
        self._rng = np.random.default_rng(seed)
        self._values: dict[str, list[tuple[float, ...]]] = {OWN: [], CONSTANT: [], SHUFFLED: []}
        self._columns: dict[str, list[int]] = {name: [] for name in self._values}

    def add(self, column: int, score: DescriptionScore, examples: Examples) -> None:
        """Add a description of a neuron, scored on examples."""
        is_shuffled = len(self._values[OWN]) % self._every == 0
        self._add(OWN, column, _values(score))
        density = score.density
        self._add(CONSTANT, column, (density, 2 * density / (1 + density), density, 0.0))
        if is_shuffled:
            shuffled = examples.with_shuffled(self._rng)
            self._add(SHUFFLED, column, _values(score_examples(shuffled, SHUFFLED)))

    def _add(self, name: str, column: int, values: tuple[float, ...]) -> None:
        self._values[name].append(values)
        self._columns[name].append(column)

    def means(self) -> tuple[MeanScores, ...]:
        """Of the descriptions, a constant one and shuffled activations; empty of none."""
        return tuple(
            MeanScores(
                name,
                len(rows),
                *(
                    mean_interval(values, self._columns[name], bounds=bounds)
                    for values, bounds in zip(
                        zip(*rows, strict=True), AVERAGED.values(), strict=True
                    )
                ),
            )
            for name, rows in self._values.items()
            if rows
        )


def _values(score: DescriptionScore) -> tuple[float, ...]:
    return tuple(getattr(score, name).value for name in AVERAGED)
