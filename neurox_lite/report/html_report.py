"""One HTML file about everything in a folder of results: what people open first."""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neurox_lite.arguments import as_path, whole_number
from neurox_lite.errors import InputError
from neurox_lite.files import write_text
from neurox_lite.neurons import ALL, NeuronSpace
from neurox_lite.outputs import refuse_foreign
from neurox_lite.report.about import about_section
from neurox_lite.report.answer import answer
from neurox_lite.report.blocks import linked, shown
from neurox_lite.report.compared import (
    localised_section,
    profiles_section,
    shared_section,
    similar_section,
)
from neurox_lite.report.curves import curves_section, used_section
from neurox_lite.report.depth import (
    certainty_section,
    data_section,
    ease_section,
    redundancy_section,
    search_section,
)
from neurox_lite.report.encoded import encoded_section
from neurox_lite.report.examples import Sentences
from neurox_lite.report.faults import faults
from neurox_lite.report.found import FoundResults, find_results
from neurox_lite.report.found_again import found_again_section
from neurox_lite.report.main_ranking import are_alike
from neurox_lite.report.masks import masks_section
from neurox_lite.report.methods import agreement_section
from neurox_lite.report.neuron_details import neuron_details
from neurox_lite.report.neuron_rows import MOST_NEURONS, Rows, rows_of_models
from neurox_lite.report.neuron_table import neuron_table
from neurox_lite.report.notes import notes
from neurox_lite.report.page import page
from neurox_lite.report.provenance import provenance
from neurox_lite.report.steered import steering_section
from neurox_lite.report.subjects import Subjects
from neurox_lite.report.tokens import tokens_section
from neurox_lite.report.where import where_section

SECTIONS = (
    encoded_section,
    curves_section,
    used_section,
    where_section,
    about_section,
    agreement_section,
    certainty_section,
    redundancy_section,
    ease_section,
    data_section,
    search_section,
    masks_section,
    steering_section,
    tokens_section,
    shared_section,
    profiles_section,
    localised_section,
    similar_section,
    found_again_section,
)
"""In the order of the page; each is None where a folder has nothing of its subject."""


def write_report(folder: str | Path, path: str | Path, *, neurons: int | str | None = None) -> None:
    """Write one HTML file about all results in a folder, which opens without a network.

    Parameters
    ----------
    folder : path
        Of a job, a study, several jobs, or of any results that were saved, at any depth.
    path : path
        Of the file, in the folder or elsewhere.
    neurons : int or "all", optional
        How many neurons of each model's main ranking can be opened; by default 5,000 at most.

    Raises
    ------
    InputError
        When there are no results, one is damaged, the file cannot be written, or is there and was
        not written by neurox_lite.
    """
    most, path = most_neurons(neurons), as_path(path)
    refuse_foreign(path.parent, [glob.escape(path.name)])
    write_found(find_results(folder), path, neurons=most)


def write_report_of_run(folder: Path, path: Path) -> None:
    """The same at the end of a run, which a damaged file that was put there does not end.

    What cannot be read is left out with a warning, and the page says so.
    """
    write_found(find_results(folder, or_without=True), path, neurons=MOST_NEURONS)


def most_neurons(given: int | str | None) -> int | None:
    """How many neurons of a model can be opened at most; None for all.

    Raises
    ------
    InputError
        When it is neither a number above 0 nor "all".
    """
    if given is None:
        return MOST_NEURONS
    if isinstance(given, str):
        if given == ALL:
            return None
        raise InputError(f"neurons is '{given}'; give 'all' or a number of at least 1")
    return whole_number(given, "neurons", least=1)


def write_found(found: FoundResults, path: str | Path, *, neurons: int | None) -> None:
    """Write the page about results that were found; of all neurons if there is no number."""
    write_text(path, report_page(found, neurons=neurons))


def report_page(found: FoundResults, *, neurons: int | None) -> str:
    """The page itself."""
    data, details, sentences = report_data(found, neurons=neurons)
    return page(data, details=details, sentences=sentences)


def report_data(
    found: FoundResults, *, neurons: int | None
) -> tuple[dict[str, Any], list[list[list[dict[str, Any]]]], list[list[str]]]:
    """What the page shows, the details of each model's neurons in chunks, and their sentences."""
    subjects = Subjects(found)
    tables = rows_of_models(subjects, neurons)
    sections = [made for make in SECTIONS if (made := make(subjects)) is not None]
    data: dict[str, Any] = {
        "title": subjects.title,
        "answer": answer(subjects),
        "provenance": provenance(subjects),
        "warnings": faults(subjects),
        "notes": notes(subjects),
        "sections": [linked(each, _model_of(tables)) for each in sections],
        "neurons": [neuron_table(subjects, rows, name) for name, rows in tables.items()],
    }
    sentences = Sentences()
    details = [neuron_details(subjects, tables, name, sentences) for name in tables]
    return shown(data), shown(details), shown(sentences.found)


def _model_of(tables: Mapping[str, Rows]) -> Callable[[NeuronSpace, list[str]], str | None]:
    """In the table of which model there are some neurons; None where they are in none."""
    known = {name: set(map(str, rows.neurons)) for name, rows in tables.items()}

    def model(space: NeuronSpace, named: list[str]) -> str | None:
        for name, rows in tables.items():
            if are_alike(space, rows.space) and known[name].issuperset(named):
                return name
        return None

    return model
