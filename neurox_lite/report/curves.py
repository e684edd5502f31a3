"""How many neurons does it take, and does the model use them? Ablation curves of all rankings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from neurox_lite.report.found import Found
from neurox_lite.report.markdown import percent
from neurox_lite.report.subjects import Subjects
from neurox_lite.results.ablation import AblationCurve
from neurox_lite.results.sweep import Sweep

KIND = "ablation curves"
PERCENTAGES = ("accuracy",)


def of_activations(curve: AblationCurve) -> bool:
    """Whether a probe was measured, and not the running model."""
    return not curve.remove.random_mean


def grows_with_harm(metric: str) -> bool:
    """Whether more of a metric of a model is worse."""
    return metric.startswith("KL") or "perplexity" in metric


def curves_section(subjects: Subjects) -> Section | None:
    """Curves of a probe: kept from the top, the bottom and at random."""
    blocks = [
        block
        for found in subjects.found.of(KIND)
        for block in _groups(found, subjects, in_model=False)
    ]
    text = (
        "How well a probe does on test with a few neurons only: the first of a ranking, the last, "
        "or random ones, whose band goes from the worst to the best draw. A ranking says something "
        "where its line is above the band. All but the top is the reverse: as many of the first "
        "are taken away, and the others stay."
    )
    return section("neurons-needed", "How many neurons does it take?", [text], blocks)


def used_section(subjects: Subjects) -> Section | None:
    """Curves of the running model: neurons are replaced while it runs."""
    blocks = [
        block
        for found in subjects.found.of(KIND)
        for block in _groups(found, subjects, in_model=True)
    ]
    text = (
        "Neurons are replaced while the model runs: more and more of the first of a ranking, of "
        "the last, or of random ones. What is encoded need not be used: only this says whether the "
        "model depends on the neurons."
    )
    return section("used", "Does the model use them?", [text], blocks)


def _groups(found: Found, subjects: Subjects, *, in_model: bool) -> Iterator[Block]:
    """A drawing for each way to evaluate, with all rankings in it."""
    chosen = [c for c in found.result.curves if of_activations(c) != in_model]
    ways: dict[tuple[object, ...], list[AblationCurve]] = {}
    for curve in chosen:
        way = (curve.retrained, curve.replacement, curve.metric, curve.shares, curve.units)
        ways.setdefault(way, []).append(curve)
    for curves in ways.values():
        name = subjects.name(found)
        how = _how(curves[0], in_model)
        title = f"{name}: {how}" if name else how[:1].upper() + how[1:]
        for part, which in in_parts(curves, MOST_SERIES - 1):  # and the random ones
            yield _drawing(f"{title}{which}", part, "remove" if in_model else "keep")
        task = curves[0].task
        if task is not None:
            doubt = "" if task.holds else " It cannot do the task, so that the curve says nothing."
            yield note(f"The intact model is {task}.{doubt}")
        if len(curves) > 1:  # of a single one the drawing has all
            yield folded(_table(f"All numbers: {title}", curves), f"All numbers: {title}")


def _how(curve: AblationCurve, in_model: bool) -> str:
    if in_model:
        return f"{curve.metric} of the model, {curve.units} replaced by {curve.replacement}"
    if curve.retrained:
        return f"{curve.metric} of a probe retrained on the kept {curve.units}"
    return f"{curve.metric} of the same probe, other {curve.units} replaced by {curve.replacement}"


def _drawing(title: str, curves: Sequence[AblationCurve], which: str) -> Block:
    first = curves[0]
    drawn, x_label = [], f"{'removed' if which == 'remove' else 'kept'} {first.units} (%)"
    for curve in curves:
        sweep: Sweep = getattr(curve, which)
        name = curve.method if len(curves) > 1 else f"top ({curve.method})"
        drawn.append(series(name, sweep.top))
    alone: Sweep = getattr(first, which)
    if len(curves) == 1:
        if which == "keep" and first.remove.top:
            drawn.append(series("all but the top", first.remove.top, style="long"))
            x_label = f"{first.units} kept (%), or taken away: all but the top"
        if alone.bottom:
            drawn.append(series("bottom", alone.bottom, style="dashed"))
    if alone.random_mean:
        band = (alone.random_mean, alone.random_low, alone.random_high)
        drawn.append(series(f"random {first.units}", *band, style="dotted"))
    return lines(
        title,
        x_label,
        first.metric,
        [100 * share for share in first.shares],
        drawn,
        log=True,
        ticks=[f"{100 * share:g}" for share in first.shares],
        is_percent=first.metric in PERCENTAGES,
        references={f"all {first.units}": first.intact},
    )


def _table(title: str, curves: Sequence[AblationCurve]) -> Block:
    first = curves[0]
    head = ["ranking", "share", first.units, "top only", "all but top", "bottom only", "random"]
    is_kept = bool(first.keep.top)
    rows = []
    for curve in curves:
        for i, (share, count) in enumerate(zip(curve.shares, curve.counts, strict=True)):
            keep, remove = curve.keep, curve.remove
            chance = keep if is_kept and not curve.remove.random_mean else remove
            rows.append(
                [
                    curve.method,
                    f"{100 * share:g} %",
                    f"{count:,}",
                    _at(curve, keep.top, i),
                    _at(curve, remove.top, i),
                    _at(curve, keep.bottom, i),
                    _range(curve, chance, i),
                ]
            )
    return table(title, head, rows)


def _at(curve: AblationCurve, values: Sequence[float], place: int) -> str:
    return value_of(curve.metric, values[place]) if values else ""


def _range(curve: AblationCurve, chance: Sweep, place: int) -> str:
    if not chance.random_mean:
        return ""
    ends = (chance.random_mean, chance.random_low, chance.random_high)
    mean, low, high = (value_of(curve.metric, values[place]) for values in ends)
    return f"{mean} ({low} to {high})"


def value_of(metric: str, value: float) -> str:
    """A number as its metric is read."""
    return percent(value) if metric in PERCENTAGES else f"{value:.4g}"
