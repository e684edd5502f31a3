"""The same search from several seeds: how much of what it finds is chance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from neurox_lite.files import write_json
from neurox_lite.outputs import replacing_in, results_named
from neurox_lite.results.mask_fit import MaskFit

NAMES = (
    "mask.safetensors",
    *results_named("mask", "fit", "ranking", "seeds", "side_effects"),
)
"""What the command `mask` writes."""


@dataclass(frozen=True, eq=False)
class SeedSpread:
    """Masks that differ in nothing but their seed.

    Attributes
    ----------
    fits : tuple of MaskFit
    """

    fits: tuple[MaskFit, ...]

    @property
    def best(self) -> MaskFit:
        """Of the feasible fits, if there are, the smallest; of equal ones that with most effect."""
        return min(self.fits, key=lambda fit: (not fit.feasible, fit.size, -fit.effect))

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(fit.size for fit in self.fits)

    @property
    def overlap(self) -> float:
        """Mean over pairs of seeds of the Jaccard index of the neurons sought; NaN of one seed."""
        sets = [set(fit.mask.sought.tolist()) for fit in self.fits]
        shares = [len(a & b) / max(len(a | b), 1) for a, b in combinations(sets, 2)]
        return float(np.mean(shares)) if shares else float("nan")

    def summary(self) -> dict[str, Any]:
        """What is said about the best fit and about all of them, JSON-ready."""
        if len(self.fits) < 2:
            return self.best.summary()
        return {
            **self.best.summary(),
            "sizes by seed": list(self.sizes),
            "status by seed": [fit.status for fit in self.fits],
            "held-out success by seed": [fit.summary()["held-out success"] for fit in self.fits],
            "overlap between seeds": round(self.overlap, 6),
        }

    def save(self, folder: str | Path) -> None:
        """Write the best fit, and ``seeds.json`` about all of them."""
        with replacing_in(folder) as new:
            self.best.save(new)
            write_json(new / "seeds.json", {"kind": "seed spread", **self.summary()})
