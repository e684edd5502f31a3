"""summary.md of a job of several tags or models: what they share, and how localised they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neurox_lite.corpora.label_rules import LabelRules
from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.escaping import markdown, markdown_code
from neurox_lite.evaluation.localisations import LocalisationDifference, Localisations
from neurox_lite.files import write_text
from neurox_lite.ranking.layer_profiles import LayerProfiles
from neurox_lite.ranking.shared_neurons import SharedNeurons
from neurox_lite.report.compared import (
    CHOSEN,
    MEASURES,
    NOT_KNOWN,
    localised_rows,
    profile_rows,
    said_of_difference,
    shared_rows,
)
from neurox_lite.report.comparison_files import (
    LAYER_PROFILES,
    LOCALISATIONS,
    beside,
    shared_file,
)
from neurox_lite.report.data import changed_labels, chosen_words
from neurox_lite.report.job_files import CONTROL, EVALUATION, MINIMAL_SET, SUMMARY
from neurox_lite.report.markdown import Markup, percent, table

N_NAMED = 10
"""Neurons, or heads, that are named."""


@dataclass(frozen=True)
class LeafResults:
    """Where the results of one tag and one model are, relative to the folder.

    Attributes
    ----------
    tag, model : str
        As a person would call them.
    name : str
        Of their folder.
    model_folder : str
        Where the model's comparison of its tags is.
    """

    tag: str
    model: str
    name: str
    model_folder: str


def write_comparison(
    folder: str | Path,
    leaves: Sequence[LeafResults],
    *,
    corpus: str,
    words: WordSelection,
    rules: LabelRules,
    figure_format: str = "png",
) -> None:
    """Write ``summary.md`` from the results in a folder and its subfolders.

    Parameters
    ----------
    folder : path
    leaves : sequence of LeafResults
    corpus : str
        What the results are of, as a person would say it.
    words : WordSelection
    rules : LabelRules
        What was done to the labels.
    figure_format : str
        How the names of the figures end.
    """
    folder = Path(folder)
    tags = list(dict.fromkeys(leaf.tag for leaf in leaves))
    models = list(dict.fromkeys(leaf.model for leaf in leaves))
    codes = ", ".join(map(markdown_code, tags))
    sections = [
        f"# {markdown(', '.join(tags))}: which neurons of {markdown(' and '.join(models))}?",
        f"Labels {codes} of {markdown(corpus)}{changed_labels(rules)}{chosen_words(words)}.",
        _each(folder, leaves),
    ]
    if len(tags) > 1:
        by_model = {leaf.model_folder: leaf.model for leaf in leaves}
        for model_folder, model in by_model.items():
            file = shared_file(model_folder)
            of = f" ({markdown(model)})" if len(models) > 1 else ""
            sections.append(_shared(file.read(folder), of, _figure(file.name, figure_format)))
    sections.append(
        _layers(LAYER_PROFILES.read(folder), _figure(LAYER_PROFILES.name, figure_format))
    )
    found = LOCALISATIONS.read(folder)
    sections.append(_localised(found, _figure(LOCALISATIONS.name, figure_format)))
    if len(models) > 1:
        sections.append(_differences(found.differences()))
    write_text(folder / SUMMARY.name, "\n\n".join(sections) + "\n")


def _figure(name: str, figure_format: str) -> str:
    return next(one for one in beside(name) if one.endswith(f".{figure_format}"))


def _each(folder: Path, leaves: Sequence[LeafResults]) -> str:
    rows = []
    for leaf in leaves:
        place = folder / leaf.name
        evaluation, minimal = EVALUATION.read(place), MINIMAL_SET.read(place)
        low, high = evaluation["test_accuracy_interval"]
        size = "no share is enough"
        if minimal.columns is not None and minimal.share is not None:
            size = f"{len(minimal.columns)} ({100 * minimal.share:g} %)"
        rows.append(
            (
                leaf.tag,
                leaf.model,
                f"{percent(evaluation['test_accuracy'])} ({percent(low)} to {percent(high)})",
                percent(evaluation["majority_accuracy"]),
                f"{100 * CONTROL.read(place).selectivity:.2f}",
                size,
                Markup(markdown_code(f"{leaf.name}/{SUMMARY.name}")),
            )
        )
    header = (
        *("property", "model", "test accuracy (95 % interval)", "majority class"),
        *("selectivity (points)", "minimal set", "more"),
    )
    return "## Is each encoded?\n\n" + table(header, rows)


def _shared(found: SharedNeurons, of: str, figure: str) -> str:
    sizes = ", ".join(
        f"{markdown(name)} {len(own):,}"
        for name, own in zip(found.properties, found.neurons, strict=True)
    )
    units = found.space.unit_name
    of_all = "Both have" if len(found.properties) == 2 else f"All {len(found.properties)} have"
    named = [_named(of_all, found.shared(), units)]
    named += [
        _named(f"Only {markdown(name)} has", found.only(name), units) for name in found.properties
    ]
    return "\n\n".join(
        (
            f"## Which {units} do they share?{of}",
            f"{CHOSEN} These are {sizes} of {found.space.n_neurons:,} {units}. By chance: if each "
            f"had as many, drawn at random from all {units}; within layers, if it had as many of "
            f"each layer (figure: `{figure}`).",
            table(*shared_rows(found)),
            "\n".join(f"- {line}" for line in named),
            "Chance is that of sets that have nothing to do with each other. Labels of the same "
            f"words are related, and some {units} serve every probe: sharing more than chance does "
            "not say that the model relates the properties.",
        )
    )


def _named(start: str, neurons: Sequence[object], units: str) -> str:
    if not neurons:
        return f"{start} no {units.removesuffix('s')}."
    shown = ", ".join(map(str, neurons[:N_NAMED]))
    more = ", ..." if len(neurons) > N_NAMED else ""
    return f"{start} {len(neurons):,}: {shown}{more}."


def _layers(found: LayerProfiles, figure: str) -> str:
    return "\n\n".join(
        (
            "## In which layers?",
            f"The same {found.units} by layer. Entropy is 0 if they are in one layer, and 1 if "
            "they are spread as all are; as many drawn at random have that of the last "
            f"column on average (figure: `{figure}`).",
            table(*profile_rows(found)),
        )
    )


def _localised(found: Localisations, figure: str) -> str:
    doubt = () if found.converged else ("**Some of these probes did NOT CONVERGE.**",)
    return "\n\n".join(
        (
            "## How localised is each?",
            f"{MEASURES} Probes of a sample of the training words; 95 % intervals over its "
            f"sentences and those of test (figure: `{figure}`). {NOT_KNOWN}",
            table(*localised_rows(found)),
            *doubt,
        )
    )


def _differences(found: Sequence[LocalisationDifference]) -> str:
    lines = [f"- {markdown(said_of_difference(one))}" for one in found]
    return "\n\n".join(
        (
            "## More localised in one model than in another?",
            "95 % intervals over sentences; of models with the same words over the same resamples. "
            "Of fewer neurons, fewer layers or more overlap of classes, each is its own sense of "
            "localised.",
            "\n".join(lines) if lines else "Nothing can be compared.",
        )
    )
