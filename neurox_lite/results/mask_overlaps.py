"""Several neuron masks: which neurons each touches that the others do or do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from neurox_lite.errors import InputError
from neurox_lite.files import write_json
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.top_overlap import TopOverlap


@dataclass(frozen=True)
class MaskOverlaps:
    """Every mask beside every other.

    Attributes
    ----------
    sizes : dict of str to int
        Neurons that each mask touches, by its name.
    n_neurons : int
    overlaps : tuple of TopOverlap
        Of the first mask with each other, of the second with those after it, and so on.
    """

    sizes: dict[str, int]
    n_neurons: int
    overlaps: tuple[TopOverlap, ...]

    @classmethod
    def of(cls, masks: Sequence[NeuronMask]) -> MaskOverlaps:
        """Compare masks, which are named by their method.

        Raises
        ------
        InputError
            When there are fewer than two, two have the same name, or they are of different neurons.
        """
        sizes = {mask.method: len(mask) for mask in masks}
        if len(masks) < 2 or len(sizes) < len(masks):
            raise InputError(f"{len(masks)} masks; give two or more, each with a name of its own")
        overlaps = tuple(one.compare(other) for one, other in combinations(masks, 2))
        return cls(sizes, masks[0].space.n_neurons, overlaps)

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, neurons as ``layer:unit``."""
        write_json(
            path,
            {
                "kind": "mask overlaps",
                "neurons": self.n_neurons,
                "sizes": self.sizes,
                "overlaps": [_as_json(overlap) for overlap in self.overlaps],
            },
        )


def _as_json(overlap: TopOverlap) -> dict[str, Any]:
    return {
        "first": overlap.first,
        "second": overlap.second,
        "both": [str(neuron) for neuron in overlap.both],
        "only_first": [str(neuron) for neuron in overlap.only_first],
        "only_second": [str(neuron) for neuron in overlap.only_second],
        "expected": overlap.expected,
        "p_at_least": overlap.p_at_least,
        "p_at_most": overlap.p_at_most,
    }
