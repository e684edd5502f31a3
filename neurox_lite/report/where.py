"""Which neurons, and where? The first of each ranking, counts of layers, scores of layers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurox_lite.probing.layerwise import LayerScores
from neurox_lite.report.best_class import TIED, best_class, class_name
from neurox_lite.report.blocks import (
    Block,
    Section,
    bars,
    folded,
    heat,
    lines,
    neurons,
    note,
    section,
    series,
    table,
)
from neurox_lite.report.main_ranking import main_rankings
from neurox_lite.report.neuron_rows import Rows, exemplars_of
from neurox_lite.report.neuron_table import highest_words, values_of_classes
from neurox_lite.report.subjects import Subjects
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.showing import some

MASS = 0.25
"""Of a class's importance, that its salient neurons hold."""

MOST_CLASSES = 40
N_FIRST = 10


def where_section(subjects: Subjects) -> Section | None:
    """Neurons per layer of every main ranking, classes by layer, and scores of layers."""
    blocks: list[Block] = []
    for home, ranking in main_rankings(subjects).items():
        label = subjects.labels.get(home, "")
        blocks += _first(subjects, home, ranking, label)
        blocks += _of_ranking(ranking, label)
        blocks += _negligible(subjects, ranking, label)
    for found in subjects.found.of("layer scores"):
        blocks.append(_of_layers(found.result, subjects.name(found)))
    text = (
        "The first neurons of a ranking, the class that each is for, and the words on which it is "
        f"highest. Salient neurons are the fewest that hold {100 * MASS:g} % of the importance of "
        "some class; of a ranking without classes they are its first tenth."
    )
    return section("where", "Which neurons, and where?", [text], blocks)


def _first(subjects: Subjects, home: str, ranking: NeuronRanking, label: str) -> Iterator[Block]:
    """The first neurons of a ranking, which class each is for, and on which words it is high."""
    space = ranking.space
    first = Rows(space, ranking, ranking.order[: min(N_FIRST, ranking.n_ordered)])
    own = values_of_classes(subjects, home, ranking)
    classes: list[str | None] = [None] * len(first.columns)
    if own is not None:
        classes = [best_class(ranking.classes, own[0][:, column]) for column in first.columns]
    known = [("class", classes), ("highest words", highest_words(subjects, first))]
    shown = [(name, values) for name, values in known if any(values)]
    if len(first.columns):
        yield table(
            f"The first {space.unit_name} by {ranking.method}{f': {label}' if label else ''}",
            [space.unit_name.removesuffix("s"), *(name for name, _ in shown)],
            [
                [neurons([neuron], space), *(values[place] for _, values in shown)]
                for place, neuron in enumerate(first.neurons)
            ],
        )


def _of_ranking(ranking: NeuronRanking, label: str) -> Iterator[Block]:
    space = ranking.space
    units = space.unit_name
    title = f"Salient {units} per layer{f': {label}' if label else ''}"
    has_classes = ranking.class_scores is not None
    tenth = min(max(1, space.n_neurons // 10), ranking.n_ordered)
    k = None if has_classes else tenth
    counts = ranking.per_layer(k, mass=MASS)
    if len(counts) > 1:
        names = [str(layer) for layer in counts]
        yield bars(title, units, "layer", names, counts.values())
    if not has_classes:
        return
    salient = _salient(ranking)
    rows = [space.count_per_layer(columns) for columns in salient.values()]
    most = max((n for row in rows for n in row.values()), default=0)
    if len(counts) > 1 and len(salient) > 1:
        yield heat(
            f"Salient {units} of each class, by layer{f': {label}' if label else ''}",
            ("class", "layer"),
            list(salient),
            [str(layer) for layer in counts],
            [row.values() for row in rows],
            (0, max(most, 1)),
            form="count",
        )
    at = f": {label}" if label else ""
    yield folded(
        table(
            f"{units.capitalize()} for {100 * MASS:g} % of a class's weight{at}",
            ["class", units, "the first ten"],
            [
                (
                    name,
                    len(columns),
                    neurons(ranking.space.neurons(columns[:10]), ranking.space),
                )
                for name, columns in salient.items()
            ],
        ),
        f"{units.capitalize()} by class{f': {label}' if label else ''}",
    )


def _negligible(subjects: Subjects, ranking: NeuronRanking, label: str) -> Iterator[Block]:
    """Ranked neurons that the model cannot read, in a line."""
    space, exemplars = ranking.space, exemplars_of(subjects, ranking.space)
    if exemplars is None or space.groups is not None:
        return
    found = [neuron for neuron in exemplars.negligible if neuron.layer in space.layers]
    ranks = [int(ranking.ranks[space.column(neuron)]) for neuron in found]
    ranked = [
        f"{neuron} (rank {rank + 1:,})"
        for neuron, rank in zip(found, ranks, strict=True)
        if rank < ranking.n_ordered
    ]
    if ranked:
        yield note(
            f"{f'{label}: ' if label else ''}{some(ranked)}: varies by less than 1e-12 of what "
            "other neurons of its layer do. A probe reads it, since it standardises; in the sums "
            "of the model it is lost."
        )


def _salient(ranking: NeuronRanking) -> dict[str, np.ndarray]:
    """By class; of two that have the same scores, as those of a probe of two, once for both."""
    salient, scores = ranking.salient(MASS), ranking.class_scores
    if scores is not None and len(scores) == 2 and np.allclose(scores[0], scores[1], TIED, 0):
        return {" and ".join(map(class_name, ranking.classes)): next(iter(salient.values()))}
    return {class_name(name): columns for name, columns in list(salient.items())[:MOST_CLASSES]}


def _of_layers(scores: LayerScores, label: str) -> Block:
    return lines(
        f"What a probe of each layer reads{f': {label}' if label else ''}",
        "layer",
        f"test {scores.metric}",
        range(len(scores.layers)),
        [
            series("this layer", scores.separate),
            series("layers up to this one", scores.cumulative, style="dashed"),
        ],
        ticks=[str(layer) for layer in scores.layers],
        is_percent=scores.metric == "accuracy",
        references={"no neuron": scores.baseline},
    )


def best_layer(scores: LayerScores) -> tuple[int, float]:
    """The layer whose probe is best alone, and its score."""
    place = int(np.argmax(scores.separate))
    return scores.layers[place], scores.separate[place]
