"""What are the neurons about? Descriptions beside chance, formulas, effects."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.description_effects import DescriptionEffects
from neurox_lite.descriptions.description_scores import DescriptionScores
from neurox_lite.descriptions.detection import Detection
from neurox_lite.descriptions.distribution import CATEGORIES, EXPLAINED
from neurox_lite.descriptions.neuron_description import NeuronDescriptions
from neurox_lite.descriptions.neuron_formulas import CompositionalFormulas
from neurox_lite.report.blocks import (
    Block,
    Section,
    bars,
    figure,
    figures,
    folded,
    neurons,
    of_interval,
    section,
    table,
)
from neurox_lite.report.markdown import counted, percent
from neurox_lite.report.subjects import Subjects

DESCRIBED, EXEMPLARS, EFFECTS = "neuron descriptions", "exemplars", "description effects"
FORMULAS, SCORES, DETECTION = "compositional formulas", "description scores", "detection"
MOST_ROWS = 40


def about_section(subjects: Subjects) -> Section | None:
    """Descriptions and their scores, categories of all neurons, formulas, causal effects."""
    found = subjects.found
    blocks: list[Block] = []
    for each in found.of(DESCRIBED):
        blocks += _described(each.result, subjects.name(each))
    # Every property of a model may have brought the same.
    distinct = {(each.result.space, each.result.source): each for each in found.of(EXEMPLARS)}
    for each in distinct.values():
        name = each.result.space.model if len(distinct) > 1 else ""
        blocks.append(_categories(each.result, name))
    for each in found.of(FORMULAS):
        blocks.append(_formulas(each.result, subjects.name(each)))
    for each in found.of(EFFECTS):
        blocks.append(_effects(each.result, subjects.name(each)))
    for each in found.of(SCORES):
        blocks.append(_scores(each.result, subjects.name(each)))
    for each in found.of(DETECTION):
        blocks.append(_detection(each.result, subjects.name(each)))
    text = [
        "A description is what the words or sentences at which a neuron is largest (or smallest) "
        "have more often than others. Its score is of sentences it was not made from; a neuron "
        "without one stays without one."
        if any(map(found.of, (DESCRIBED, FORMULAS, EFFECTS, SCORES, DETECTION)))
        else "No neurons were described here; the command neurox-lite describe does that."
    ]
    if distinct:
        text.append(
            "A neuron is one of word identity if the word form explains at least "
            f"{100 * EXPLAINED:g} % of its variance, and positional if the place in the sentence "
            "does. Of the others, a sparse one is active on few words, a dense one on many."
        )
    return section("about", "What are the neurons about?", text, blocks)


def n_described(found: NeuronDescriptions) -> tuple[int, int]:
    """Neurons with a description at some sign, and all that were asked for."""
    described = {one.neuron for one in found.neurons if one.descriptions}
    return len(described), len({one.neuron for one in found.neurons})


def _described(found: NeuronDescriptions, name: str) -> Iterator[Block]:
    some, every = n_described(found)
    items = [
        figure(
            f"neurons with a description{f': {name}' if name else ''}",
            f"{some} of {every}",
            note=f"{percent(found.described_by_chance)} of neurons and signs if activations are "
            "shuffled",
        )
    ]
    for mean in found.means:
        ends = f"{mean.auprc.low:.3f} to {mean.auprc.high:.3f}" if mean.auprc.is_known else ""
        items.append(figure(f"mean AUPRC: {mean.of}", f"{mean.auprc.value:.3f}", ends))
    yield figures(items)
    rows = [
        [
            neurons([one.neuron], found.space),
            one.sign,
            each.text,
            each.level,
            of_interval(each.score.auprc),
            f"{each.score.density:.3f}",
        ]
        for one in found.neurons
        for each in one.descriptions
    ]
    head = ["neuron", "activations", "description", "of", "AUPRC", "by chance"]
    if rows:
        at = f": {name}" if name else ""
        caption = f"Descriptions{at}"
        yield folded(table(caption, head, rows[: 2 * MOST_ROWS]), f"{len(rows):,} descriptions{at}")


def _categories(found: Exemplars, name: str) -> Block:
    counts = np.bincount(found.arrays["categories"], minlength=len(CATEGORIES))
    n_kept, n_all, units = len(found), found.space.n_neurons, found.space.unit_name
    title = f"{counted(n_all, units)} by kind"
    if n_kept < n_all:
        title = f"The first {n_kept:,} of {n_all:,} {units} by the ranking, by kind"
    labels = list(CATEGORIES)
    return bars(f"{title}{f': {name}' if name else ''}", "neurons", "category", labels, counts)


def _formulas(found: CompositionalFormulas, name: str) -> Block:
    rows = []
    for one in found.formulas[:MOST_ROWS]:
        best, shuffled = one.best, one.shuffled
        rows.append(
            [
                neurons([one.neuron], found.space),
                one.sign,
                str(best.formula) if best else f"none: {one.reason}",
                of_interval(best.held_out) if best else "",
                of_interval(shuffled.held_out) if shuffled else "",
            ]
        )
    head = ["neuron", "activations", "formula", "IoU held out", "of shuffled activations"]
    return table(f"Compositional formulas{f': {name}' if name else ''}", head, rows)


def _effects(found: DescriptionEffects, name: str) -> Block:
    rows = [
        [
            neurons([one.neuron], found.space),
            one.description,
            f"{one.n_described:,} of {one.n_sentences:,}",
            of_interval(one.difference),
            of_interval(one.auc),
        ]
        for one in found.effects
    ]
    head = ["neuron", "description", "described sentences", "difference (nats per token)", "AUC"]
    caption = f"What the model loses with a neuron set to its {found.replacement}"
    return table(f"{caption}{f': {name}' if name else ''}", head, rows)


def _scores(found: DescriptionScores, name: str) -> Block:
    rows = [
        [one.description, *map(of_interval, (one.auprc, one.f1, one.iou)), f"{one.density:.3f}"]
        for one in found.scores
    ]
    head = ["description", "AUPRC", "F1", "IoU", "AUPRC by chance"]
    return table(f"Scores of descriptions{f': {name}' if name else ''}", head, rows)


def _detection(found: Detection, name: str) -> Block:
    measures = (("balanced accuracy", found.balanced_accuracy), ("F1", found.f1))
    rows = [[measure, of_interval(value)] for measure, value in measures]
    of = f"{found.n_active:,} active and {found.n_inactive:,} inactive examples"
    caption = f"Detection of {of}{f': {name}' if name else ''}"
    return table(caption, ["measure", "value"], rows)
