"""The table of neurons: ranks by every method, scores, classes, effects, descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.distribution import CATEGORIES
from neurox_lite.descriptions.neuron_description import NeuronDescription, NeuronDescriptions
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.report.about import EFFECTS
from neurox_lite.report.best_class import best_class, class_name, weights_of
from neurox_lite.report.blocks import plain
from neurox_lite.report.examples import rows_of
from neurox_lite.report.main_ranking import (
    IN_MODEL,
    NamedRanking,
    are_alike,
    are_of,
)
from neurox_lite.report.neuron_rows import (
    Rows,
    descriptions_of,
    exemplars_of,
    of_jobs,
    own_exemplars,
    same_neurons,
)
from neurox_lite.report.subjects import Subjects
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.showing import short_repr

N_WORDS = 4

Column = dict[str, Any]


def neuron_table(subjects: Subjects, rows: Rows, model: str) -> dict[str, Any]:
    """The table as the page has it, of a model that is called so."""
    space = rows.space
    columns = [*_ranks(subjects, rows), *_of_main(subjects, rows), *_effects(subjects, rows)]
    columns += [*_distribution(subjects, rows), *_descriptions(subjects, rows)]
    exemplars = exemplars_of(subjects, space)
    described = descriptions_of(subjects, space)
    source = exemplars.source if exemplars else described[0].source if described else ""
    return {
        "unit_name": space.unit_name,
        "model": model,
        "ids": [str(neuron) for neuron in rows.neurons],
        "layers": [neuron.layer for neuron in rows.neurons],
        "columns": columns,
        "classes": [
            {"of": each.label, "names": each.names, "values_are": each.what}
            for each in class_values(subjects, rows)
        ],
        "ordered_by": rows.main.method if rows.main is not None else None,
        "source": source,
        "of": space.n_neurons,
    }


@dataclass(frozen=True)
class ClassValues:
    """What there is of each class of a job.

    Attributes
    ----------
    label : str
        Of the job, where there are several.
    names : list of str
        Of the classes.
    values : (n_classes, n_neurons) array
        Weights of the job's probe, or scores of its ranking.
    what : str
        Which of these.
    space : NeuronSpace
        Of the neurons.
    """

    label: str
    names: list[str]
    values: np.ndarray
    what: str
    space: NeuronSpace

    __repr__ = short_repr


def class_values(subjects: Subjects, rows: Rows) -> list[ClassValues]:
    """Of every job whose ranking has classes."""
    found = []
    for each in of_jobs(subjects, rows):
        ranking = each.ranking
        own = values_of_classes(subjects, each.found.home, ranking)
        if own is not None:
            names = [class_name(name) for name in ranking.classes]
            found.append(ClassValues(each.label, names, *own, ranking.space))
    return found


def values_of_classes(
    subjects: Subjects, home: str, ranking: NeuronRanking
) -> tuple[np.ndarray, str] | None:
    """Weights of a job's probe (n_classes, n_neurons), or scores of its ranking; and which."""
    if ranking.class_scores is None:
        return None
    probes = (one.result for one in subjects.found.of("probe", home))
    weights = next((w for w in (weights_of(p, ranking) for p in probes) if w is not None), None)
    if weights is None:
        return ranking.class_scores, f"score by {ranking.method}"
    return weights, "weight in the probe"


def _ranks(subjects: Subjects, rows: Rows) -> list[Column]:
    columns = []
    for number, each in enumerate(same_neurons(subjects, rows)):
        ranking = each.ranking
        has_rank = ranking.ranks < ranking.n_ordered
        column: Column = {
            "key": f"rank{number}",
            "title": _of(each.label, f"rank by {each.name.removeprefix(f'{each.label}: ')}"),
            "help": f"Place by {each.name}; 1 is the first of {ranking.space.n_neurons:,}",
            "kind": "rank",
            "values": _ordered(rows, ranking, ranking.ranks, has_rank),
        }
        if not has_rank.all():
            column["help"] += (
                f"; {(~has_rank).sum():,} that it does not tell apart at its end have none"
            )
        known = next((one for one in _intervals(subjects, each) if are_of(one, ranking)), None)
        if known is not None:
            ends = {"low": known.low, "high": known.high}
            column |= {end: _ordered(rows, ranking, v, has_rank) for end, v in ends.items()}
            column["help"] += f", with its {100 * known.level:g} % interval over sentences"
        columns.append(column)
    return columns


def _intervals(subjects: Subjects, ranking: NamedRanking) -> list[RankIntervals]:
    return [each.result for each in subjects.found.of("rank intervals", ranking.found.home)]


def _ordered(
    rows: Rows, ranking: NeuronRanking, places: Sequence[int] | np.ndarray, has_rank: np.ndarray
) -> list[int | None]:
    """Places from 1 on; None of neurons that the method does not tell apart."""
    values = [int(p) + 1 if ok else None for p, ok in zip(places, has_rank, strict=True)]
    return rows.values(ranking.space, values)


def _of_main(subjects: Subjects, rows: Rows) -> list[Column]:
    main = rows.main
    if main is None:
        return []
    label = same_neurons(subjects, rows)[0].label
    columns = [
        {
            "key": "score",
            "title": _of(label, "score"),
            "help": f"Score by {main.method}",
            "kind": "number",
            "values": plain(main.scores[rows.columns]),
        }
    ]
    for number, each in enumerate(class_values(subjects, rows)):
        places = rows.places_in(each.space)
        columns.append(
            {
                "key": f"class{number}",
                "title": _of(each.label, "class"),
                "help": f"The class with the largest {each.what}; none where classes share it",
                "kind": "text",
                "values": [
                    None if place is None else best_class(each.names, each.values[:, place])
                    for place in places
                ],
            }
        )
    return columns


def _of(label: str, title: str) -> str:
    return f"{label}: {title}" if label else title


def _effects(subjects: Subjects, rows: Rows) -> list[Column]:
    """What the running model loses: by description effects, or a ranking made in the model."""
    own: dict[Neuron, float | None] = {}
    for found in subjects.found.of(EFFECTS):
        if are_alike(found.result.space, rows.space):
            first = found.result.effects[0]  # others are references
            own.setdefault(first.neuron, plain([first.difference.value])[0])
    if own:
        return [
            {
                "key": "effect",
                "title": "causal effect",
                "help": "How much more the model loses on described sentences than on others when "
                "the neuron is set to its mean, in nats per token",
                "kind": "number",
                "values": [own.get(neuron) for neuron in rows.neurons],
            }
        ]
    for each in same_neurons(subjects, rows):
        ranking = each.ranking
        if ranking.method == IN_MODEL:
            return [
                {
                    "key": "effect",
                    "title": "causal effect",
                    "help": "What replacing it alone does to the choice between two words, in nats",
                    "kind": "number",
                    "values": rows.values(ranking.space, plain(ranking.scores)),
                }
            ]
    return []


def effects_of(
    subjects: Subjects, rows: Rows
) -> dict[Neuron, list[tuple[str, float | None, float | None, float | None]]]:
    """By neuron what replacing it does: what of, value (None: unknown), ends of its interval."""
    found: dict[Neuron, list[tuple[str, float | None, float | None, float | None]]] = {}
    for each in subjects.found.of(EFFECTS):
        effects = each.result
        if not are_alike(effects.space, rows.space):
            continue
        own = effects.effects[0].neuron
        for one in effects.effects:
            is_own = one.neuron == own
            name = one.description if is_own else f"{one.description}, described of {own}"
            value, low, high = plain(one.difference.as_json())
            found.setdefault(one.neuron, []).append((name, value, low, high))
    return found


def _distribution(subjects: Subjects, rows: Rows) -> list[Column]:
    exemplars = exemplars_of(subjects, rows.space)
    if exemplars is not None:
        known, arrays = rows_of(exemplars, rows.neurons), exemplars.arrays
        sparseness = [None if row is None else arrays["sparseness"][row] for row in known]
        names = [None if row is None else CATEGORIES[arrays["categories"][row]] for row in known]
        values = plain(sparseness)
    else:
        own = own_exemplars(subjects, rows)
        if not own:
            return []
        values = plain(own[n].sparseness if n in own else None for n in rows.neurons)
        names = [own[n].category if n in own else None for n in rows.neurons]
    return [
        {
            "key": "words",
            "title": "highest words",
            "help": "Word forms with the highest mean activation, by the cautious (low) end of its "
            "interval",
            "kind": "text",
            "values": highest_words(subjects, rows),
        },
        {
            "key": "density",
            "title": "density",
            "help": "Share of the words on which it is active, if it is equally so on these and "
            "rests on others (Treves & Rolls 1991); small of a sparse neuron",
            "kind": "percent",
            "values": values,
        },
        {
            "key": "category",
            "title": "category",
            "help": "dead, decided by position or by word form, sparse or dense",
            "kind": "text",
            "values": names,
        },
    ]


def highest_words(subjects: Subjects, rows: Rows) -> list[str | None]:
    """Of each neuron a few word forms with the highest mean; None where they are not known."""
    exemplars = exemplars_of(subjects, rows.space)
    if exemplars is None:
        own = own_exemplars(subjects, rows)
        return [
            _first_of(word.form for word in own[n].highest.words) if n in own else None
            for n in rows.neurons
        ]
    known = rows_of(exemplars, rows.neurons)
    return [None if row is None else _words(exemplars, row) for row in known]


def _words(exemplars: Exemplars, row: int) -> str | None:
    highest = exemplars.arrays["words"][row, 0].tolist()
    return _first_of(exemplars.forms[number] for number in highest if number >= 0)


def _first_of(forms: Iterable[str]) -> str | None:
    return " ".join(islice(forms, N_WORDS)) or None


def best_description(
    several: list[NeuronDescriptions],
) -> dict[Neuron, tuple[str, float, float, float]]:
    """By neuron its best description at either sign, with its AUPRC and the interval."""
    best: dict[Neuron, tuple[str, float, float, float]] = {}
    for found in several:
        for one in found.neurons:
            text, value, low, high = _first(one)
            if one.neuron not in best or value > best[one.neuron][1]:
                best[one.neuron] = (text, value, low, high)
    return best


def _first(one: NeuronDescription) -> tuple[str, float, float, float]:
    if not one.descriptions:
        return ("none", -1.0, -1.0, -1.0)
    first = one.descriptions[0]
    score = first.score.auprc
    sign = "" if one.sign == "highest" else " (lowest)"
    return f"{first.text}{sign}", score.value, score.low, score.high


def _descriptions(subjects: Subjects, rows: Rows) -> list[Column]:
    best = best_description(descriptions_of(subjects, rows.space))
    if not best:
        return []
    own = [best.get(neuron) for neuron in rows.neurons]
    is_scored = [each is not None and each[1] >= 0 for each in own]
    scores = [
        plain(each[place] if each and ok else None for each, ok in zip(own, is_scored, strict=True))
        for place in (1, 2, 3)
    ]
    return [
        {
            "key": "description",
            "title": "description",
            "help": "What its largest (or lowest) activations have in common; none: nothing does",
            "kind": "text",
            "values": [each[0] if each else None for each in own],
        },
        {
            "key": "auprc",
            "title": "AUPRC",
            "help": "How well the description says on which other sentences it is active",
            "kind": "number",
            "values": scores[0],
            "low": scores[1],
            "high": scores[2],
        },
    ]
