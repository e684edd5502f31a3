"""One HTML file about everything in a folder of results: what people open first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neurox_lite.arguments import whole_number
from neurox_lite.files import write_text
from neurox_lite.report.about import about_section
from neurox_lite.report.answer import answer
from neurox_lite.report.blocks import shown
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
from neurox_lite.report.faults import faults
from neurox_lite.report.found import FoundResults, find_results
from neurox_lite.report.masks import masks_section
from neurox_lite.report.methods import agreement_section
from neurox_lite.report.neuron_details import neuron_details
from neurox_lite.report.neuron_table import neuron_table, table_rows
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
)
"""In the order of the page; each is None where a folder has nothing of its subject."""


def write_report(folder: str | Path, path: str | Path, *, neurons: int | None = None) -> None:
    """Write one HTML file about all results in a folder, which opens without a network.

    Parameters
    ----------
    folder : path
        Of a job, a study, several jobs, or of any results that were saved, at any depth.
    path : path
        Of the file, in the folder or elsewhere.
    neurons : int, optional
        How many neurons of the main ranking can be opened; by default 5,000 at most.

    Raises
    ------
    InputError
        When there are no results, one is damaged, or the file cannot be written.
    """
    write_text(path, report_page(find_results(folder), neurons=neurons))


def report_page(found: FoundResults, *, neurons: int | None = None) -> str:
    """The page about results that were found; see :func:`write_report`."""
    if neurons is not None:
        neurons = whole_number(neurons, "neurons", least=1)
    subjects = Subjects(found)
    sections = [each for make in SECTIONS if (each := make(subjects)) is not None]
    data: dict[str, Any] = {
        "title": subjects.title,
        "answer": answer(subjects),
        "provenance": provenance(subjects),
        "warnings": faults(subjects),
        "sections": sections,
        "neurons": None,
    }
    rows = table_rows(subjects, neurons)
    details: list[list[dict[str, Any]]] = []
    sentences: list[list[str]] = []
    if rows is not None:
        data["neurons"] = neuron_table(subjects, rows)
        details, sentences = neuron_details(subjects, rows)
    return page(shown(data), details=shown(details), sentences=shown(sentences))
