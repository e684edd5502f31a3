"""What does not hold: said at the top of the report, before any number."""

from __future__ import annotations

from neurox_lite.models.vocabulary import WARN_SHARE, WARN_SPLIT
from neurox_lite.probing.certificate import Certificate
from neurox_lite.report.curves import KIND as CURVES
from neurox_lite.report.encoded import encoded
from neurox_lite.report.found import MINIMAL, OF_LABELS, SETS
from neurox_lite.report.masks import fits
from neurox_lite.report.subjects import Subjects
from neurox_lite.report.tokens import ATTRIBUTIONS
from neurox_lite.results.pair_task import PairTask

WITH_PROBES = {
    MINIMAL: "minimal set",
    "layer scores": "scores of layers",
    "online code": "online code",
    "learning curve": "learning curve",
    "rank intervals": "rank intervals",
    "localisations": "localisation",
}
"""Results that say ``converged``, and what they are called here."""


def faults(subjects: Subjects) -> list[str]:
    """Words unknown or split, probes not converged, masks not feasible, tasks not done."""
    said = [*_of_words(subjects), *_of_probes(subjects), *_of_masks(subjects)]
    return list(dict.fromkeys(said))


def _of_words(subjects: Subjects) -> list[str]:
    said = []
    for home, of_store in subjects.found.stores.items():
        n_words, n_unknown = of_store.get("n_words", 0), of_store.get("n_unknown_words", 0)
        share = n_unknown / max(n_words, 1)
        if share >= WARN_SHARE:
            before = subjects.found.label_of_store(subjects.labels[home])
            said.append(
                f"{before}the tokenizer does not know {n_unknown:,} of {n_words:,} words "
                f"({100 * share:.0f} %), which all look alike to the model: what is found says "
                "little about them. Take a model of this language."
            )
        n_split = of_store.get("n_split_words", 0)
        if n_split >= WARN_SPLIT * max(n_words, 1):
            before = subjects.found.label_of_store(subjects.labels[home])
            said.append(
                f"{before}the tokenizer splits {n_split:,} of {n_words:,} words "
                f"({100 * n_split / n_words:.0f} %) into several subwords: it may have been made "
                "for another language."
            )
    return said


def _of_probes(subjects: Subjects) -> list[str]:
    said = []
    for one in encoded(subjects):
        before = f"{one.name}: " if one.name else ""
        if not Certificate(**one.evaluation["certificate"]).converged:
            said.append(f"{before}the probe did not converge: do not trust its ranking.")
        if one.control is not None and not one.control.control_converged:
            said.append(f"{before}the control task did not converge: selectivity is too high.")
    found = subjects.found
    for kind, called in WITH_PROBES.items():
        for each in found.of(kind):
            if not each.result.converged:
                said.append(_with_name(subjects.name(each), called))
    for each in found.of(OF_LABELS):
        wrong = [label for label, one in each.result.items() if not one["converged"]]
        if wrong:
            said.append(_with_name(subjects.name(each), f"probes of {', '.join(wrong)}"))
    for each in found.of(SETS):
        if not all(one.converged for one in each.result):
            said.append(_with_name(subjects.name(each), "redundancy"))
    for each in found.of(CURVES):
        for curve in each.result.curves:
            if not curve.converged:
                said.append(_with_name(subjects.name(each), f"ablation by {curve.method}"))
            if curve.task is not None and not curve.task.holds:
                said.append(_of_task(subjects.name(each, "ablation in the model"), curve.task))
    for each in found.of("regularisation search"):
        search, name = each.result, subjects.name(each, "search for penalties")
        if not search.all_converged:
            said.append(f"{name}: some of its probes did not converge.")
    return said


def _of_task(name: str, task: PairTask) -> str:
    return f"{name}: the intact model is {task}, so that nothing can be said."


def _with_name(name: str, called: str) -> str:
    return f"{name}{': ' if name else ''}{called}: some of its probes did not converge."


def _of_masks(subjects: Subjects) -> list[str]:
    said = []
    for name, fit in fits(subjects):
        which = f"Mask {name}" if name else "Mask"
        if not fit.holds:
            said.append(f"{which}: {fit.status}.")
        elif fit.out_of_range:
            said.append(
                f"{which}: a replacement is {fit.max_replacement_z:.1f} standard deviations from "
                "the mean of its neuron, further than any input would bring it."
            )
        short = [str(each) for each in fit.templates if not each.holds]
        if short:
            said.append(f"{which}: less than asked of {', '.join(short)}.")
    for each in subjects.found.of("steering curves"):
        task = each.result.curves[0].task
        if task is not None and not task.holds:
            said.append(_of_task(subjects.name(each, "steering"), task))
    for each in subjects.found.of(ATTRIBUTIONS):
        if not each.result.holds:
            name = subjects.name(each, f"attributions by {each.result.method}")
            said.append(f"{name}: {each.result.status}.")
    for each in subjects.found.of("token mask"):
        mask = each.result
        if mask.infeasible_:
            states = ", ".join(map(str, mask.infeasible_))
            said.append(f"{subjects.name(each, 'token mask')}: infeasible at states {states}.")
    return said
