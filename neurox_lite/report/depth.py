"""What a study adds: redundancy, ease, data needed, certainty, penalties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from neurox_lite.evaluation.minimal_set import MinimalSet
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.probing.learning_curve import LearningCurve
from neurox_lite.probing.online_code import OnlineCodeLength
from neurox_lite.probing.search import RegularisationSearch
from neurox_lite.report.blocks import (
    Block,
    Section,
    figure,
    figures,
    folded,
    heat,
    lines,
    note,
    section,
    series,
    table,
)
from neurox_lite.report.found import SETS
from neurox_lite.report.markdown import counted, percent
from neurox_lite.report.subjects import Subjects

N_SHOWN = 20
"""Neurons whose rank intervals stand in a table."""


def redundancy_section(subjects: Subjects) -> Section | None:
    """Minimal sets, each without the neurons of those before it."""
    blocks = []
    for found in subjects.found.of(SETS):
        head, rows = redundancy_rows(found.result)
        name = subjects.name(found)
        blocks.append(table(f"Disjoint minimal sets{f': {name}' if name else ''}", head, rows))
    text = (
        "Minimal sets, each without the neurons of those before it and found by a probe of the "
        "neurons that were left; accuracy on dev, the words they are chosen on."
    )
    return section("redundancy", "How redundant is it?", [text], blocks)


def redundancy_rows(sets: Sequence[MinimalSet]) -> tuple[list[str], list[Sequence[Any]]]:
    """A header, and the size and accuracy of each set."""
    rows: list[Sequence[Any]] = []
    for number, found in enumerate(sets, start=1):
        best = percent(found.accuracies[-1]) if found.accuracies else ""
        size = len(found.columns) if found.columns is not None else "none is enough"
        rows.append((number, size, best))
    return ["set", "neurons", "dev accuracy"], rows


def ease_section(subjects: Subjects) -> Section | None:
    """Online code of the labels."""
    blocks: list[Block] = []
    for found in subjects.found.of("online code"):
        code: OnlineCodeLength = found.result
        name = subjects.name(found)
        blocks.append(
            figures(
                [
                    figure(
                        f"compression{f': {name}' if name else ''}",
                        f"{code.compression:.2f}",
                        note=f"{code.bits_per_label:.3f} bits a word",
                    )
                ]
            )
        )
        caption = f"Online code{f': {name}' if name else ''}"
        blocks.append(
            folded(table(caption, ["what", "value"], code_rows(code)), f"Bits: {caption}")
        )
    text = (
        "Online code of the training labels (Voita & Titov 2020): each block coded by a probe of "
        "the blocks before it. Compression is 1 where activations tell nothing."
    )
    return section("ease", "How easily is it read?", [text], blocks)


def code_rows(code: OnlineCodeLength) -> list[tuple[str, str]]:
    """Names and values."""
    return [
        ("description length of the labels (kbit)", f"{code.codelength / 1000:.1f}"),
        ("uniform code (kbit)", f"{code.uniform_codelength / 1000:.1f}"),
        ("compression", f"{code.compression:.2f}"),
        ("bits per word", f"{code.bits_per_label:.3f}"),
    ]


def data_section(subjects: Subjects) -> Section | None:
    """Learning curves."""
    blocks = [
        _curve(found.result, subjects.name(found)) for found in subjects.found.of("learning curve")
    ]
    text = (
        "A probe of growing shares of the training sentences; bands go from the worst sample to "
        "the best."
    )
    return section("data-needed", "How much data does it take?", [text], blocks)


def _curve(curve: LearningCurve, name: str) -> Block:
    return lines(
        f"Test accuracy by training words{f': {name}' if name else ''}",
        "training words",
        "test accuracy",
        curve.n_words,
        [series("mean", curve.accuracy_mean, curve.accuracy_low, curve.accuracy_high)],
        log=True,
        ticks=[f"{words:,.0f}" for words in curve.n_words],
        is_percent=True,
    )


def certainty_section(subjects: Subjects) -> Section | None:
    """Rank intervals over resamples of the sentences."""
    blocks = subjects.blocks("rank intervals", _intervals)
    text = (
        "Ranks over resamples of the training sentences; they show how far the ranking is decided "
        "by the sentences drawn."
    )
    return section("certainty", "How sure is the ranking?", [text], blocks)


def _intervals(intervals: RankIntervals, name: str) -> Iterator[Block]:
    k = max(1, intervals.space.n_neurons // 10)
    kept, chance = intervals.overlap(k), k / intervals.space.n_neurons
    yield figures(
        [
            figure(
                f"of the top {k:,} stay there{f': {name}' if name else ''}",
                percent(kept),
                note=f"of {k:,} at random {percent(chance)}",
            )
        ]
    )
    if intervals.n_tied:
        yield note(said_of_tied(intervals))
    head, rows = interval_rows(intervals)
    if not rows:
        return
    caption = f"The first {len(rows)} of {intervals.method}{f': {name}' if name else ''}"
    links = [[{"neurons": [named], "of": intervals.space}, *row] for named, *row in rows]
    yield folded(table(caption, head, links), f"Rank by rank{f': {name}' if name else ''}")


def interval_rows(intervals: RankIntervals) -> tuple[list[str], list[tuple[str, int, str, str]]]:
    """A header, and the first neurons with their intervals, of those that the ranking orders."""
    k = max(1, intervals.space.n_neurons // 10)
    space, stays = intervals.space, intervals.top_share(k)
    rows = [
        (f"{layer}:{unit}", rank, f"{low} to {high}", percent(stays[space.column(layer, unit)]))
        for layer, unit, rank, low, high in intervals.table()[
            1 : min(N_SHOWN, intervals.n_ordered) + 1
        ]
    ]
    return ["neuron", "rank", f"{100 * intervals.level:g} % interval", f"in the top {k}"], rows


def said_of_tied(intervals: RankIntervals) -> str:
    """How many neurons have no rank, in a sentence."""
    tied = counted(intervals.n_tied, intervals.space.unit_name)
    return f"The ranking does not tell {tied} apart; they have no rank, and are left out here."


def search_section(subjects: Subjects) -> Section | None:
    """Searches for penalties."""
    blocks = subjects.blocks("regularisation search", _search)
    text = (
        "Figures of the dev words that the penalties are chosen on; the best of many is partly "
        "luck, and the words of test played no part."
    )
    return section("penalties", "Which penalties?", [text], blocks)


def _search(search: RegularisationSearch, name: str) -> Iterator[Block]:
    l1, l2 = search.best
    edge = ", ".join(search.at_edge)
    at_edge = f" It is at the edge of the grid ({edge})." if edge else ""
    yield note(
        f"Chosen{f' ({name})' if name else ''}: l1 = {l1:g}, l2 = {l2:g}; without penalties "
        f"{percent(search.unregularised_accuracy)} on dev.{at_edge}"
    )
    yield folded(
        heat(
            f"Dev accuracy{f': {name}' if name else ''}",
            ("l1", "l2"),
            [f"{value:g}" for value in search.l1s],
            [f"{value:g}" for value in search.l2s],
            search.accuracies,
            (min(map(min, search.accuracies)), max(map(max, search.accuracies))),
            form="percent",
        ),
        f"The grid{f': {name}' if name else ''}",
    )
