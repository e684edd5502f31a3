"""Figures of the pages on rankings of MiniLM and of the LSTMs."""

from __future__ import annotations

import re
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from neurox_lite.evaluation.method_table import MethodTable
from tests.benchmarks.result_figures.drawing import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    YELLOW,
    dots,
    finish,
    legend_below,
    panels,
    rows,
)
from tests.benchmarks.result_figures.page_tables import number, numbers, rows_of, spread, text_of


def ablation(ax: Axes, page: str, everything: float) -> None:
    """Test accuracy of retrained probes of the top, the bottom and random neurons."""
    table = rows_of(page, "share", "bottom only", "random (range)", place=1)
    x = [number(row["neurons"]) for row in table]
    shown = {"top": ("top only", BLUE), "bottom": ("bottom only", ORANGE)}
    shown["random"] = ("random (range)", GREY)
    for name, (column, colour) in shown.items():
        value, low, high = np.array([spread(row[column]) for row in table]).T
        ax.plot(x, value, "o-", ms=4, color=colour)
        ax.fill_between(x, low, high, color=colour, alpha=0.3, lw=0)
        ax.text(x[0] * 0.9, value[0], name, ha="right", va="center")
    ax.axhline(everything, color="black", lw=0.8, ls=":")
    ax.text(x[0], everything + 1, "all neurons", va="bottom", fontsize=8)
    ax.set(xscale="log", xlim=(x[0] / 2.6, x[-1] * 1.3), ylim=(None, 101))
    ax.set_xticks(x, [f"{n:,.0f}" for n in x])
    ax.minorticks_off()
    ax.set(xlabel="neurons kept", ylabel="test accuracy (%)", title="A probe of some neurons alone")


def layers(ax: Axes, page: str) -> None:
    table = rows_of(page, "layer", "alone")
    x = [number(row["layer"]) for row in table]
    alone, together = ([number(row[c]) for row in table] for c in ("alone", "with all before it"))
    ax.plot(x, alone, "o-", color=BLUE, label="alone")
    ax.plot(x, together, "s--", color=GREEN, label="with all before it")
    ax.set(xlabel="layer", ylabel="test accuracy (%)", title="A probe of each layer")
    ax.legend()


def study(page: str, title: str) -> None:
    figure, axes = panels(2, 3.1)
    everything = number(rows_of(page, "", "value")[0]["value"])
    ablation(axes[0], page, everything)
    layers(axes[1], page)
    finish(figure, page, title)


def first_neurons() -> None:
    figure, axes = panels(2, 3.1, sharey=True)
    shown = {
        "matching-pursuit": (BLUE, "o-"),
        "recursive elimination": (GREEN, "s-"),
        "linguistic-correlation": (YELLOW, "^-"),
        "l1 path": (GREY, "v-"),
    }
    counts = [10, 27, 54, 134]
    corpora = ("parts of speech, EWT", "chunks, CoNLL-2000")
    for place, (ax, corpus) in enumerate(zip(axes, corpora, strict=True)):
        table = {row["ranking"]: row for row in rows_of("first-neurons", "ranking", place=place)}
        for name, (colour, style) in shown.items():
            values = [np.mean(numbers(table[name][str(count)])) for count in counts]
            ax.plot(counts, values, style, color=colour, label=name)
        ax.set(xscale="log", xlabel="first neurons", title=corpus)
        ax.set_xticks(counts, counts)
        ax.minorticks_off()
    axes[0].set_ylabel("test accuracy (%)")
    axes[0].legend(fontsize=8)
    finish(figure, "first-neurons", "MiniLM: a probe of the first neurons, mean of two splits")


def agreement() -> None:
    table = rows_of("ranker-agreement", "", "1", "12")
    names = [re.sub(r"^\d+ ", "", row[""]) for row in table]
    cells = [list(row.values())[1:] for row in table]
    values = np.array([[number(cell) if cell else np.nan for cell in row] for row in cells])
    figure, ax = panels(1, 5.2)
    image = ax.imshow(values, cmap="cividis", vmin=0, vmax=100)
    for i, j in np.argwhere(~np.isnan(values)):
        color = "white" if values[i, j] < 55 else "black"
        ax.text(
            j, i, f"{values[i, j]:.0f}", ha="center", va="center", fontsize=8.5, color=color
        )  # fmt: skip
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(names)), names)
    figure.colorbar(image, label="of the top 268 in both (%); by chance 10")
    finish(figure, "ranker-agreement", "MiniLM, parts of speech on EWT: the tops of two rankings")


def penalties() -> None:
    """What a larger l1 does, for some l2; up to an l1 of 0.01, beyond which probes know little."""
    figure, axes = panels(2, 3.1)
    shown = [(1, 1e-4, BLUE), (1, 1e-3, GREEN), (0, 1e-3, GREEN), (0, 1e-2, ORANGE), (0, 0.1, PINK)]
    for place, l2, colour in shown:
        table = rows_of("penalties", "l1 \\ l2", place=place)
        (column,) = (name for name in list(table[0])[1:] if float(name) == l2)
        cells = [(number(row["l1 \\ l2"]), *numbers(row[column])) for row in table]
        l1, score, accuracy, _ = np.array([cell for cell in cells if cell[0] <= 0.01]).T
        style, search = (("s--", "second"), ("o-", "first"))[place == 0]
        for ax, values in zip(axes, (accuracy, score), strict=True):
            ax.plot(l1, values, style, color=colour, label=f"l2 = {l2:g}, {search} search")
    for ax in axes:
        ax.set(xscale="log", xlabel="l1")
        ax.grid()
    axes[0].set(ylabel="dev accuracy (%)", title="The probe")
    axes[1].set(ylabel="score S", title="Its ranking: what the top says, less the bottom")
    legend_below(figure, axes[0], 3)
    finish(
        figure,
        "penalties",
        "MiniLM, parts of speech: a smaller l1 makes a better probe, and a worse ranking",
    )


def three_tags() -> None:
    figure, axes = plt.subplots(
        1, 3, figsize=(7.6, 2.7), layout="constrained", width_ratios=(1.1, 0.9, 1)
    )
    table = rows_of("three-tags", "property", "neurons for 95 %")
    for ax in axes[:2]:
        rows(ax, [row["property"] for row in table])
    at = np.arange(len(table))
    dots(axes[0], at - 0.13, [row["neurons for 95 %"] for row in table], 0, "95 % of it")
    dots(axes[0], at + 0.13, [row["neurons for 99 %"] for row in table], 1, "99 % of it")
    axes[0].set(xscale="log", xlabel="neurons", title="How many neurons?")
    axes[0].set_xticks([30, 100, 300, 1000], ["30", "100", "300", "1,000"])
    axes[0].minorticks_off()
    axes[0].legend(loc="lower right", fontsize=8)
    entropy, chance = zip(*(row[list(row)[-1]].split(";") for row in table), strict=True)
    dots(axes[1], at, entropy, 0)
    axes[1].plot(list(map(number, chance)), at, "|", ms=13, mew=2, color=GREY)
    axes[1].text(1.0, 0.3, "by chance", ha="right", va="center", fontsize=8)
    axes[1].set(xlim=(0, 1.05), xlabel="entropy over layers", title="In how many layers?")
    shared = rows_of("three-tags", "neurons of", "found")[:4]
    rows(axes[2], [row["neurons of"] for row in shared])
    low, high = np.array([numbers(row["95 % of chance"]) for row in shared]).T
    axes[2].barh(range(4), high - low, left=low, height=0.5, color="0.85", label="95 % of chance")
    found = [number(row["found"]) for row in shared]
    axes[2].plot(found, range(4), "o", color=BLUE, label="found")
    axes[2].set(xlim=(0, None), xlabel="neurons in all of them", title="Do they share neurons?")
    axes[2].legend(loc="lower right", fontsize=8)
    finish(figure, "three-tags", "MiniLM on EWT, with 95 % intervals over sentences")


def recurrence() -> None:
    table = rows_of("recurrence", "cells of", "match, others")
    shown = {
        "match": ("best match\n(absolute correlation)", "Do the cells recur?"),
        "match carries number": ("best match carries\nnumber, too (%)", "Does what they carry?"),
        "R": ("multiple correlation R\nwith all cells there", "In another basis?"),
    }
    figure, axes = panels(3, 3.1, sharey=True)
    at = np.arange(len(table))
    for ax, (name, (label, title)) in zip(axes, shown.items(), strict=True):
        own, others = ([number(row[f"{name}, {of}"]) for row in table] for of in KINDS)
        ax.hlines(at, own, others, color="0.8", lw=2)
        ax.plot(own, at, "o", color=BLUE, label="the 20 cells that carry number")
        ax.plot(others, at, "s", color=GREY, label="other cells")
        ax.set(xlabel=label, title=title)
    rows(axes[0], [row["cells of"] for row in table])
    for ax in axes:
        ax.grid(axis="x")
    chance = number(re.search(r"by chance it would be (\d+)", text_of("recurrence"))[1])
    axes[1].axvline(chance, color="black", lw=0.9, ls=":", label="by chance")
    legend_below(figure, axes[1], 3)
    finish(figure, "recurrence", "Three LSTMs that differ in their seed")


KINDS = ("number cells", "others")


def which_method() -> None:
    """Of docs/which-method.md, whose conditions stand in three tables."""
    first = ("low noise", "variance only", "heavy tails")
    parts = zip(*(rows_of("../which-method", column) for column in first), strict=True)
    table = [{key: cell for part in row for key, cell in part.items()} for row in parts]
    columns = [column for column in table[0] if column != "method"]
    cells = np.array([[spread(row[column]) for column in columns] for row in table])
    mean, low, high = (tuple(map(tuple, part.tolist())) for part in np.moveaxis(cells, -1, 0))
    methods = tuple(row["method"] for row in table)
    figure = MethodTable(methods, tuple(columns), mean, low, high, n_repetitions=3).plot()
    for axis in figure.axes:
        axis.set_xlim(-0.05, 1.05)
    finish(figure, "which-method", "Share of the planted neurons in a top of as many")


FIGURES = {
    "part-of-speech": partial(
        study, "part-of-speech", "MiniLM, 17 parts of speech on the English Web Treebank"
    ),
    "chunks": partial(study, "chunks", "MiniLM, chunks on CoNLL-2000"),
    "first-neurons": first_neurons,
    "ranker-agreement": agreement,
    "penalties": penalties,
    "three-tags": three_tags,
    "recurrence": recurrence,
    "which-method": which_method,
}
