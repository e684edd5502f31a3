"""summary.md: the results of a job, for a person to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from neurox_lite.attribution.faithfulness import Faithfulness
from neurox_lite.corpora.label_rules import LabelRules
from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.descriptions.neuron_description import NeuronDescriptions
from neurox_lite.escaping import markdown, markdown_code
from neurox_lite.evaluation.minimal_set import MinimalSet
from neurox_lite.files import write_text
from neurox_lite.json_files import read_json
from neurox_lite.probing.search import RegularisationSearch
from neurox_lite.probing.selectivity import Selectivity
from neurox_lite.report.data import changed_labels, chosen_words, setting, skipped_lines
from neurox_lite.report.encoded import (
    CONFUSIONS,
    NOT_CONVERGED,
    TOO_HIGH,
    confusion_rows,
    probe_rows,
    said_of_minimal,
)
from neurox_lite.report.job_files import (
    ABLATION,
    CONTROL,
    DESCRIPTIONS,
    EVALUATION,
    FAITHFULNESS,
    MINIMAL_SET,
    RANKING,
    RECORD,
    SEARCH,
    STORE,
    SUMMARY,
)
from neurox_lite.report.markdown import Markup, percent, table
from neurox_lite.report.study import study_sections
from neurox_lite.report.tokens import faithful_rows
from neurox_lite.results.ablation import AblationCurve, AblationCurves
from neurox_lite.results.ranking import NeuronRanking

N_TOP = 10
MASS = 0.25


def write_summary(
    folder: str | Path,
    *,
    model: str,
    corpus: str,
    tag: str,
    words: WordSelection,
    rules: LabelRules,
    skipped: Sequence[str] = (),
    search: bool,
    study: bool,
    attributed: str | None = None,
    doubts: str = "",
    described: bool = False,
    figure_format: str = "png",
) -> None:
    """Write ``summary.md`` from the results of the other stages in the same folder.

    Parameters
    ----------
    folder : path
    model, corpus, tag : str
        What the results are of, as a person would say it.
    words : WordSelection
        Which words they are of.
    rules : LabelRules
        What was done to the labels.
    skipped : sequence of str
        Bad lines of the corpus, whose sentences are left out.
    search, study : bool
        Whether there are results of a search for penalties, and of a study.
    attributed : str, optional
        What attributions are of, where there are some.
    doubts : str
        Those that do not hold, and why.
    described : bool
        Whether there are descriptions of neurons.
    figure_format : str
        How the names of the figures end.
    """
    folder = Path(folder)
    ranking, evaluation = RANKING.read(folder), EVALUATION.read(folder)
    with STORE.read(folder) as store:
        metadata, n_words = store.metadata, store.n_rows
    sections = [
        f"# {markdown(tag)}: which neurons of {markdown(model)}?",
        f"Labels {markdown_code(tag)} of {markdown(corpus)}"
        f"{changed_labels(rules)}{chosen_words(words)}.",
        *([skipped_lines(skipped)] if skipped else ()),
        setting(ranking, metadata, n_words, evaluation),
        _probe(evaluation, CONTROL.read(folder)),
        *([_search(SEARCH.read(folder))] if search else ()),
        _neurons(ranking, figure_format),
        _ablation(ABLATION.read(folder), MINIMAL_SET.read(folder), figure_format),
        *(study_sections(folder, figure_format) if study else ()),
        *([_attributions(FAITHFULNESS.read(folder), attributed, doubts)] if attributed else ()),
        *([_descriptions(DESCRIPTIONS.read(folder))] if described else ()),
        _per_class(ranking, evaluation["per_class"]),
        *_confusions(evaluation),
        _costs(read_json(folder / RECORD)),
    ]
    write_text(folder / SUMMARY.name, "\n\n".join(sections) + "\n")


def _probe(evaluation: dict[str, Any], control: Selectivity) -> str:
    rows = [(name, _loud(value)) for name, value in probe_rows(evaluation, control)]
    return "## Is the property encoded?\n\n" + table(("", "value"), rows)


def _loud(value: str) -> str:
    """In bold what does not hold."""
    for doubt in (NOT_CONVERGED, TOO_HIGH):
        if doubt in value:
            return Markup(value.replace(doubt, f"**{doubt}**"))
    return value


def _search(search: RegularisationSearch) -> str:
    l1, l2 = search.best
    edge = (
        f" **This is at the edge of the grid ({', '.join(search.at_edge)}): a larger grid may hold "
        "a better pair.**"
        if search.at_edge
        else ""
    )
    doubt = "" if search.all_converged else " **Probes marked * did NOT CONVERGE.**"
    rows = [
        (
            f"{l1_of_row:g}",
            *(
                f"{score:.3f} ({percent(accuracy)}){'' if converged else ' *'}"
                for score, accuracy, converged in zip(*cells, strict=True)
            ),
        )
        for l1_of_row, *cells in zip(
            search.l1s, search.scores, search.accuracies, search.converged, strict=True
        )
    ]
    return (
        "## Which penalties?\n\n"
        f"Score S of Durrani et al. 2020 and dev accuracy by l1 (rows) and l2 (columns); without "
        f"penalties {percent(search.unregularised_accuracy)}. Chosen: l1 = {l1:g}, l2 = {l2:g}."
        f"{edge}{doubt} These figures come from the dev words it was chosen on, and the best of "
        "many is partly luck; the words of test played no part in the choice.\n\n"
        + table(("l1", *(f"l2 = {b:g}" for b in search.l2s)), rows)
    )


def _neurons(ranking: NeuronRanking, figure_format: str) -> str:
    top = ranking.space.neurons(ranking.top_columns(min(N_TOP, ranking.space.n_neurons)))
    best = ", ".join(map(str, top)) or "none is told apart"
    units = ranking.space.unit_name
    named = "layer:unit" if units == "neurons" else "layer:number"
    n_first = ranking.n_tied_first
    ties = (
        f" The first {n_first} are tied, each the best of some class, and are in layer order."
        if n_first > 1
        else ""
    )
    counts = ranking.per_layer(mass=MASS)
    total = max(sum(counts.values()), 1)
    rows = [(layer, count, percent(count / total)) for layer, count in counts.items()]
    return (
        f"## Which {units}?\n\nTop {len(top)} ({named}): {best}.{ties} All of them: "
        f"`{RANKING.others[0]}`.\n\n"
        f"{units.capitalize()} that hold the top {100 * MASS:g} % of some class's weight, per "
        f"layer ({sum(counts.values())} in all; figure: `{RANKING.figure}.{figure_format}`):\n\n"
        + table(("layer", units, "share"), rows)
    )


def _ablation(curves: AblationCurves, minimal: MinimalSet, figure_format: str) -> str:
    parts = ["## How many neurons does it take?", said_of_minimal(minimal)]
    for curve in curves.curves:
        how = (
            f"probe retrained on the kept {curve.units}"
            if curve.retrained
            else f"probe frozen, other {curve.units} replaced by {curve.replacement}"
        )
        parts.append(
            f"Test accuracy in %, {how} (all {curve.units}: {percent(curve.intact)}; mean "
            f"advantage of the top over random: {100 * curve.area_above_random:.1f} points):"
        )
        if not curve.converged:
            parts.append("**Some of these probes did NOT CONVERGE.**")
        sets = ("top only", "all but top", "bottom only", "random (range)")
        parts.append(table(("share", curve.units, *sets), _curve_rows(curve)))
    parts.append(f"Figure: `{ABLATION.figure}.{figure_format}`.")
    return "\n\n".join(parts)


def _curve_rows(curve: AblationCurve) -> Iterable[Sequence[object]]:
    for i, share in enumerate(curve.shares):
        yield (
            f"{100 * share:g} %",
            curve.counts[i],
            f"{100 * curve.keep.top[i]:.2f}",
            f"{100 * curve.remove.top[i]:.2f}",
            f"{100 * curve.keep.bottom[i]:.2f}",
            f"{100 * curve.keep.random_mean[i]:.2f} "
            f"({100 * curve.keep.random_low[i]:.2f} to {100 * curve.keep.random_high[i]:.2f})",
        )


def _attributions(faithfulness: Faithfulness, attributed: str, doubts: str) -> str:
    said = (
        f"Tokens of {faithfulness.n_texts} sentences of test, by what they do for {attributed}: "
        f"how far its {faithfulness.measure} falls without the tokens of the largest values, and "
        "with these alone (mean and 95 % interval over sentences; every sentence is in "
        "`attribution/`):"
    )
    section = f"## Which tokens decide?\n\n{said}\n\n{table(*faithful_rows(faithfulness))}"
    return f"{section}\n\n**Does not hold: {markdown(doubts)}.**" if doubts else section


def _descriptions(found: NeuronDescriptions) -> str:
    """Of each neuron and sign its descriptions, first words, and the sentence it fires on most."""
    rows = []
    for own in found.exemplars:
        for one, side in zip(found.of(own.neuron), (own.highest, own.lowest), strict=True):
            texts = ", ".join(
                f"{each.text} ({each.level}, AUPRC {each.score.auprc.value:.2f} beside "
                f"{each.score.density:.2f})"
                for each in one.descriptions
            )
            words = ", ".join(word.form for word in side.words[:5])
            sentence: str | Markup = ""
            if side.examples:
                before, word, after = map(markdown, side.examples[0].around())
                sentence = Markup(f"{before} **{word}** {after}")
            rows.append((str(own.neuron), one.sign, texts or "none", words, sentence))
    n_described = len({one.neuron for one in found.neurons if one.descriptions})
    said = (
        f"{n_described} of the first {len(found.exemplars)} neurons have a description: what the "
        "words or sentences that they fire on have more often than others, with how well it says "
        "on other sentences where they are active, beside what chance has. With shuffled "
        f"activations {percent(found.described_by_chance)} of neurons and signs have one. "
        f"{_mean_auprc(found)}More is in `descriptions/descriptions.html`."
    )
    header = ("neuron", "activations", "description", "words", "first sentence")
    return f"## What are they about?\n\n{said}\n\n{table(header, rows)}"


def _mean_auprc(found: NeuronDescriptions) -> str:
    """Of the descriptions, a constant one and shuffled activations."""
    if not found.means:
        return ""
    means = ", ".join(f"{one.auprc.value:.3f} ({one.of})" for one in found.means)
    return f"Mean AUPRC: {means}. "


def _per_class(ranking: NeuronRanking, per_class: list[dict[str, Any]]) -> str:
    salient = ranking.salient(MASS)
    scores = {row["label"]: row for row in per_class}
    rows = []
    for name, columns in salient.items():
        f1 = percent(scores[name]["f1"]) if name in scores else "not in test"
        best = ", ".join(map(str, ranking.space.neurons(columns[:5])))
        rows.append((name, f1, len(columns), best))
    header = ("class", "F1", f"neurons for {100 * MASS:g} % of its weight", "the first five")
    return "## Class by class\n\n" + table(header, rows)


def _confusions(evaluation: dict[str, Any]) -> list[str]:
    rows = confusion_rows(evaluation)
    return ["## What is taken for what\n\n" + table(CONFUSIONS, rows)] if rows else []


def _costs(stages: dict[str, Any]) -> str:
    rows = []
    for name, entry in stages.items():
        if name == "summary":
            continue
        memory = entry["peak_memory"]
        rows.append(
            (name, f"{entry['seconds']:.1f}", "" if memory is None else f"{memory / 2**20:,.0f}")
        )
    return "## What it cost\n\n" + table(("stage", "seconds", "peak memory (MiB)"), rows)
