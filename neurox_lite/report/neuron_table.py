"""The table of neurons: ranks by every method, scores, classes, effects, descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.distribution import CATEGORIES
from neurox_lite.descriptions.neuron_description import NeuronDescription, NeuronDescriptions
from neurox_lite.descriptions.neuron_exemplars import NeuronExemplars
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.report.about import DESCRIBED, EFFECTS, EXEMPLARS
from neurox_lite.report.blocks import plain
from neurox_lite.report.examples import rows_of
from neurox_lite.report.main_ranking import NamedRanking, all_rankings, are_alike, columns_in
from neurox_lite.report.subjects import Subjects, space_of
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.showing import short_repr

MOST_NEURONS = 5_000
MOST_RANKINGS = 40
N_WORDS = 4
IN_MODEL = "single-replacement"
"""The ranking whose scores are what replacing each neuron does to the running model, in nats."""

Column = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """The neurons of the table.

    Attributes
    ----------
    space : NeuronSpace
        Of all of them.
    main : NeuronRanking, optional
        Whose order they have.
    columns : (n_rows,) int array
        Their columns in the space.
    """

    space: NeuronSpace
    main: NeuronRanking | None
    columns: np.ndarray

    __repr__ = short_repr

    @cached_property
    def neurons(self) -> list[Neuron]:
        return self.space.neurons(self.columns)

    def values(self, of: NeuronSpace, values: Sequence[Any] | np.ndarray) -> list[Any]:
        """Numbers of the neurons of another space in the order of the rows; None where unknown."""
        whole: list[Any] = [None] * self.space.n_neurons
        for column, value in zip(columns_in(of, self.space), values, strict=True):
            whole[column] = value
        return [whole[column] for column in self.columns]


def table_rows(subjects: Subjects, most: int | None) -> Rows | None:
    """The neurons to show, in the order of the main ranking; None where there are none.

    Without a ranking those of the exemplars or descriptions in their own order.
    """
    rankings = all_rankings(subjects)
    main = rankings[0].ranking if rankings else None
    space = main.space if main is not None else None
    columns = main.order if main is not None else None
    if space is None:
        for kind in (EXEMPLARS, DESCRIBED):
            for found in subjects.found.of(kind):
                space = space or space_of(found.result)
        if space is None:
            return None
        described = [
            one.neuron
            for f in subjects.found.of(DESCRIBED)
            for one in f.result.neurons
            if are_alike(f.result.space, space)
        ]
        first = space.columns_of(list(dict.fromkeys(described))) if described else np.arange(0)
        others = np.setdiff1d(np.arange(space.n_neurons), first)
        has_all = bool(subjects.found.of(EXEMPLARS))
        columns = np.concatenate([first, others]) if has_all or not described else first
    assert columns is not None
    return Rows(space, main, columns[:most])


def neuron_table(subjects: Subjects, rows: Rows) -> dict[str, Any]:
    """The table as the page has it."""
    space = rows.space
    columns = [*_ranks(subjects, rows), *_of_main(rows), *_effects(subjects, rows)]
    columns += [*_distribution(subjects, rows), *_descriptions(subjects, rows)]
    exemplars = exemplars_of(subjects, space)
    described = descriptions_of(subjects, space)
    source = exemplars.source if exemplars else described[0].source if described else ""
    return {
        "unit_name": space.unit_name,
        "model": space.model,
        "ids": [str(neuron) for neuron in rows.neurons],
        "layers": [neuron.layer for neuron in rows.neurons],
        "columns": columns,
        "classes": class_names(subjects, rows),
        "source": source,
        "of": space.n_neurons,
    }


def same_neurons(subjects: Subjects, rows: Rows) -> list[NamedRanking]:
    """Rankings whose neurons are those of the table, or some of them."""
    return [each for each in all_rankings(subjects) if are_alike(each.ranking.space, rows.space)][
        :MOST_RANKINGS
    ]


def exemplars_of(subjects: Subjects, space: NeuronSpace) -> Exemplars | None:
    """Exemplars of these neurons; the first of several."""
    for found in subjects.found.of(EXEMPLARS):
        exemplars: Exemplars = found.result
        if are_alike(space, exemplars.space) or are_alike(exemplars.space, space):
            return exemplars
    return None


def descriptions_of(subjects: Subjects, space: NeuronSpace) -> list[NeuronDescriptions]:
    """All descriptions of neurons of this space."""
    several = [found.result for found in subjects.found.of(DESCRIBED)]
    return [
        each for each in several if are_alike(each.space, space) or are_alike(space, each.space)
    ]


def class_names(subjects: Subjects, rows: Rows) -> list[str]:
    """Classes whose scores the details have."""
    main = rows.main
    if main is None or main.class_scores is None:
        return []
    return [str(name) for name in main.classes]


def own_exemplars(subjects: Subjects, rows: Rows) -> dict[Neuron, NeuronExemplars]:
    """By neuron those that stand beside descriptions."""
    return {
        own.neuron: own
        for found in descriptions_of(subjects, rows.space)
        for own in found.exemplars
    }


def _ranks(subjects: Subjects, rows: Rows) -> list[Column]:
    intervals = {
        (found.home, found.result.method): found.result
        for found in subjects.found.of("rank intervals")
        if are_alike(found.result.space, rows.space)
    }
    columns = []
    for number, each in enumerate(same_neurons(subjects, rows)):
        ranking = each.ranking
        column: Column = {
            "key": f"rank{number}",
            "title": each.name,
            "help": f"Place by {each.name}; 1 is the first of {ranking.space.n_neurons:,}",
            "kind": "rank",
            "values": rows.values(ranking.space, (ranking.ranks + 1).tolist()),
        }
        known = intervals.get((each.found.home, ranking.method))
        if known is not None:
            column |= _ends(rows, known)
            column["help"] += f", with its {100 * known.level:g} % interval over sentences"
        columns.append(column)
    return columns


def _ends(rows: Rows, known: RankIntervals) -> dict[str, list[Any]]:
    return {
        end: rows.values(known.space, [rank + 1 for rank in getattr(known, end)])
        for end in ("low", "high")
    }


def _of_main(rows: Rows) -> list[Column]:
    main = rows.main
    if main is None:
        return []
    columns = [
        {
            "key": "score",
            "title": "score",
            "help": f"Score by {main.method}",
            "kind": "number",
            "values": plain(main.scores[rows.columns]),
        }
    ]
    if main.class_scores is not None:
        best = main.class_scores[:, rows.columns]
        names = [
            str(main.classes[place]) if column.max() > 0 else None
            for place, column in zip(best.argmax(0), best.T, strict=True)
        ]
        columns.append(
            {
                "key": "class",
                "title": "class",
                "help": "The class for which its score is largest",
                "kind": "text",
                "values": names,
            }
        )
    return columns


def _effects(subjects: Subjects, rows: Rows) -> list[Column]:
    """What the running model loses: by description effects, or a ranking made in the model."""
    found = effects_of(subjects, rows)
    own: dict[Neuron, float] = {}
    for neuron, effects in found.items():
        own[neuron] = effects[0][1]
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
) -> dict[Neuron, list[tuple[str, float, float | None, float | None]]]:
    """By neuron what replacing it does: what of, value, ends of its interval."""
    found: dict[Neuron, list[tuple[str, float, float | None, float | None]]] = {}
    for each in subjects.found.of(EFFECTS):
        effects = each.result
        if not are_alike(effects.space, rows.space):
            continue
        own = effects.effects[0].neuron
        for one in effects.effects:
            if one.neuron == own:
                value, low, high = one.difference.as_json()
                found.setdefault(own, []).append((one.description, float(value or 0), low, high))
    return found


def _distribution(subjects: Subjects, rows: Rows) -> list[Column]:
    exemplars = exemplars_of(subjects, rows.space)
    if exemplars is not None:
        known, arrays = rows_of(exemplars, rows.neurons), exemplars.arrays
        sparseness = [None if row is None else arrays["sparseness"][row] for row in known]
        names = [None if row is None else CATEGORIES[arrays["categories"][row]] for row in known]
        words = [None if row is None else _words(exemplars, row) for row in known]
        values = plain(sparseness)
    else:
        own = own_exemplars(subjects, rows)
        if not own:
            return []
        values = plain(own[n].sparseness if n in own else None for n in rows.neurons)
        names = [own[n].category if n in own else None for n in rows.neurons]
        words = [
            _first_of(word.form for word in own[n].highest.words) if n in own else None
            for n in rows.neurons
        ]
    return [
        {
            "key": "words",
            "title": "words",
            "help": "Word forms with the highest mean activation",
            "kind": "text",
            "values": words,
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
