"""Do the methods agree on the neurons, and which ranking is the best?"""

from __future__ import annotations

from collections.abc import Iterator

from neurox_lite.evaluation.method_table import MethodTable
from neurox_lite.ranking.agreement import AgreementMatrix, agreement
from neurox_lite.report.blocks import Block, Section, folded, heat, note, section, spoken, table
from neurox_lite.report.main_ranking import NamedRanking, all_rankings
from neurox_lite.report.subjects import Subjects

MOST = 40
"""Rankings that are compared here."""


def agreement_section(subjects: Subjects) -> Section | None:
    """Agreement of all rankings of the same neurons, as it was saved or from the rankings."""
    saved = subjects.found.of("agreement of rankings")
    blocks = [block for found in saved for block in _heats(found.result, subjects.name(found))]
    if not saved:
        for rankings in _of_same_neurons(all_rankings(subjects)):
            matrix = agreement([each.ranking for each in rankings])
            label = subjects.labels.get(rankings[0].found.home, "")
            blocks += _heats(matrix, label, [each.name for each in rankings])
    for found in subjects.found.of("method table"):
        blocks.append(_methods(found.result, subjects.name(found)))
    text = (
        "Methods that saw the same words agree more than chance even where the labels are noise: "
        "agreement does not say that what they agree on is there."
    )
    return section("agreement", "Do the methods agree?", [text], blocks)


def _of_same_neurons(rankings: list[NamedRanking]) -> Iterator[list[NamedRanking]]:
    """Groups of two or more rankings of one property and space."""
    left = rankings
    while left:
        first = left[0]
        is_like = [
            each.found.home == first.found.home and each.ranking.space == first.ranking.space
            for each in left
        ]
        group = [each for each, is_one in zip(left, is_like, strict=True) if is_one]
        left = [each for each, is_one in zip(left, is_like, strict=True) if not is_one]
        if len(group) > 1:
            yield group[:MOST]


def _heats(matrix: AgreementMatrix, label: str, names: list[str] | None = None) -> Iterator[Block]:
    methods = list(matrix.methods) if names is None else names
    at = f": {label}" if label else ""
    yield heat(
        f"Share of the top {matrix.k:,} of {matrix.n_neurons:,} that both have{at}",
        ("ranking", "ranking"),
        methods,
        methods,
        matrix.overlap,
        form="percent",
    )
    yield note(
        f"Independent rankings share {100 * matrix.expected_overlap:.1f} % of it on average."
    )
    yield folded(
        heat(
            f"Kendall's tau of the whole order{at}",
            ("ranking", "ranking"),
            methods,
            methods,
            matrix.kendall,
            (-1, 1),
            diverging=True,
        ),
        f"Agreement of the whole order{at}",
    )


def _methods(found: MethodTable, label: str) -> Block:
    rows = [
        [method, *(_cell(*cell) for cell in zip(*row, strict=True))]
        for method, *row in zip(found.methods, found.mean, found.low, found.high, strict=True)
    ]
    of = f" of {found.n_repetitions} repetitions" if found.n_repetitions > 1 else ""
    caption = f"Methods by measure{f': {label}' if label else ''}"
    if of:
        caption += f" (mean, least and largest{of})"
    return table(caption, ["method", *found.columns], rows)


def _cell(mean: float | None, low: float | None, high: float | None) -> str:
    if mean is None:
        return ""
    if low is None or high is None or low == high:
        return spoken(mean, 4)
    return f"{spoken(mean, 4)} ({spoken(low, 4)} to {spoken(high, 4)})"
