"""Which few neurons decide? Masks, what they do on examples held out, and what else they change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neurox_lite.interventions.side_effects import SideEffects
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.masking.mask_overlaps import MaskOverlaps
from neurox_lite.report.blocks import (
    Block,
    Section,
    between,
    figure,
    figures,
    folded,
    lines,
    neurons,
    note,
    section,
    series,
    spoken,
    table,
)
from neurox_lite.report.markdown import percent
from neurox_lite.report.subjects import Subjects
from neurox_lite.results.neuron_mask import NeuronMask

FITS, MASKS, SIDE, OVERLAPS = "mask fit", "neuron mask", "side effects", "mask overlaps"
MOST_NAMED = 20


def masks_section(subjects: Subjects) -> Section | None:
    """Every mask, with its effect and side effects; masks side by side."""
    found = subjects.found
    beside = {each.path.parent: each for each in found.of(SIDE)}
    blocks: list[Block] = []
    for fit in found.of(FITS):
        own = beside.pop(fit.path, None)
        blocks += _of_fit(fit.result, subjects.name(fit))
        blocks += _side_effects(own.result, subjects.name(fit)) if own else []
    for mask in found.of(MASKS):
        blocks.append(_of_mask(mask.result, subjects.name(mask)))
    for other in beside.values():
        blocks += _side_effects(other.result, subjects.name(other))
    for overlaps in found.of(OVERLAPS):
        blocks.append(_overlaps(overlaps.result, subjects.name(overlaps)))
    text = (
        "The smallest set of neurons found whose replacement does what was asked (flip: turns the "
        "choice between two words; sufficiency: keeping it is enough). Held-out success is of "
        "pairs that played no part; side effects stand beside as many random neurons."
    )
    return section("masks", "Which few neurons decide?", [text], blocks)


def fits(subjects: Subjects) -> list[tuple[str, MaskFit]]:
    """Every fitted mask, by its name."""
    return [(subjects.name(each), each.result) for each in subjects.found.of(FITS)]


def _of_fit(fit: MaskFit, name: str) -> Iterator[Block]:
    counted = fit.mask.counted
    units = counted.unit_name
    title = name or fit.mask.method
    yield figures(
        [
            figure(
                f"{units} that {'are kept' if fit.objective == 'sufficiency' else 'are replaced'}",
                f"{fit.size:,}",
                note=f"of {counted.n_neurons:,}; {title}",
            ),
            figure(
                "held-out success",
                _share(fit.held_out_success),
                between(fit.held_out_low, fit.held_out_high),
                f"{fit.objective}; {fit.status}",
            ),
            figure(
                "held-out effect",
                spoken(fit.held_out_effect),
                _ends(fit.held_out_effect_low, fit.held_out_effect_high),
                f"{spoken(fit.held_out_intact)} without the mask",
            ),
        ]
    )
    if fit.task is not None:
        yield note(f"The intact model is {fit.task}.")
    chosen = counted.neurons(fit.mask.selected[:MOST_NAMED])
    rows: list[list[Any]] = [[units.capitalize(), neurons(chosen, counted)]]
    rows += [[key, _plain(value)] for key, value in fit.summary().items()]
    yield folded(
        table(f"The mask: {title}", ["what", "value"], rows), f"All about this mask: {title}"
    )
    if len(fit.sizes) > 1:
        yield folded(
            lines(
                f"Size of the mask during the search: {title}",
                "step",
                f"expected open {units}",
                range(1, len(fit.sizes) + 1),
                [series("size", fit.sizes)],
            ),
            f"The search: {title}",
        )


def _of_mask(mask: NeuronMask, name: str) -> Block:
    chosen = mask.counted.neurons(mask.selected[:MOST_NAMED])
    title = name or mask.method
    units = mask.counted.unit_name
    rows: list[list[Any]] = [
        ["method", mask.method],
        [units, f"{len(mask.selected):,} of {mask.counted.n_neurons:,}"],
        ["the first", neurons(chosen, mask.counted)],
    ]
    return table(f"A mask: {title}", ["what", "value"], rows)


def _side_effects(found: SideEffects, name: str) -> Iterator[Block]:
    title = f"Side effects beside {found.n_random} random masks of as many neurons"
    rows = [
        [
            measure.metric,
            measure.data,
            spoken(measure.intact, 4),
            spoken(measure.masked, 4),
            f"{spoken(measure.random_mean, 4)} ({spoken(measure.random_low, 4)} to "
            f"{spoken(measure.random_high, 4)})",
        ]
        for measure in found.measures
    ]
    if rows:
        head = ["measure", "of", "intact", "with the mask", "random masks (range)"]
        yield table(f"{title}{f': {name}' if name else ''}", head, rows)


def _overlaps(found: MaskOverlaps, name: str) -> Block:
    rows = [
        [
            one.first,
            one.second,
            neurons(one.both, None) if len(one.both) <= MOST_NAMED else f"{len(one.both):,}",
            len(one.both),
            f"{one.expected:.3g}",
            len(one.only_first),
            len(one.only_second),
            f"{one.p_at_least:.2g}",
        ]
        for one in found.overlaps
    ]
    head = ["mask", "other", "neurons of both", "both", "by chance", "only this", "only the other"]
    caption = f"Neurons that masks share{f': {name}' if name else ''}"
    return table(caption, [*head, "p (so many)"], rows)


def _share(value: float) -> str:
    return percent(value) if value == value else "none held out"


def _ends(low: float, high: float) -> str:
    return f"{spoken(low)} to {spoken(high)}" if low == low and abs(low) < float("inf") else ""


def _plain(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) if any(v is not None for v in value) else "not known"
    return spoken(value, 5) if isinstance(value, float) else str(value)
