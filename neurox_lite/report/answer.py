"""The question answered, in sentences made from the numbers, with their uncertainty."""

from __future__ import annotations

from collections.abc import Iterator

from neurox_lite.attribution.faithfulness import Faithfulness
from neurox_lite.evaluation.minimal_set import MinimalSet
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.report.about import DESCRIBED, EFFECTS, EXEMPLARS, n_described
from neurox_lite.report.blocks import between, of_interval, spoken
from neurox_lite.report.compared import SHARED
from neurox_lite.report.compared import sentences as shared_sentences
from neurox_lite.report.curves import KIND as CURVES
from neurox_lite.report.curves import grows_with_harm, of_activations, value_of
from neurox_lite.report.encoded import Encoded, encoded, minimal_size
from neurox_lite.report.main_ranking import IN_MODEL, all_rankings, main_rankings
from neurox_lite.report.markdown import counted, percent, points
from neurox_lite.report.masks import fits
from neurox_lite.report.steered import KIND as STEERED
from neurox_lite.report.subjects import Subjects
from neurox_lite.report.tokens import FAITHFUL
from neurox_lite.results.ablation import AblationCurve

MOST = 6
"""Sentences of one kind; what more there is stands in the sections."""

N_FIRST = 5
NOT_USED = "encoded does not mean used"

IN_FULL = 2
"""Probes up to which everything about each is told."""


def answer(subjects: Subjects) -> list[str]:
    """Is it encoded, by which and how many neurons, are they used; only what was measured."""
    probes = encoded(subjects)
    tell = _encoded if len(probes) <= IN_FULL else _briefly
    said = [sentence for one in probes[:MOST] for sentence in tell(subjects, one)]
    used = [*_used(subjects), *_masks(subjects)]
    said += used[:MOST]
    if not said:
        said += list(_ranked(subjects))[:MOST]
    if probes and not used:
        said.append(_not_told(subjects))
    shared = {subjects.name(each): each.result for each in subjects.found.of(SHARED)}
    said += shared_sentences(shared)[:MOST]
    if not said:
        said = list(_explained(subjects))
    return said or list(_described(subjects))


def _not_told(subjects: Subjects) -> str:
    """What there is about use, where no ablation or mask tells it."""
    found = subjects.found
    curves = [curve for each in found.of(CURVES) for curve in each.result.curves]
    steered = [curve for each in found.of(STEERED) for curve in each.result.curves]
    in_model = [curve for curve in curves if not of_activations(curve)]
    see = []
    if any(curve.task is None or curve.task.holds for curve in steered):
        see.append("whether it can be steered")
    ranked = any(each.ranking.method == IN_MODEL for each in all_rankings(subjects))
    if ranked or found.of(EFFECTS):
        see.append("the causal effects of neurons")
    about = "Whether the model uses these neurons was"
    if see:
        return f"{about} measured: see {' and '.join(see)}; {NOT_USED}."
    if steered or in_model:
        return f"{about} measured, but what was measured does not hold; {NOT_USED}."
    return f"{about} not measured: {NOT_USED}."


def _encoded(subjects: Subjects, one: Encoded) -> Iterator[str]:
    subject = subjects.of_homes[one.home]
    probes = encoded(subjects)
    alike = [
        other
        for other in probes
        if (s := subjects.of_homes[other.home]).tag == subject.tag and s.model == subject.model
    ]
    # Two of one property and model are told by their job or corpus.
    which = f"{one.name}: " if one.name and len(alike) > 1 else ""
    model = f" in {subject.model}" if subject.tag and subject.model else ""
    labels = "The labels" + (f" of {one.name}" if one.name else "")
    verb = "is" if subject.tag else "are"
    if one.is_regression:
        score = spoken(one.evaluation["test_r2"], 4)
        yield f"{which}{subject.tag or labels}: a linear probe{model} has R2 {score} on test."
        return
    accuracy, majority = one.evaluation["test_accuracy"], one.evaluation["majority_accuracy"]
    surely = between(*one.interval)
    verdict = _verdict(one, f"{verb} ")
    beside = f"Always guessing the most frequent label is right on {percent(majority)}"
    if one.control is not None:
        beside += (
            "; the same probe, trained and tested on a random label for each word type, on "
            f"{percent(one.control.control_accuracy)}"
        )
    interval = f" (95 % interval over sentences: {surely})" if surely else " (of one sentence)"
    yield (
        f"{which}{subject.tag or labels} {verdict}{model}: a linear probe is right on "
        f"{percent(accuracy)} of the test words{interval}. {beside}."
    )
    before = f"{one.name}: " if one.name and len(probes) > 1 else ""
    for said in _minimal(subjects, one):
        yield f"{before}{said[:1].lower()}{said[1:]}" if before else said


def _verdict(one: Encoded, verb: str = "") -> str:
    """By the cautious end of the accuracy, beside the majority and the control task."""
    low, _ = one.interval
    if low <= one.evaluation["majority_accuracy"]:
        return f"{verb}not surely encoded"
    if one.control is not None and low <= one.control.control_accuracy:
        return f"{verb}encoded no better than random labels per word type"
    return f"{verb}encoded"


def _briefly(subjects: Subjects, one: Encoded) -> Iterator[str]:
    """Of one probe among several."""
    if one.is_regression:
        yield from _encoded(subjects, one)
        return
    subject, surely = subjects.of_homes[one.home], between(*one.interval)
    accuracy, majority = one.evaluation["test_accuracy"], one.evaluation["majority_accuracy"]
    size = f"; minimal set {minimal_size(one.minimal)}" if one.minimal else ""
    yield (
        f"{one.name or subject.title}: {_verdict(one)}, {percent(accuracy)} of the test words right"
        f"{f' ({surely})' if surely else ''}, majority class {percent(majority)}{size}."
    )


def _minimal(subjects: Subjects, one: Encoded) -> Iterator[str]:
    minimal = one.minimal
    if minimal is None:
        return
    delta = points(minimal.delta)
    if minimal.columns is None or minimal.share is None:
        yield f"No share of its neurons tried comes within {delta} of all of them on dev."
        return
    n_neurons, share = len(minimal.columns), f"{100 * minimal.share:g} %"
    first = f"The first {n_neurons:,} neurons of the ranking ({share}) are"
    if minimal.units != "neurons":
        held = counted(n_neurons, "neurons")
        first = f"The first {share} of the {minimal.units} of the ranking ({held}) are"
    elif n_neurons == 1:
        first = f"The first neuron of the ranking ({share}) is"
    on_test = _on_test(subjects, one.home, minimal)
    yield f"{first} within {delta} of all of them on dev{on_test}."


def _on_test(subjects: Subjects, home: str, minimal: MinimalSet) -> str:
    """What the same ranking's first reach, and random ones, at its share or the nearest tried."""
    share = minimal.share or 0.0
    for found in subjects.found.of(CURVES, home):
        for curve in found.result.curves:
            is_own = (curve.method, curve.units) == (minimal.method, minimal.units)
            if is_own and of_activations(curve) and curve.retrained and curve.keep.random_mean:
                place = min(range(len(curve.shares)), key=lambda i: abs(curve.shares[i] - share))
                at = curve.shares[place]
                keep = curve.keep
                own = value_of(curve.metric, keep.top[place])
                ends = (keep.random_mean, keep.random_low, keep.random_high)
                mean, low, high = (value_of(curve.metric, v[place]) for v in ends)
                chance = f"as many random ones {mean} ({low} to {high})"
                if keep.top[place] <= keep.random_high[place]:
                    chance += ": no better than these"
                if at == share:
                    return f"; on test they reach {own}, and {chance}"
                nearest = f"{curve.counts[place]:,} ({100 * at:g} %, the nearest share tried there)"
                return f"; on test the first {nearest} reach {own}, and {chance}"
    return ""


def _ranked(subjects: Subjects) -> Iterator[str]:
    for home, ranking in main_rankings(subjects).items():
        label = subjects.labels.get(home, "")
        top = ranking.space.neurons(ranking.top_columns(min(N_FIRST, ranking.space.n_neurons)))
        of = counted(ranking.space.n_neurons, ranking.space.unit_name)
        of += f" of {ranking.space.model}"
        before = f"{label}: " if label else ""
        if not top:
            yield f"{before}{ranking.method} tells none of {of} apart."
            continue
        n_tied = ranking.n_tied_first
        tied = f" The first {n_tied:,} are tied, and stand in layer order." if n_tied > 1 else ""
        yield f"{before}{ranking.method} puts {', '.join(map(str, top))} first, of {of}.{tied}"


def _used(subjects: Subjects) -> Iterator[str]:
    """Of each ablation in the model its most telling count."""
    for found in subjects.found.of(CURVES):
        for curve in found.result.curves:
            if not of_activations(curve) and curve.holds:
                yield _ablated(curve, subjects.labels.get(found.home, ""))


def _ablated(curve: AblationCurve, label: str) -> str:
    remove = curve.remove
    lower, higher = remove.random_low, remove.random_high
    # How far beyond the random sets, in the direction of harm.
    gaps = [
        top - high if grows_with_harm(curve.metric) else low - top
        for top, low, high in zip(remove.top, lower, higher, strict=True)
    ]
    place = max(range(len(gaps)), key=gaps.__getitem__)
    ends = (remove.random_mean, lower, higher)
    mean, low, high = (value_of(curve.metric, values[place]) for values in ends)
    top, intact = (value_of(curve.metric, v) for v in (remove.top[place], curve.intact))
    beyond = sum(gap > 0 for gap in gaps)
    so = f"worse than every random draw at {beyond} of {len(gaps)} sizes tried"
    first = _counted(curve.counts[place], curve.units)
    return (
        f"{f'{label}: ' if label else ''}Without the first {first} of {curve.method}, "
        f"{curve.metric} of the model goes from {intact} to {top}; without as many random ones "
        f"to {mean} ({low} to {high}); {so}."
    )


def _counted(count: int, units: str) -> str:
    return f"{count:,} {units}" if count != 1 else units.removesuffix("s")


def _masks(subjects: Subjects) -> Iterator[str]:
    for name, fit in fits(subjects):
        yield _mask(fit, name)


def _mask(fit: MaskFit, name: str) -> str:
    units = fit.mask.counted.unit_name
    which = f" ({name})" if name else ""
    of = f"{fit.size:,} of {counted(fit.mask.counted.n_neurons, units)}{which}"
    if not fit.holds:
        return f"Whether {of} decide is not known: {fit.status}."
    success = between(fit.held_out_low, fit.held_out_high)
    share = percent(fit.held_out_success) if fit.held_out_success == fit.held_out_success else ""
    held = f" on {share} of held-out pairs{f' ({success})' if success else ''}" if share else ""
    verb = "Keeping" if fit.objective == "sufficiency" else "Replacing"
    does = "is enough" if fit.objective == "sufficiency" else "turns what the model says"
    return f"{verb} {of} {does}{held}."


def _described(subjects: Subjects) -> Iterator[str]:
    """Of descriptions or exemplars alone."""
    for each in subjects.found.of(DESCRIBED)[:MOST]:
        some, every = n_described(each.result)
        name, found = subjects.name(each), each.result
        yield (
            f"{f'{name}: ' if name else ''}{some:,} of "
            f"{counted(every, found.space.unit_name)} of {found.space.model} have a "
            f"description; of shuffled activations {percent(found.described_by_chance)} of "
            "neurons and signs have one."
        )
    if not subjects.found.of(DESCRIBED):
        for each in subjects.found.of(EXEMPLARS)[:1]:
            found = each.result
            yield (
                f"Where each of {len(found):,} {found.space.unit_name} of {found.space.model} is "
                f"high and low, in {found.source}."
            )


def _explained(subjects: Subjects) -> Iterator[str]:
    """Of attributions alone."""
    for found in subjects.found.of(FAITHFUL)[:MOST]:
        own: Faithfulness = found.result
        methods = list(zip(own.above_random[:-1], own.methods[:-1], strict=True))
        best, method = max(methods, key=lambda pair: pair[0].value)
        name = subjects.name(found)
        surely = f"{method} finds tokens that decide"
        if not (best.is_known and best.low > 0):
            surely = f"No method finds tokens that decide surely better than chance ({method} best)"
        yield (
            f"{f'{name}: ' if name else ''}{surely}: without them the {own.measure} falls by "
            f"{of_interval(best)} more than in a random order, on {own.n_texts:,} texts."
        )
