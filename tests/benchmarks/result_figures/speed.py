"""Figures of the pages on speed and memory, from what the benchmarks print there."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.axes import Axes

from tests.benchmarks.result_figures.drawing import BLUE, GREY, finish, legend_below, panels, rows
from tests.benchmarks.result_figures.page_tables import Measured, lines_of, number, text_of


def beside(ax: Axes, names: list[str], lines: list[Measured], of: str) -> None:
    """Bars of ours and of what it is compared with, row by row."""
    at = np.arange(len(lines))
    ours = ax.barh(at - 0.2, [line.ours for line in lines], 0.38, color=BLUE, label="ours")
    ax.bar_label(ours, [f"{line.ours:,g}" for line in lines], padding=2, fontsize=8)
    other = ax.barh(at + 0.2, [line.reference for line in lines], 0.38, color="0.75", label=of)
    ax.bar_label(other, [f"{line.reference:,g}" for line in lines], padding=2, fontsize=8)
    rows(ax, names)
    ax.set_xlim(0, 1.15 * max(max(line.ours, line.reference) for line in lines))


def probes() -> None:
    found = [line for line in lines_of("speed-probes") if "to cyanure's objective" in line.what]
    found = sorted(found, key=lambda line: number(line.what))
    figure, ax = panels(1, 2.6)
    names = [f"{number(line.what):,.0f} words" for line in found]
    beside(ax, names, found, "cyanure")
    ax.set_xlabel("seconds to the same objective, on 2 cores (less is better)")
    ax.legend(loc="upper right")
    finish(figure, "speed-probes", "Probes of MiniLM's 2,688 neurons, 17 parts of speech")


def rankers() -> None:
    found = [line for line in lines_of("speed-rankers") if line.unit == "GB/s"]
    figure, ax = panels(1, 2.6)
    beside(ax, [line.what.partition(" ")[0] for line in found], found, "bare reading")
    ax.set_xlabel("GB/s from the disk, on 2 cores (more is better)")
    legend_below(figure, ax, 2)
    finish(figure, "speed-rankers", "One-pass rankings of MiniLM's 2,688 neurons on EWT")


def masks() -> None:
    found = lines_of("speed-masks")
    figure, axes = panels(2, 2.2, sharey=True)
    steps = [line for line in found if line.what.startswith("mask, a step")]
    several = [line for line in found if line.what.startswith("32 masks")]
    names = [line.what.split(", ")[-1] for line in steps]
    beside(axes[0], names, steps, "the bare model")
    axes[0].set(xlabel="ms", title="A step of the search, 64 pairs")
    beside(axes[1], names, several, "the bare model")
    axes[1].set(xlabel="s", title="32 masks of 700 pairs, or 32 forward passes")
    legend_below(figure, axes[0], 2)
    finish(figure, "speed-masks", "Masks in the running model, on 2 cores (less is better)")


def extraction() -> None:
    found = [line for line in lines_of("speed-extraction") if line.unit == "words/s"]
    names = [
        re.sub(r"extract, |, all layers, float32, written", "", line.what)
        + f", beside {line.of.replace('bare, ', 'bare forward, ')}"
        for line in found
    ]
    figure, ax = panels(1, 2.7)
    beside(ax, names, found, "what it is compared with")
    ax.set_xlabel("words/s on 2 cores (more is better)")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    legend_below(figure, ax, 2)
    finish(figure, "speed-extraction", "MiniLM over EWT dev: extraction, beside the bare model")


STAGE = re.compile(
    r"^(\w[\w ]*), time and peak memory +[\d.,]+ s, ([\d,]+) MB +([\d,]+) MB at most", re.MULTILINE
)


def bounded_memory() -> None:
    """Peak memory of every stage, a panel per store."""
    blocks = re.findall(r"```\n(.*?)```", text_of("bounded-memory"), flags=re.DOTALL)
    tables = [STAGE.findall(block) for block in blocks]
    stores = [{name: number(peak) for name, peak, _ in table} for table in tables]
    most = number(tables[0][0][2])
    names = list(stores[1])
    figure, axes = panels(2, 3.7, sharey=True)
    for ax, store, block in zip(axes, stores, blocks, strict=True):
        bars = ax.barh([names.index(name) for name in store], list(store.values()), color=BLUE)
        ax.bar_label(bars, [f"{value:,.0f}" for value in store.values()], padding=2, fontsize=8)
        ax.axvline(most, color="black", lw=0.9, ls=":")
        ax.text(most, len(names) - 0.6, "at most ", ha="right", fontsize=8)
        ax.set(
            xlabel="peak memory (MB)",
            title=block.partition("\n")[0].partition("over ")[2].replace(": ", "\n"),
        )
        ax.set_xlim(0, 1.05 * most)
        ax.xaxis.set_major_formatter("{x:,.0f}")
    rows(axes[0], names)
    axes[1].grid(axis="x")
    finish(figure, "bounded-memory", "Peak memory of the stages of a study")


def large_model() -> None:
    found = re.findall(
        r"^(.+?) +\d+ s a layer +(\d+) min in all +([\d.]+) GB$",
        text_of("large-model"),
        flags=re.MULTILINE,
    )
    names = [name.replace("rank ", "").replace(", median of the layers", "s") for name, *_ in found]
    minutes = [float(each) for _, each, _ in found]
    figure, ax = panels(1, 3.1)
    colours = [BLUE if name == "probes" else GREY for name in names]
    bars = ax.barh(range(len(names)), minutes, color=colours)
    labels = [f"{each} min, {memory} GB" for _, each, memory in found]
    ax.bar_label(bars, labels, padding=3, fontsize=8)
    rows(ax, names)
    ax.set(xlim=(0, 1.2 * max(minutes)), xlabel="minutes for all 32 layers, on 2 cores")
    finish(figure, "large-model", "352,256 neurons, 200,000 words: probes, and rankings of them")


FIGURES = {
    "speed-probes": probes,
    "speed-rankers": rankers,
    "speed-masks": masks,
    "speed-extraction": extraction,
    "bounded-memory": bounded_memory,
    "large-model": large_model,
}
