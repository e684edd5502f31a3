"""Figures of the pages on masks of neurons."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.ticker import MultipleLocator, NullLocator

from neurox_lite.figures import MARKERS, PALETTE
from tests.benchmarks.result_figures.drawing import finish, legend_below, panels, rows
from tests.benchmarks.result_figures.page_tables import number, numbers, rows_of

METHODS = ("mask", "REINFORCE", "integrated gradients", "activation difference", "random")


def neurons_needed(page: str, title: str) -> None:
    """How many neurons five seeds of each method need: mean and range, a panel per model."""
    by_model: dict[str, list[dict[str, str]]] = {}
    for row in rows_of(page, "task", "REINFORCE", "random"):
        by_model.setdefault(row["task"].partition(" ")[0], []).append(row)
    figure, axes = panels(
        2,
        0.9 + 2.9 * len(by_model) / 2,
        -(-len(by_model) // 2),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for ax, (model, table) in zip(axes.flat, by_model.items(), strict=True):
        names = [row["task"].partition(" ")[2] for row in table]
        for look, method in enumerate(METHODS):
            places = np.arange(len(table)) + 0.16 * (look - 2)
            sizes = np.array([numbers(row[method].partition(",")[0]) for row in table])
            colour = PALETTE[look]
            ax.hlines(places, sizes.min(1), sizes.max(1), color=colour, lw=1.8, alpha=0.45)
            ax.plot(sizes.mean(1), places, MARKERS[look], ms=4, color=colour, label=method)
        rows(ax, names)
        for place in range(1, len(table)):
            ax.axhline(place - 0.5, color="0.9", lw=0.7)
        ax.set(xscale="log", title=model)
    counts = [1, 3, 10, 30, 100, 300]
    for ax in axes.flat:
        ax.set_xticks(counts, map(str, counts))
        ax.set_xlim(0.75, 900)
        ax.xaxis.set_minor_locator(NullLocator())
    for ax in axes[-1]:
        ax.set_xlabel("neurons that have to be replaced")
    legend_below(figure, axes.flat[0], 5)
    finish(figure, page, title)


def mask_searches() -> None:
    figure, axes = panels(2, 3.4)
    table = rows_of("mask-searches", "search", "cut at one half")
    shown = {
        ("ours", "300"): ("o-", PALETTE[0]),
        ("REINFORCE, rate 0.1", "1200"): ("s-", PALETTE[1]),
        ("REINFORCE, rate 0.1", "300"): ("^--", PALETTE[1]),
    }
    for (search, steps), (style, colour) in shown.items():
        own = [row for row in table if (row["search"], row["steps"]) == (search, steps)]
        x = [number(row["neurons"]) for row in own]
        sizes = np.array([numbers(row["cut at one half"]) for row in own])
        name = f"{search.partition(',')[0]}, {int(steps):,} steps"
        axes[0].plot(x, sizes.mean(1), style, color=colour, label=name)
        axes[0].fill_between(x, sizes.min(1), sizes.max(1), color=colour, alpha=0.25, lw=0)
    axes[0].set(yscale="log", ylabel="neurons in the mask", title="How small are the masks?")
    axes[0].set_yticks([3, 10, 30, 100, 300], ["3", "10", "30", "100", "300"])
    axes[0].legend(loc="upper left")
    runs = rows_of("mask-searches", "at most", "runs", "sizes, by steps")
    searches = list(dict.fromkeys(row["search"] for row in runs))
    for look, search in enumerate(searches):
        best: dict[float, float] = {}
        for row in runs:
            if row["search"] == search and row["runs"] != "none":
                count = number(row["neurons"])
                best[count] = min(best.get(count, np.inf), number(row["runs"]))
        axes[1].plot(
            list(best), np.array(list(best.values())) / 1000, f"{MARKERS[look]}-",
            color=PALETTE[look], label=search,
        )  # fmt: skip
    axes[1].yaxis.set_major_locator(MultipleLocator(5))
    axes[1].set(ylim=(0, 23), ylabel="thousand runs of the model")
    axes[1].set_title("Runs to a mask that is small enough, best rate")
    for ax in axes:
        ax.set(xscale="log", xlabel="neurons of the layer, of GPT-2s of two layers")
        ax.set_xticks([256, 1024, 4096], ["256", "1,024", "4,096"])
        ax.minorticks_off()
        ax.grid()
    legend_below(figure, axes[1], 6)
    finish(figure, "mask-searches", "Searches for the fewest neurons that turn the verb")


FIGURES = {
    "number": partial(
        neurons_needed,
        "number",
        "Neurons that turn the number of the verb: mean and range of five seeds",
    ),
    "gender": partial(
        neurons_needed, "gender", "Neurons that turn she and he: mean and range of five seeds"
    ),
    "mask-searches": mask_searches,
}
