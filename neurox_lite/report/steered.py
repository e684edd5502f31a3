"""Can the property be steered? Pairs turned, and what that does to other text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from neurox_lite.interventions.steering_curves import SteeringCurve, SteeringCurves
from neurox_lite.report.blocks import (
    MOST_SERIES,
    Block,
    Section,
    folded,
    in_parts,
    lines,
    note,
    section,
    series,
    table,
)
from neurox_lite.report.subjects import Subjects
from neurox_lite.results.sweep import Sweep

KIND = "steering curves"
HEAD = (
    *("ranking", "set", "how many", "pairs turned"),
    *("log odds (nats)", "KL on other text (nats)", "perplexity"),
)
SETS = {
    "top": "the first",
    "bottom": "the last",
    "random_mean": "random, mean",
    "random_low": "random, least",
    "random_high": "random, most",
}
"""As the table of results has them, and what they are."""


def steering_section(subjects: Subjects) -> Section | None:
    """Success and side effects by the number of neurons, of every ranking."""
    blocks = subjects.blocks(KIND, _of_curves)
    text = (
        "The first neurons of a ranking are set to, or moved towards, what they are in the other "
        "condition; the band is of random neurons. KL is how far predictions of other text move."
    )
    return section("steering", "Can it be steered?", [text], blocks)


def _of_curves(curves: SteeringCurves, name: str) -> Iterator[Block]:
    at = f": {name}" if name else ""
    for part, which in in_parts(curves.curves, MOST_SERIES - 1):  # and the random ones
        success = [curve.success for curve in part]
        title = f"Pairs turned{which}{at}"
        yield _drawing(title, "pairs turned", part, success, is_percent=True)
    first = curves.curves[0]
    yield note(
        f"{first.n_pairs:,} pairs; {first.n_left_out:,} left out, since the intact model gets them "
        "wrong."
    )
    known = [(curve, curve.kl) for curve in curves.curves if curve.kl is not None]
    for group, which in in_parts(known, MOST_SERIES - 1):
        drawn = [curve for curve, _ in group]
        sweeps = [kl for _, kl in group]
        yield _drawing(f"KL on other text{which}{at}", "nats per token", drawn, sweeps)
    _, *rows = curves.table()
    named = [[row[0], SETS.get(row[1], row[1]), *row[2:]] for row in rows]
    yield folded(table(f"Steering{at}", HEAD, named), f"Numbers of steering{at}")


def _drawing(
    title: str,
    y_label: str,
    curves: Sequence[SteeringCurve],
    sweeps: list[Sweep],
    *,
    is_percent: bool = False,
) -> Block:
    drawn = [series(curve.method, sweep.top) for curve, sweep in zip(curves, sweeps, strict=True)]
    if len(sweeps) == 1 and sweeps[0].bottom:
        drawn.append(series("bottom", sweeps[0].bottom, style="dashed"))
    first = sweeps[0]
    if first.random_mean:
        band = (first.random_mean, first.random_low, first.random_high)
        drawn.append(series(f"random {curves[0].units}", *band, style="dotted"))
    return lines(
        title,
        curves[0].units,
        y_label,
        curves[0].counts,
        drawn,
        log=True,
        ticks=[f"{count:,}" for count in curves[0].counts],
        is_percent=is_percent,
        references={"intact": first.intact},
    )
