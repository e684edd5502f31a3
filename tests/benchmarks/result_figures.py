"""Figures of docs/results/, drawn from the tables of these pages.

`python -m tests.benchmarks.result_figures` writes them to docs/figures; no model is run, so that a
figure says what its page says.
"""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

DOCS = Path("docs")
COLOURS = {"top": "#0072B2", "random": "#999999", "bottom": "#D55E00", "all": "#000000"}


def tables(page: str) -> list[list[list[str]]]:
    """The tables of a page, each a list of rows, without heads."""
    found, rows = [], []
    for line in [*(DOCS / "results" / f"{page}.md").read_text().splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            found.append(rows[2:])
            rows = []
    return found


def number(text: str) -> float:
    return float(re.match(r"-?[\d.,]+", text)[0].replace(",", ""))


def table_of(page: str, first: str, n_columns: int, place: int = 0) -> list[list[str]]:
    """The table whose first cell begins so, the ``place``-th of them."""
    known = (t for t in tables(page) if t[0][0].startswith(first) and len(t[0]) == n_columns)
    return list(known)[place]


def ablation(ax: Axes, page: str, everything: float) -> None:
    """Test accuracy of retrained probes of the top, the bottom and random neurons."""
    rows = table_of(page, "1 %", 6, place=1)
    x = [number(row[1]) for row in rows]
    for column, name in [(2, "top"), (4, "bottom")]:
        ax.plot(x, [number(row[column]) for row in rows], "o-", ms=4, color=COLOURS[name])
    bands = [re.match(r"([\d.]+) \(([\d.]+) to ([\d.]+)\)", row[5]).groups() for row in rows]
    mean, low, high = np.array(bands, dtype=float).T
    ax.plot(x, mean, "o-", ms=4, color=COLOURS["random"])
    ax.fill_between(x, low, high, color=COLOURS["random"], alpha=0.3, lw=0)
    ax.axhline(everything, color=COLOURS["all"], lw=0.8, ls=":")
    ax.text(x[0], everything + 1, "all neurons", va="bottom", fontsize=8)
    for column, name in [(2, "top"), (5, "random"), (4, "bottom")]:
        ax.text(x[0] * 0.9, number(rows[0][column]), name, ha="right", va="center", fontsize=9)
    ax.set(xscale="log", xlim=(x[0] / 2.2, x[-1] * 1.3), ylim=(None, 101))
    ax.set_xticks(x, [f"{n:,.0f}" for n in x])
    ax.minorticks_off()
    ax.set(xlabel="neurons kept", ylabel="test accuracy (%)", title="A probe of some neurons alone")


def layers(ax: Axes, page: str) -> None:
    rows = next(t for t in tables(page) if len(t[0]) == 3 and "%" in t[0][1] and "%" in t[0][2])
    x = [number(row[0]) for row in rows]
    ax.plot(x, [number(row[1]) for row in rows], "o-", color=COLOURS["top"], label="alone")
    ax.plot(x, [number(row[2]) for row in rows], "s--", color="#009E73", label="with all before it")
    ax.set(xlabel="layer", ylabel="test accuracy (%)", title="A probe of each layer")
    ax.legend(frameon=False)


def study(page: str, title: str, everything: float) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    ablation(axes[0], page, everything)
    layers(axes[1], page)
    finish(figure, page, title)


def first_neurons() -> None:
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", sharey=True)
    shown = {
        "matching-pursuit": ("#0072B2", "o-"),
        "recursive elimination": ("#009E73", "s-"),
        "linguistic-correlation": ("#E69F00", "^-"),
        "l1 path": ("#999999", "v-"),
    }
    counts = [10, 27, 54, 134]
    for ax, place, corpus in zip(
        axes, (0, 1), ("parts of speech, EWT", "chunks, CoNLL-2000"), strict=True
    ):
        rows = {row[0]: row[1:] for row in table_of("first-neurons", "linguistic", 5, place)}
        for name, (colour, style) in shown.items():
            values = [np.mean([float(v) for v in cell.split(" / ")]) for cell in rows[name]]
            ax.plot(counts, values, style, color=colour, label=name, ms=5)
        ax.set(xscale="log", xlabel="first neurons", title=corpus)
        ax.set_xticks(counts, counts)
        ax.minorticks_off()
    axes[0].set_ylabel("test accuracy (%)")
    axes[0].legend(frameon=False, fontsize=8)
    finish(figure, "first-neurons", "MiniLM: a probe of the first neurons, mean of two splits")


def agreement() -> None:
    rows = tables("ranker-agreement")[0]
    names = [re.sub(r"^\d+ ", "", row[0]) for row in rows]
    values = np.array([[float(c) if c else np.nan for c in row[1:]] for row in rows])
    figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
    image = ax.imshow(values, cmap="cividis", vmin=0, vmax=100)
    for i, j in np.argwhere(~np.isnan(values)):
        light = values[i, j] < 55
        ax.text(
            j, i, f"{values[i, j]:.0f}", ha="center", va="center", fontsize=8,
            color="white" if light else "black",
        )  # fmt: skip
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right")
    ax.set_yticks(range(len(names)), names)
    figure.colorbar(image, label="of the top 268 in both (%); by chance 10")
    finish(figure, "ranker-agreement", "MiniLM, parts of speech on EWT: the tops of two rankings")


def faithfulness() -> None:
    rows = tables("sentiment")[0]
    rows = sorted(rows, key=lambda row: number(row[1]))
    bands = [re.match(r"(\S+) \((\S+) to (\S+)\)", row[1]).groups() for row in rows]
    value, low, high = np.array(bands, dtype=float).T
    figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
    y = np.arange(len(rows))
    knows = [row[0] not in ("uniform", "random", "random order") for row in rows]
    for filled in (True, False):
        some = np.flatnonzero(np.array(knows) == filled)
        ax.errorbar(
            value[some], y[some], xerr=[value[some] - low[some], high[some] - value[some]],
            fmt="o" if filled else "x", color=COLOURS["top"] if filled else COLOURS["random"],
        )  # fmt: skip
    ax.set_yticks(y, [row[0].replace("`", "") for row in rows])
    ax.set_xlabel("comprehensiveness, 95 % over 50 sentences")
    finish(figure, "sentiment", "MiniLM, sentiment of SST: how faithful are attributions?")


def finish(figure: plt.Figure, name: str, title: str) -> None:
    for ax in figure.axes:
        ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=11)
    figure.savefig(DOCS / f"figures/{name}.png", dpi=110)
    plt.close(figure)


def main() -> None:
    plt.switch_backend("agg")
    study("part-of-speech", "MiniLM, 17 parts of speech on the English Web Treebank", 94.64)
    study("chunks", "MiniLM, chunks on CoNLL-2000", 91.49)
    first_neurons()
    agreement()
    faithfulness()


if __name__ == "__main__":
    main()
