"""Which neurons of one model another has, too: the strongest twin of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurox_lite.correlation.neuron_twins import NeuronTwins
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.report.blocks import (
    COMPARE,
    Block,
    Section,
    in_parts,
    lines,
    neurons,
    section,
    series,
    table,
)
from neurox_lite.report.subjects import Subjects

KIND = "neuron twins"
AT_LEAST = np.arange(21) / 20
"""Correlations."""

N_NAMED = 10


def found_again_section(subjects: Subjects) -> Section | None:
    """Of every two models how many neurons have a twin, and which are the first and the last."""
    several = _between(subjects)
    text = (
        "Of each neuron the one of the other model that correlates most with it, by absolute "
        "value, over the same words. Where the correlation is low no single neuron there says the "
        "same; several together still may."
    )
    blocks = [*_shares(several), *(block for each in several for block in _named(each))]
    return section(
        "found-again", "Which neurons has the other model, too?", [text], blocks, COMPARE
    )


def _between(subjects: Subjects) -> list[NeuronTwins]:
    """Of every two models, in the order of these, the first with any twin."""
    found: dict[tuple[NeuronSpace, NeuronSpace], NeuronTwins] = {}
    for each in subjects.found.of(KIND):
        own: NeuronTwins = each.result
        if own.other_space is not None and any(own.correlations):
            found.setdefault((own.space, own.other_space), own)
    models = [model for each in subjects.of_homes.values() for model in each.models]
    return sorted(
        found.values(),
        key=lambda own: models.index(own.space.model) if own.space.model in models else len(models),
    )


def _name(found: NeuronTwins) -> str:
    other = found.other_space
    return f"{found.space.model} in {other.model}" if other else found.space.model


def _firsts(found: NeuronTwins) -> list[tuple[Neuron, Neuron, float]]:
    """Neuron, strongest twin and correlation, the strongest first; none of constant neurons."""
    pairs = [
        (neuron, *found.of(neuron)[0])
        for neuron, own in zip(found.neurons, found.correlations, strict=True)
        if own
    ]
    return sorted(pairs, key=lambda pair: -abs(pair[2]))


def _shares(several: list[NeuronTwins]) -> Iterator[Block]:
    for part, which in in_parts(several):
        drawn = []
        for each in part:
            strength = np.abs([r for _, _, r in _firsts(each)])
            shares = (strength >= AT_LEAST[:, None]).mean(1)
            drawn.append(series(_name(each), shares.tolist()))
        yield lines(
            f"Neurons found again{which}",
            "correlation at least",
            "share of the neurons",
            AT_LEAST.tolist(),
            drawn,
            is_percent=True,
        )


def _named(found: NeuronTwins) -> Iterator[Block]:
    rows = [
        [neurons([neuron], found.space), neurons([twin], found.other_space), f"{r:.3f}"]
        for neuron, twin, r in _firsts(found)
    ]
    first, others = rows[:N_NAMED], rows[N_NAMED:]
    head = ["most alike", "twin", "r"]
    if others:
        head += ["least alike", "twin", "r"]
        last = others[-N_NAMED:][::-1]
        last += [["", "", ""]] * (len(first) - len(last))
        first = [[*row, *beside] for row, beside in zip(first, last, strict=True)]
    other = found.other_space
    yield table(
        f"Neurons of {found.space.model}, and their twins in {other.model if other else ''}",
        head,
        first,
    )
