"""Everything about each neuron of the table, in chunks that are read when one is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurox_lite.correlation.neuron_twins import NeuronTwins
from neurox_lite.descriptions.distribution import CATEGORIES
from neurox_lite.descriptions.neuron_description import NeuronDescription
from neurox_lite.descriptions.neuron_exemplars import NeuronExemplars
from neurox_lite.descriptions.neuron_tokens import TokensWritten
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.report.examples import Sentences, of_arrays, of_one, rows_of
from neurox_lite.report.neuron_rows import (
    Rows,
    are_of_one,
    descriptions_of,
    exemplars_of,
    own_exemplars,
)
from neurox_lite.report.neuron_table import class_values, effects_of
from neurox_lite.report.subjects import Subjects

PER_CHUNK = 64
N_TOKENS, N_TWINS = 10, 5
SIGNS = ("highest", "lowest")


def neuron_details(
    subjects: Subjects, tables: Mapping[str, Rows], model: str, sentences: Sentences
) -> list[list[dict[str, Any]]]:
    """Details of a model's neurons in the order of its table, in chunks.

    Parameters
    ----------
    subjects : Subjects
    tables : mapping of str to Rows
        Of all models, by what they are called.
    model : str
        Of which of them.
    sentences : Sentences
        Those that details name are added.
    """
    rows = tables[model]
    of_exemplars = _exemplars(subjects, rows, sentences)
    described = _descriptions(subjects, rows)
    written = _tokens(subjects, rows)
    weights = _weights(subjects, rows)
    effects, twins = effects_of(subjects, rows), _twins(subjects, tables, rows)
    details = []
    for place, neuron in enumerate(rows.neurons):
        details.append(
            {
                "category": None,
                "facts": [],
                "median": 0.0,
                "scale": 0.0,
                "histogram": None,
                "bands": [],
                "words": {"highest": [], "lowest": []},
                **of_exemplars.get(neuron, {}),
                "descriptions": described.get(neuron),
                "tokens": written.get(neuron),
                "weights": [each[place] for each in weights],
                "effects": [list(each) for each in effects.get(neuron, [])],
                **twins.get(neuron, {"twins": [], "others": []}),
            }
        )
    return [details[i : i + PER_CHUNK] for i in range(0, len(details), PER_CHUNK)]


def _exemplars(
    subjects: Subjects, rows: Rows, sentences: Sentences
) -> dict[Neuron, dict[str, Any]]:
    exemplars = exemplars_of(subjects, rows.space)
    if exemplars is None:
        own = own_exemplars(subjects, rows)
        return {
            neuron: {**_facts(own[neuron]), **of_one(own[neuron], sentences)}
            for neuron in rows.neurons
            if neuron in own
        }
    arrays = exemplars.arrays
    found = {
        neuron: {**_facts_of_arrays(arrays, row), **of_arrays(exemplars, row, sentences)}
        for neuron, row in zip(rows.neurons, rows_of(exemplars, rows.neurons), strict=True)
        if row is not None
    }
    for neuron in exemplars.negligible:
        if neuron in found:
            found[neuron]["facts"].append(["of its layer's spread", "below 1e-12: negligible"])
    return found


def _facts(own: NeuronExemplars) -> dict[str, Any]:
    return _said(
        own.category, own.sparseness, own.of_word, own.of_position, own.smallest, own.largest
    )


def _facts_of_arrays(arrays: Mapping[str, np.ndarray], row: int) -> dict[str, Any]:
    names = ("sparseness", "of_word", "of_position", "smallest", "largest")
    values = (float(arrays[name][row]) for name in names)
    return _said(CATEGORIES[arrays["categories"][row]], *values)


def _said(
    category: str, sparseness: float, of_word: float, of_position: float, low: float, high: float
) -> dict[str, Any]:
    return {
        "category": category,
        "facts": [
            ["density", f"{100 * sparseness:.1f} %"],
            ["variance of word forms", f"{100 * of_word:.0f} %"],
            ["variance of positions", f"{100 * of_position:.0f} %"],
            ["activations", f"{low:.3g} to {high:.3g}"],
        ],
    }


def _descriptions(subjects: Subjects, rows: Rows) -> dict[Neuron, dict[str, Any]]:
    found: dict[Neuron, dict[str, Any]] = {}
    for several in descriptions_of(subjects, rows.space):
        for one in several.neurons:
            found.setdefault(one.neuron, dict.fromkeys(SIGNS))[one.sign] = _description(one)
    return {
        neuron: {sign: own[sign] or {"found": [], "none": "not described"} for sign in SIGNS}
        for neuron, own in found.items()
    }


def _description(one: NeuronDescription) -> dict[str, Any]:
    found = []
    for each in one.descriptions:
        value, low, high = each.score.auprc.as_json()
        found.append(
            {
                "text": each.text,
                "level": each.level,
                "auprc": _short(value),
                "low": _short(low),
                "high": _short(high),
                "chance": _short(each.score.density),
            }
        )
    return {"found": found, "none": one.reason if not found else ""}


def _tokens(subjects: Subjects, rows: Rows) -> dict[Neuron, dict[str, list[str]]]:
    found: dict[Neuron, dict[str, list[str]]] = {}
    for each in subjects.found.of("tokens written"):
        written: TokensWritten = each.result
        if not are_of_one(written.space, rows.space):
            continue
        parts = zip(written.neurons, written.raised, written.lowered, strict=True)
        for neuron, raised, lowered in parts:
            found[neuron] = {"raises": list(raised[:N_TOKENS]), "lowers": list(lowered[:N_TOKENS])}
    return found


def _twins(
    subjects: Subjects, tables: Mapping[str, Rows], rows: Rows
) -> dict[Neuron, dict[str, list[list[Any]]]]:
    """The neurons that correlate most with each, of its own model and of others.

    Of these stand the model, the neuron, the correlation, and whether there is a page of it.
    """
    found: dict[Neuron, dict[str, list[list[Any]]]] = {}
    seen: list[NeuronSpace | None] = []
    for each in subjects.found.of("neuron twins"):
        own: NeuronTwins = each.result
        # Every property of a model may have brought the same.
        if not are_of_one(own.space, rows.space) or own.other_space in seen:
            continue
        seen.append(own.other_space)
        name, known = _table_of(own.other_space, tables)
        for neuron in own.neurons:
            lists = found.setdefault(neuron, {"twins": [], "others": []})
            for twin, r in own.of(neuron)[:N_TWINS]:
                pair = [str(twin), _short(r)]
                if own.other_space is None:
                    lists["twins"].append(pair)
                else:
                    lists["others"].append([name, *pair, twin in known])
    return found


def _table_of(space: NeuronSpace | None, tables: Mapping[str, Rows]) -> tuple[str, set[Neuron]]:
    """What the model of a space is called, and which of its neurons there are pages of."""
    if space is None:
        return "", set()
    for name, rows in tables.items():
        if are_of_one(space, rows.space):
            return name, set(rows.neurons)
    return space.model, set()


def _weights(subjects: Subjects, rows: Rows) -> list[list[list[float] | None]]:
    """Of the classes of every job: weights of its probe, or else scores per class."""
    return [
        [
            None if place is None else [float(f"{v:.3g}") for v in each.values[:, place].tolist()]
            for place in rows.places_in(each.space)
        ]
        for each in class_values(subjects, rows)
    ]


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")
