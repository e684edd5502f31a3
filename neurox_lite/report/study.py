"""The sections of summary.md that a study adds."""

from __future__ import annotations

from pathlib import Path

from neurox_lite.evaluation.minimal_set import MinimalSet
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.probing.layerwise import LayerScores
from neurox_lite.probing.learning_curve import LearningCurve
from neurox_lite.probing.online_code import OnlineCodeLength
from neurox_lite.report.depth import code_rows, interval_rows, redundancy_rows, said_of_tied
from neurox_lite.report.job_files import (
    LAYER_SCORES,
    LEARNING_CURVE,
    ONLINE_CODE,
    RANK_INTERVALS,
    REDUNDANCY,
)
from neurox_lite.report.markdown import percent, points, table

NOT_CONVERGED = "**Some of these probes did NOT CONVERGE.**"


def study_sections(folder: Path, figure_format: str = "png") -> list[str]:
    """One section for each result of a study in a folder."""
    return [
        _layers(LAYER_SCORES.read(folder), figure_format),
        _redundancy(REDUNDANCY.read(folder)),
        _online_code(ONLINE_CODE.read(folder)),
        _learning_curve(LEARNING_CURVE.read(folder), figure_format),
        _intervals(RANK_INTERVALS.read(folder), figure_format),
    ]


def _section(title: str, *parts: str, converged: bool) -> str:
    doubt = () if converged else (NOT_CONVERGED,)
    return "\n\n".join((f"## {title}", *parts, *doubt))


def _layers(scores: LayerScores, figure_format: str) -> str:
    rows = [
        (layer, percent(alone), percent(stacked))
        for layer, alone, stacked in zip(
            scores.layers, scores.separate, scores.cumulative, strict=True
        )
    ]
    return _section(
        "Which layers?",
        f"Test {scores.metric} of a probe of each layer, and of each layer with all before it "
        f"(no neuron: {percent(scores.baseline)}; figure: "
        f"`{LAYER_SCORES.figure}.{figure_format}`):",
        table(("layer", "alone", "with all before it"), rows),
        converged=scores.converged,
    )


def _redundancy(sets: list[MinimalSet]) -> str:
    delta, full = points(sets[0].delta), percent(sets[0].full_accuracy)
    return _section(
        "How redundant is it?",
        "Minimal sets, each without the neurons of those before it and found by a probe of the "
        f"neurons that were left; accuracy on dev, the words they are chosen on, to be within "
        f"{delta} of all neurons ({full}):",
        table(*redundancy_rows(sets)),
        converged=all(found.converged for found in sets),
    )


def _online_code(code: OnlineCodeLength) -> str:
    return _section(
        "How easily is it read?",
        "Online code of the training labels (Voita & Titov 2020): each block coded by a probe of "
        "the blocks before it.",
        table(("", "value"), code_rows(code)),
        converged=code.converged,
    )


def _learning_curve(curve: LearningCurve, figure_format: str) -> str:
    rows = [
        (f"{100 * share:g} %", f"{words:,.0f}", percent(mean), f"{percent(low)} to {percent(high)}")
        for share, words, mean, low, high in zip(
            curve.shares,
            curve.n_words,
            curve.accuracy_mean,
            curve.accuracy_low,
            curve.accuracy_high,
            strict=True,
        )
    ]
    return _section(
        "How much data does it take?",
        f"Test accuracy by share of the training sentences, {curve.n_seeds} samples each (figure: "
        f"`{LEARNING_CURVE.figure}.{figure_format}`):",
        table(("share", "words", "mean", "range"), rows),
        converged=curve.converged,
    )


def _intervals(intervals: RankIntervals, figure_format: str) -> str:
    k = max(1, intervals.space.n_neurons // 10)
    return _section(
        "How sure is the ranking?",
        f"Ranks over {len(intervals.resampled)} resamples of the training sentences (figure: "
        f"`{RANK_INTERVALS.figure}.{figure_format}`). Of the top {k} neurons, a resample keeps "
        f"{percent(intervals.overlap(k))} in its top {k} on average; of {k} neurons at random "
        f"it would be {percent(k / intervals.space.n_neurons)}."
        + (f" {said_of_tied(intervals)}" if intervals.n_tied else ""),
        table(*interval_rows(intervals)),
        converged=intervals.converged,
    )
