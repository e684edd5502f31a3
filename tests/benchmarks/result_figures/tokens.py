"""Figures of the pages on which tokens decide."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.axes import Axes

from neurox_lite.figures import MARKERS, PALETTE
from tests.benchmarks.result_figures.drawing import (
    BLUE,
    GREY,
    dots,
    finish,
    legend_below,
    panels,
    rows,
)
from tests.benchmarks.result_figures.page_tables import number, numbers, rows_of, spread

CONTROLS = ("uniform", "random", "random order")


def plain(method: str) -> str:
    """The name of a method without its status."""
    return re.sub(r" \(`.*\)", "", method).replace("`", "")


def faithfulness() -> None:
    table = rows_of("sentiment", "method", "comprehensiveness")
    table = sorted(table, key=lambda row: -number(row["comprehensiveness"]))
    figure, ax = panels(1, 3.6)
    for row, place in zip(table, range(len(table)), strict=True):
        value, low, high = spread(row["comprehensiveness"])
        is_control = row["method"] in CONTROLS
        colour, marker = (GREY, "x") if is_control else (BLUE, "o")
        ax.hlines(place, low, high, color=colour, lw=2.5, alpha=0.45)
        ax.plot(value, place, marker, color=colour)
    rows(ax, [row["method"].replace("`", "") for row in table])
    ax.set_xlabel("comprehensiveness (fall of the probability), 95 % over 50 sentences")
    finish(figure, "sentiment", "MiniLM, sentiment of SST: how faithful are attributions?")


def attractors() -> None:
    table = rows_of("attractors", "subject first", "attractor above")
    names = dict.fromkeys(plain(r["method"]) for r in table if r["method"] != "random")
    mean = {
        name: np.mean([number(r["subject first"]) for r in table if plain(r["method"]) == name])
        for name in names
    }
    names = sorted(mean, key=lambda name: -mean[name])
    figure, axes = panels(2, 4.0, sharey=True)
    for ax, measure in zip(axes, ("subject first", "attractor above"), strict=True):
        for look, model in enumerate(("gpt2", "lstm-0", "lstm-1", "lstm-2")):
            own = [r for r in table if r["model"] == model and r["method"] != "random"]
            # Beside each other, where several models have the same.
            places = [names.index(plain(r["method"])) + 0.16 * (look - 1.5) for r in own]
            values = [number(r[measure]) for r in own]
            ax.plot(values, places, MARKERS[look], color=PALETTE[look], label=model)
        for model, style in (("gpt2", ":"), ("LSTMs", "--")):
            (chance,) = (r for r in table if (r["model"], r["method"]) == (model, "random"))
            ax.axvline(
                number(chance[measure]), color="0.3", lw=0.9, ls=style, label=f"random, {model}"
            )
        ax.set_xlim(-3, 103)
        ax.grid(axis="x")
    axes[0].set(xlabel="% of the pairs", title="The subject is first (more is better)")
    axes[1].set(
        xlabel="% of the pairs", title="An attractor is above it (less is better)"
    )  # fmt: skip
    rows(axes[0], names)
    for ax in axes:
        for place in range(1, len(names)):
            ax.axhline(place - 0.5, color="0.9", lw=0.7)
    legend_below(figure, axes[0], 6)
    finish(figure, "attractors", "Which word decides the number of the verb?")


def kept(ax: Axes, table: list[dict[str, str]], states: list[str]) -> None:
    """The share of words kept in each state, a line with its range for each kind of word."""
    for look, row in enumerate(table):
        known = [state for state in states if row[state] != "-"]
        value, low, high = np.array([spread(row[state]) for state in known]).T
        at = [states.index(state) for state in known]
        ax.plot(at, value, f"{MARKERS[look]}-", color=PALETTE[look], label=row["kept"])
        ax.fill_between(at, low, high, color=PALETTE[look], alpha=0.18, lw=0)
    ax.set_xticks(range(len(states)), states)
    ax.set(ylim=(-3, 103), xlabel="state that the gates read")
    ax.grid()


def attractors_kept() -> None:
    table = rows_of("attractors", "kept", "embeddings", "output")
    states = list(table[0])[2:]
    models = list(dict.fromkeys(row["model"] for row in table))
    figure, axes = panels(len(models), 3.2, sharey=True)
    for ax, model in zip(axes, models, strict=True):
        kept(ax, [row for row in table if row["model"] == model], states)
        ax.set_title(model)
    axes[0].set_ylabel("words kept (%), 95 %")
    legend_below(figure, axes[0], 4)
    finish(figure, "attractors-kept", "From which layer on does the model know the subject?")


def deciding_words() -> None:
    tables = [
        {plain(row["method"]): row for row in rows_of("deciding-words", "hits", place=place)}
        for place in (0, 1)
    ]
    names = sorted(tables[0], key=lambda name: -number(tables[0][name]["hits"]))
    figure, axes = panels(2, 4.0, sharey=True)
    for ax, measure in zip(axes, ("hits", "comprehensiveness"), strict=True):
        for look, task in enumerate(("sentiment", "questions")):
            shown = [name for name in names if name in tables[look]]
            places = [names.index(name) + 0.26 * (look - 0.5) for name in shown]
            dots(ax, places, [tables[look][name][measure] for name in shown], look, task)
        ax.set_xlim(0, 1)
        for place in range(1, len(names)):
            ax.axhline(place - 0.5, color="0.9", lw=0.7)
        ax.grid(axis="x")
    rows(axes[0], names)
    axes[0].set(xlabel="share of the deciding words found", title="Hits, range of seeds")
    axes[1].set(xlabel="fall of the probability without them", title="Comprehensiveness")
    legend_below(figure, axes[0], 2)
    finish(figure, "deciding-words", "Two BERTs: which words decide? Mean of five seeds")


def deciding_kept() -> None:
    table = rows_of("deciding-words", "kept", "embeddings", "output")
    figure, ax = panels(1, 3.2)
    kept(ax, table, list(table[0])[2:])
    ax.set_ylabel("words kept (%)")
    legend_below(figure, ax, 4)
    finish(
        figure, "deciding-words-kept", "Sentiment: words that DiffMask keeps, range of five seeds"
    )


def toy_task() -> None:
    table = rows_of("toy-task", "method", "KL", "JS")
    figure, axes = panels(3, 3.6, sharey=True)
    worst = 5.0
    for ax, measure in zip(axes, ("KL", "JS", "hits"), strict=True):
        for place, row in enumerate(table):
            ends = [min(value, worst) for value in numbers(row[measure])]
            colour = GREY if row["method"] in CONTROLS else BLUE
            if ends[0] == worst:
                ax.text(1.2 * worst, place, "∞", ha="center", va="center", color=colour)
                continue
            ax.plot([ends[0], ends[-1]], [place] * 2, "|-", color=colour, lw=2.5, ms=8)
        ax.grid(axis="x")
    rows(axes[0], [row["method"] for row in table])
    axes[0].set(xscale="log", xlabel="nats", title="KL (less is better)")
    axes[0].set_xticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    axes[0].minorticks_off()
    axes[1].set(xlim=(-0.01, None), xlabel="nats", title="JS (less is better)")
    axes[2].set(xlim=(0.38, 1.02), xlabel="share found", title="Hits (more is better)")
    finish(
        figure,
        "toy-task",
        "The toy task: how far are attributions from the truth? Range of five seeds",
    )


FIGURES = {
    "toy-task": toy_task,
    "deciding-words": deciding_words,
    "deciding-words-kept": deciding_kept,
    "attractors": attractors,
    "attractors-kept": attractors_kept,
    "sentiment": faithfulness,
}
