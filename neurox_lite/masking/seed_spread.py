"""The same search from several seeds: how much of what it finds is chance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.figures import Given, finish, known_title, panels, put_ticks
from neurox_lite.json_files import write_json
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.outputs import atomic_write_folder, result_names
from neurox_lite.results.html import as_html
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.showing import short_repr, some, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = (
    "mask.safetensors",
    *result_names("mask", "fit", "ranking", "seeds", "side_effects"),
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

    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {"best": self.best.status, "sizes": some(self.sizes), "overlap": self.overlap}
        return summary(f"SeedSpread of {len(self.fits)} seeds", facts)

    def table(self) -> Table:
        """A header, and a row per seed."""
        rows = [fit.table() for fit in self.fits]
        return [rows[0][0], *(row for _, row in rows)]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Size and held-out success by seed, the latter with its interval; grey do not hold."""
        from matplotlib.ticker import MaxNLocator

        count = len(self.fits)
        counted = self.best.mask.counted
        width = max(4.4, 1.2 + 0.3 * count)
        axes = panels(ax, 2, size=(width, 4.4), sharex=True)
        for place, fit in enumerate(self.fits):
            colour = "#0072b2" if fit.holds else "0.6"
            axes[0].bar(place, fit.size, color=colour, hatch="" if fit.holds else "//")
            axes[1].plot(place, fit.held_out_success, "o" if fit.holds else "x", color=colour)
            axes[1].vlines(place, fit.held_out_low, fit.held_out_high, color=colour, linewidth=2)
        axes[0].yaxis.set_major_locator(MaxNLocator(integer=True))
        axes[0].set_ylabel(counted.unit_name)
        shared = f", overlap {self.overlap:.2f}" if count > 1 else ""
        n_holding = sum(fit.holds for fit in self.fits)
        axes[0].set_title(f"{n_holding} of {count} hold{shared}", fontsize=10)
        axes[1].set_ylim(-0.05, 1.05)
        axes[1].set_ylabel("held-out success")
        axes[1].set_xlabel("search")
        put_ticks(axes[1], range(count), [str(number + 1) for number in range(count)], width - 1)
        axes[1].set_xlim(-0.6, count - 0.4)
        axes[1].grid(axis="y", alpha=0.3)
        return finish(axes, ax, known_title(ax, title, counted.model))

    @property
    def best(self) -> MaskFit:
        """Of the feasible fits, if there are, the smallest; of equal ones that with most effect."""
        return min(self.fits, key=lambda fit: (not fit.feasible, fit.size, -fit.effect))

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(fit.size for fit in self.fits)

    @property
    def overlap(self) -> float:
        """Mean Jaccard index of the neurons selected, over pairs of seeds; NaN of one seed."""
        sets = [set(fit.mask.selected.tolist()) for fit in self.fits]
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
        with atomic_write_folder(folder) as new:
            self.best.save(new)
            write_json(new / "seeds.json", {"kind": "seed spread", **self.summary()})
