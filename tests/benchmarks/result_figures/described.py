"""Figures of the pages on descriptions of neurons."""

from __future__ import annotations

import numpy as np

from neurox_lite.figures import MARKERS, PALETTE
from tests.benchmarks.result_figures.drawing import (
    BLUE,
    GREY,
    ORANGE,
    finish,
    legend_below,
    panels,
    rows,
)
from tests.benchmarks.result_figures.page_tables import number, numbers, rows_of

EFFECTS = ("1.0", "2.0", "4.0")


def planted_aspects() -> None:
    """Precision and recall by the strength of what was planted."""
    table = [row for row in rows_of("planted-aspects", "effect") if row["effect"] in EFFECTS]
    figure, axes = panels(2, 3.2, sharey=True)
    kinds = dict.fromkeys((row["words moved"], row["together"]) for row in table)
    for look, (moved, together) in enumerate(kinds):
        own = [row for row in table if (row["words moved"], row["together"]) == (moved, together)]
        name = f"{100 * float(moved):.0f} % of the words, together {float(together):g}"
        for ax, measure in zip(axes, ("precision@2", "recall@2"), strict=True):
            values = [number(row[measure]) for row in own]
            style = f"{MARKERS[look]}{'-' if moved == '1.0' else '--'}"
            ax.plot(range(len(EFFECTS)), values, style, color=PALETTE[look], label=name)
    for ax, title in zip(axes, ("Are they right?", "Are they found?"), strict=True):
        ax.set_xticks(range(len(EFFECTS)), ["1", "2", "4"])
        ax.set(ylim=(0, 1.04), xlabel="effect of an aspect, by a noise of 1", title=title)
        ax.grid()
    axes[0].set_ylabel("precision@2")
    axes[1].set_ylabel("recall@2")
    legend_below(figure, axes[0], 2)
    finish(figure, "planted-aspects", "Descriptions of planted aspects, mean of five seeds")


def described_minilm() -> None:
    table = rows_of("described-minilm", "layer", "median AUPRC of the best")
    layers = [row["layer"] for row in table]
    figure, axes = panels(2, 2.7)
    shown = {
        "median AUPRC of the best": "Median AUPRC of the best description",
        "above 0.2": "Neurons with an AUPRC above 0.2, of 384",
    }
    for ax, (column, label), colour in zip(axes, shown.items(), (BLUE, ORANGE), strict=True):
        values = [number(row[column]) for row in table]
        ax.bar_label(ax.bar(layers, values, color=colour, width=0.7), fontsize=8)
        ax.set(xlabel="layer", title=label, ylim=(0, 1.1 * max(values)))
    axes[0].plot([-0.6, 6.5], [0.01, 0.01], color="black", lw=0.9, ls=":")
    axes[0].text(6.5, 0.01, " chance", va="center", fontsize=8)
    axes[0].set_xlim(-0.6, 7.5)
    finish(figure, "described-minilm", "MiniLM on EWT: how well do descriptions tell neurons?")


def described_embedded() -> None:
    table = rows_of("described-embedded", "model", "median AUPRC, layer by layer")
    figure, axes = panels(2, 2.9)
    for look, row in enumerate(table):
        values = numbers(row["median AUPRC, layer by layer"])
        style = f"{MARKERS[look]}-"
        axes[0].plot(range(len(values)), values, style, color=PALETTE[look], label=row["model"])
    axes[0].axhline(0.05, color="black", lw=0.9, ls=":")
    axes[0].text(3, 0.052, "chance", ha="right", va="bottom", fontsize=8)
    axes[0].set(ylim=(0, None), xlabel="layer", ylabel="median AUPRC")
    axes[0].set_title("The best description")
    axes[0].set_xticks(range(4))
    axes[0].legend(ncols=5, fontsize=8, loc="lower center", columnspacing=0.8, handlelength=1.2)
    names = [row["model"] for row in table]
    found = [number(row["first in both halves"]) for row in table]
    jaccard = [[100 * n for n in numbers(row["Jaccard (by chance)"])] for row in table]
    at = np.arange(len(names))
    axes[1].plot(found, at, "o", color=BLUE, label="first description the same")
    axes[1].plot([own for own, _ in jaccard], at, "s", color=ORANGE, label="Jaccard index of all")
    axes[1].plot([by for _, by in jaccard], at, "|", ms=12, mew=2, color=GREY, label="by chance")
    rows(axes[1], names)
    axes[1].set(xlim=(0, 103), xlabel="%", title="Agreement of both halves of the corpus")
    legend_below(figure, axes[1], 3)
    finish(figure, "described-embedded", "Descriptions of the neurons of five small models")


def described_units() -> None:
    """Of known units and of all units, how many are described by the property."""
    table = rows_of("described-units", "tag", "known units")
    figure, ax = panels(1, 3.0)
    known, every = [], []
    for row in table:
        known.append(100 * number(row["described by it"]) / number(row["known units"]))
        every.append(number(row["of all units"]))
    at = np.array([place + place // 3 * 0.5 for place in range(len(table))])
    bars = ax.barh(at - 0.2, known, height=0.38, color=BLUE, label="units that decide")
    counts = [f"{row['described by it']} of {row['known units']}" for row in table]
    ax.bar_label(bars, counts, padding=3, fontsize=8)
    ax.barh(at + 0.2, every, height=0.38, color="0.75", label="all units")
    ax.set_yticks(at, [f"{row['model']}, {row['tag']}" for row in table])
    ax.invert_yaxis()
    ax.set(xlim=(0, 112), xlabel="described by the property (%)")
    ax.set_xticks(range(0, 101, 20))
    ax.grid(axis="x")
    legend_below(figure, ax, 2)
    finish(figure, "described-units", "Are units described by what they decide?")


FIGURES = {
    "planted-aspects": planted_aspects,
    "described-minilm": described_minilm,
    "described-embedded": described_embedded,
    "described-units": described_units,
}
