"""Is the property encoded? What a probe reads, beside what chance and memory would give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from neurox_lite.evaluation.minimal_set import MinimalSet
from neurox_lite.probing.certificate import Certificate
from neurox_lite.probing.selectivity import Selectivity
from neurox_lite.report.best_class import class_name
from neurox_lite.report.blocks import (
    Block,
    Section,
    bars,
    between,
    figure,
    figures,
    folded,
    section,
    spoken,
    table,
)
from neurox_lite.report.found import CONTROL_TASK, EVALUATION, MINIMAL, OF_LABELS, Found
from neurox_lite.report.markdown import counted, pair, percent, points
from neurox_lite.report.subjects import Subjects

NOT_CONVERGED = "NOT CONVERGED: do not trust the ranking"
TOO_HIGH = "control NOT CONVERGED: too high"
MOST_CLASSES, MOST_CONFUSIONS = 60, 20

CONFUSIONS = ("label", "taken for", "words", "of the label's words")


@dataclass(frozen=True)
class Encoded:
    """What is known of one probe.

    Attributes
    ----------
    name : str
        Among the other probes; empty of the only one.
    home : str
    evaluation : dict
    control : Selectivity, optional
    minimal : MinimalSet, optional
    """

    name: str
    home: str
    evaluation: Mapping[str, Any]
    control: Selectivity | None
    minimal: MinimalSet | None

    @property
    def is_regression(self) -> bool:
        return "test_r2" in self.evaluation

    @property
    def interval(self) -> tuple[float, float]:
        """Of the accuracy on test, 0 to 1 where it is not known."""
        low, high = self.evaluation.get("test_accuracy_interval", (0, 1))
        return low, high


def encoded(subjects: Subjects) -> list[Encoded]:
    """Every probe with its control task and minimal set."""
    found = subjects.found
    several = []
    for each in found.of(EVALUATION):
        control = _beside(each, found.of(CONTROL_TASK, each.home))
        minimal = _beside(each, found.of(MINIMAL, each.home))
        several.append(Encoded(subjects.name(each), each.home, each.result, control, minimal))
    return several


def _beside(evaluation: Found, others: list[Found]) -> Any | None:
    """The result in the same folder, or in that above it."""
    folder = evaluation.path.parent
    near = {folder: 0, folder.parent: 1}
    own = [each for each in others if each.path.parent in near]
    own.sort(key=lambda each: near[each.path.parent])
    return own[0].result if own else None


def probe_rows(evaluation: Mapping[str, Any], control: Selectivity | None) -> list[tuple[str, str]]:
    """What a probe of classes reads, and whether it holds, as names and values."""
    certificate = Certificate(**evaluation["certificate"])
    state = "converged" if certificate.converged else NOT_CONVERGED
    low, high = evaluation["test_accuracy_interval"]
    interval = between(low, high) or "cannot be known from one sentence"
    rows = [
        (
            "test accuracy, all neurons (95 % interval over sentences)",
            f"{percent(evaluation['test_accuracy'])} ({interval})",
        ),
        ("dev / train accuracy", pair(evaluation["dev_accuracy"], evaluation["train_accuracy"])),
        ("majority class", percent(evaluation["majority_accuracy"])),
    ]
    if control is not None:
        controls = control.control_accuracies
        spread = ""
        if len(controls) > 1:
            ends = f"{percent(min(controls))} to {percent(max(controls))}"
            spread = f"; {len(controls)} seeds, {ends}"
        doubt = "" if control.control_converged else f" ({TOO_HIGH})"
        rows += [
            (
                f"control task (random label per word type{spread})",
                percent(control.control_accuracy),
            ),
            (
                "selectivity (task minus control, points)",
                f"{100 * control.selectivity:.2f}{doubt}",
            ),
        ]
    return [
        *rows,
        ("weights that are not zero", percent(evaluation["nonzero_weights"])),
        (
            f"{certificate.kind} (tolerance {certificate.tol:.0e})",
            f"{certificate.value:.1e}, {state}",
        ),
    ]


def confusion_rows(evaluation: Mapping[str, Any]) -> list[tuple[str, str, int, str]]:
    """The most frequent confusions on test, with their share of the words of a label."""
    words = {row["label"]: row["support"] for row in evaluation["per_class"]}
    return [
        (
            class_name(row["label"]),
            class_name(row["predicted"]),
            row["words"],
            percent(row["words"] / words[row["label"]]),
        )
        for row in evaluation.get("confusions", [])[:MOST_CONFUSIONS]
        if words.get(row["label"])
    ]


def said_of_minimal(minimal: MinimalSet) -> str:
    """How many neurons are as good as all, in a sentence."""
    delta, full = points(minimal.delta), minimal.full_accuracy
    if minimal.share is None or minimal.columns is None:
        return f"No share tried comes within {delta} of all neurons on dev."
    of_units = "" if minimal.units == "neurons" else f" of the {minimal.units}"
    return (
        f"Minimal set: the top {100 * minimal.share:g} %{of_units} ("
        f"{counted(len(minimal.columns), 'neurons')}), retrained, reaches "
        f"{percent(minimal.accuracies[-1])} on dev, within {delta} of all neurons "
        f"({percent(full)}). It is the first share that does on these words; the table is of test."
    )


def encoded_section(subjects: Subjects) -> Section | None:
    """Accuracy beside majority and control, selectivity, minimal set; class by class."""
    found = encoded(subjects)
    text = (
        "A linear probe of all neurons is fitted on the training words and scored on test. The "
        "control task gives every word type a random label, so that what a probe gets right there "
        "it has memorised; selectivity is what the true labels have above that. The minimal set is "
        "the smallest share of the ranking that is nearly as good as all neurons, on dev."
    )
    blocks = [block for one in found for block in _blocks(one, alone=len(found) == 1)]
    if len(found) > 1:
        blocks.insert(0, _overview(found))
    for each in subjects.found.of(OF_LABELS):
        name = subjects.name(each)
        caption = f"A probe of each label against all others{f': {name}' if name else ''}"
        blocks.append(table(caption, *label_rows(each.result)))
    return section("encoded", "Is the property encoded?", [text], blocks)


def label_rows(several: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """A header, and the probe of each label; see ``probe --one-vs-rest``."""
    head = ["label", "test accuracy", "majority class", "weights that are not zero", "converged"]
    shares = ("test_accuracy", "majority_accuracy", "nonzero_weights")
    rows = [
        [label, *(percent(one[name]) for name in shares), "yes" if one["converged"] else "NO"]
        for label, one in several.items()
    ]
    return head, rows


def _blocks(one: Encoded, alone: bool) -> Iterator[Block]:
    title = one.name or "the probe"
    shown = []
    if alone:
        yield figures(_figures(one))
    if one.is_regression:
        splits = ("train", "dev", "test")
        rows = [(split, f"{one.evaluation[f'{split}_r2']:.4f}") for split in splits]
        shown.append(table(f"R2 of {title}", ["split", "R2"], rows))
    else:
        facts = probe_rows(one.evaluation, one.control)
        shown.append(table(f"What {title} reads", ["what", "value"], facts))
        per_class = one.evaluation.get("per_class", [])[:MOST_CLASSES]
        names = [class_name(row["label"]) for row in per_class]
        f1 = [row["f1"] for row in per_class]
        if names:
            yield folded(
                bars(f"F1 by class, on test: {title}", "F1", "class", names, f1, "percent"),
                f"Class by class: {title}",
            )
        wrong = confusion_rows(one.evaluation)
        if wrong:
            what = f"What {title} takes for what, on test"
            yield folded(table(what, CONFUSIONS, wrong), what)
    for block in shown:
        yield folded(block, f"All figures: {title}")


def _figures(one: Encoded) -> list[dict[str, str]]:
    evaluation = one.evaluation
    if one.is_regression:
        return [figure("R2 on test", spoken(evaluation["test_r2"], 4))]
    low, high = one.interval
    items = [
        figure(
            "test accuracy",
            percent(evaluation["test_accuracy"]),
            between(low, high),
            f"majority class {percent(evaluation['majority_accuracy'])}",
        )
    ]
    if one.control is not None:
        items.append(
            figure(
                "selectivity",
                f"{100 * one.control.selectivity:.2f} points",
                note=f"control task {percent(one.control.control_accuracy)}",
            )
        )
    if one.minimal is not None:
        items.append(figure("minimal set", minimal_size(one.minimal), note=_of_minimal(one)))
    return items


def _of_minimal(one: Encoded) -> str:
    minimal = one.minimal
    if minimal is None or minimal.share is None:
        return "no share tried is as good as all neurons"
    return (
        f"the top {100 * minimal.share:g} % of the {minimal.units}, within "
        f"{points(minimal.delta)} of all"
    )


def minimal_size(minimal: MinimalSet | None) -> str:
    """How many neurons a minimal set has, in words."""
    if minimal is None:
        return ""
    if minimal.columns is None:
        return "none is enough"
    return counted(len(minimal.columns), "neurons")


def _overview(found: list[Encoded]) -> Block:
    head = [
        *(
            "probe of",
            "test accuracy or R2",
            "95 % interval",
            "majority class",
            "selectivity (points)",
        ),
        "minimal set",
    ]
    rows = []
    for one in found:
        evaluation = one.evaluation
        if one.is_regression:
            rows.append([one.name, spoken(evaluation["test_r2"], 4), "", "", "", ""])
            continue
        control = "" if one.control is None else f"{100 * one.control.selectivity:.2f}"
        rows.append(
            [
                one.name,
                percent(evaluation["test_accuracy"]),
                between(*one.interval),
                percent(evaluation["majority_accuracy"]),
                control,
                minimal_size(one.minimal),
            ]
        )
    return table("Every property and model", head, rows)
