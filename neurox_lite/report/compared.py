"""Several properties or models side by side: shared and specific neurons, layers, localisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from neurox_lite.evaluation.localisation import Measure
from neurox_lite.evaluation.localisations import LocalisationDifference, Localisations
from neurox_lite.ranking.layer_profiles import LayerProfiles
from neurox_lite.ranking.shared_neurons import SharedCount, SharedNeurons
from neurox_lite.report.blocks import (
    COMPARE,
    Block,
    Section,
    bars,
    folded,
    heat,
    in_parts,
    lines,
    neurons,
    section,
    series,
    table,
)
from neurox_lite.report.markdown import percent
from neurox_lite.report.subjects import Subjects

SHARED, PROFILES, LOCALISED, SIMILAR = (
    *("shared neurons", "layer profiles", "localisations", "layer similarity"),
)
MOST_NAMED = 20

CHOSEN = (
    "For each property its minimal set is taken, or the first tenth of its ranking where no share "
    "was enough; neurons at its end that the ranking does not tell apart, as those without a "
    "weight, are left out."
)
"""Which neurons of each property are compared."""

MEASURES = (
    "Neurons for 95 %: how many of the first neurons of the ranking a new probe needs for 95 % "
    "of what all neurons add to the majority class, on test; numbers between those tried are "
    "interpolated. Entropy over layers is that of these neurons. Overlap: the share that the "
    "first 1 % of all neurons of two classes have in common, on average (with two classes only "
    "it says nothing)."
)
"""How localised a property is."""

NOT_KNOWN = (
    "An interval is not known where on some resample all neurons add nothing to the majority class."
)


def shared_section(subjects: Subjects) -> Section | None:
    """Neurons that properties share, and that only one has, beside chance."""
    blocks = subjects.blocks(SHARED, _shared)
    text = (
        f"{CHOSEN} Chance is that of sets that have nothing to do with each other: labels of the "
        "same words are related, and some neurons serve every probe, so that sharing more than "
        "chance does not say that the model relates the properties."
    )
    return section("shared", "Which neurons do they share?", [text], blocks, COMPARE)


def _shared(found: SharedNeurons, name: str) -> Iterator[Block]:
    at = f": {name}" if name else ""
    units = found.space.unit_name
    counts = found.counts
    yield bars(
        f"{units.capitalize()} found (bars), and where chance falls in 95 of 100 cases (lines){at}",
        units,
        f"{units} of",
        [count.of for count in counts],
        [count.neurons for count in counts],
        low=[count.low for count in counts],
        high=[count.high for count in counts],
    )
    head, rows = shared_rows(found)
    yield table(f"Beside chance, of {found.space.n_neurons:,} {units}{at}", head, rows)
    of_all = counts[0].of if len(found.properties) == 2 else f"all {len(found.properties)}"
    named = [[of_all, len(found.shared()), neurons(found.shared()[:MOST_NAMED], found.space)]]
    for one in found.properties:
        own = found.only(one)
        named.append([f"only {one}", len(own), neurons(own[:MOST_NAMED], found.space)])
    yield table(f"Which they are{at}", [f"{units} of", "how many", "the first"], named)


def shared_rows(found: SharedNeurons) -> tuple[list[str], list[Sequence[Any]]]:
    """A header, and every count beside chance."""
    rows: list[Sequence[Any]] = [
        (
            count.of,
            count.neurons,
            f"{count.expected:.1f}",
            f"{count.low} to {count.high}",
            f"{2 * min(count.p_at_least, count.p_at_most, 0.5):.2g}",
            f"{count.expected_in_layers:.1f}",
            verdict(count),
        )
        for count in found.counts
    ]
    head = [
        *(f"{found.space.unit_name} of", "found", "by chance", "95 % of chance", "p (two-sided)"),
        *("by chance within layers", "so"),
    ]
    return head, rows


def verdict(count: SharedCount) -> str:
    """What a count says beside chance."""
    if count.low <= count.neurons <= count.high:
        return "no different from chance"
    return f"{'more' if count.neurons > count.high else 'fewer'} than chance"


def profiles_section(subjects: Subjects) -> Section | None:
    """Where the neurons of each property are, layer by layer."""
    blocks = subjects.blocks(PROFILES, _profiles)
    text = (
        "The entropy says how evenly they are spread: 0 if they are all in one layer, 1 if they "
        "are spread as all neurons are; beside it, that of as many neurons drawn at random."
    )
    return section("profiles", "In which layers?", [text], blocks, COMPARE)


def _profiles(found: LayerProfiles, name: str) -> Iterator[Block]:
    at = f": {name}" if name else ""
    several = len({one.model for one in found.profiles}) > 1
    names = [f"{one.name} ({one.model})" if several else one.name for one in found.profiles]
    layers = {layer: None for one in found.profiles for layer in one.layers}
    rows = []
    for one in found.profiles:
        own = dict(zip(one.layers, one.counts, strict=True))
        total = max(sum(one.counts), 1)
        rows.append([own[layer] / total if layer in own else None for layer in layers])
    most = max((v for row in rows for v in row if v is not None), default=1.0)
    yield heat(
        f"Share of each property's {found.units}, by layer{at}",
        ("property", "layer"),
        names,
        [str(layer) for layer in layers],
        rows,
        (0, most or 1.0),
        form="percent",
    )
    scored = [(n, one) for n, one in zip(names, found.profiles, strict=True) if one.scores]
    if scored:
        first = scored[0][1]
        alike = [(n, one) for n, one in scored if one.layers == first.layers]
        for part, which in in_parts(alike):
            yield lines(
                f"What a probe of each layer alone reads{which}{at}",
                "layer",
                "test score",
                range(len(first.layers)),
                [series(n, one.scores or ()) for n, one in part],
                ticks=[str(layer) for layer in first.layers],
                is_percent=True,
            )
    head, table_rows = profile_rows(found)
    yield folded(
        table(f"{found.units.capitalize()} by layer{at}", head, table_rows),
        f"Entropy over layers{at}",
    )


def profile_rows(found: LayerProfiles) -> tuple[list[str], list[Sequence[Any]]]:
    """A header, and of each property the layer with most of its neurons, and their entropy."""
    rows: list[Sequence[Any]] = []
    for one in found.profiles:
        chosen, every = max(sum(one.counts), 1), sum(one.widths)
        most = one.counts.index(max(one.counts))
        layer = f"{one.layers[most]}: {percent(one.counts[most] / chosen)}"
        layer += f" ({percent(one.widths[most] / every)} of all {one.units})"
        entropy, by_chance = (
            "none" if value is None else f"{value:.3f}"
            for value in (one.entropy, one.expected_entropy)
        )
        rows.append((one.name, one.model, sum(one.counts), layer, entropy, by_chance))
    return ["property", "model", found.units, "most in layer", "entropy", "by chance"], rows


def localised_section(subjects: Subjects) -> Section | None:
    """How localised properties are, and whether more in one model than in another."""
    found = subjects.found.of(LOCALISED)
    several = [(subjects.name(each), each.result) for each in found]
    if not found:
        # One by one, of a folder without their comparison.
        alone = [each.result for each in subjects.found.of("localisation")]
        distinct = {(one.tag, one.model): one for one in alone}
        several = [("", Localisations.of(list(distinct.values())))] if distinct else []
    blocks = [block for name, result in several for block in _localised(result, name)]
    text = f"{MEASURES} Intervals are over sentences. {NOT_KNOWN}"
    return section("localised", "How localised is each?", [text], blocks, COMPARE)


def _localised(found: Localisations, name: str) -> Iterator[Block]:
    at = f": {name}" if name else ""
    head, rows = localised_rows(found)
    yield table(f"Localisation, with 95 % intervals over sentences{at}", head, rows)
    counts = sorted({count for one in found.results for count in one.counts})
    several = len({one.model for one in found.results}) > 1
    for part, which in in_parts(found.results):
        yield lines(
            f"Accuracy by the first neurons alone{which}{at}",
            "neurons",
            "test accuracy",
            counts,
            [
                series(
                    f"{one.tag} ({one.model})" if several else one.tag,
                    map(dict(zip(one.counts, one.accuracies, strict=True)).get, counts),
                )
                for one in part
            ],
            log=True,
            is_percent=True,
        )
    rows = [
        [said_of_difference(one), "yes" if one.is_clear else "no"] for one in found.differences()
    ]
    if rows:
        yield table(f"Is it more localised in one model{at}?", ["difference", "told apart"], rows)


def localised_rows(found: Localisations) -> tuple[list[str], list[Sequence[Any]]]:
    """A header, and every measure of each property in each model."""
    names = list(dict.fromkeys(m.name for one in found.results for m in one.measures))
    rows: list[Sequence[Any]] = [
        (
            one.tag,
            one.model,
            f"{one.n_train:,}",
            *("none" if (m := one.measure(name)) is None else said_of_measure(m) for name in names),
        )
        for one in found.results
    ]
    return ["property", "model", "words", *names], rows


def said_of_measure(measure: Measure) -> str:
    """A value with its interval and chance."""
    if measure.value is None:
        return "none"
    digits = 1 if measure.is_count else 3
    interval = "not known"
    if measure.low is not None and measure.high is not None:
        interval = f"{measure.low:.{digits}f} to {measure.high:.{digits}f}"
    chance = "" if measure.by_chance is None else f"; by chance {measure.by_chance:.{digits}f}"
    return f"{measure.value:.{digits}f} ({interval}{chance})"


def said_of_difference(one: LocalisationDifference) -> str:
    """A difference in words, and whether sentences explain it."""
    interval = f"{one.low:.3g} to {one.high:.3g}"
    if one.is_ratio:
        said = f"{one.model} takes {one.value:.3g} times as many as {one.other} ({interval})"
        so = f"more localised in {one.model if one.value < 1 else one.other}"
    else:
        said = f"{one.model} minus {one.other} {one.value:+.3f} ({interval})"
        so = f"lower in {one.model if one.value < 0 else one.other}"
    paired = "" if one.paired else " Not the same words."
    verdict_ = so if one.is_clear else "not told apart"
    return f"{one.tag}, {one.measure}: {said}: {verdict_}.{paired}"


def similar_section(subjects: Subjects) -> Section | None:
    """Similarity of every layer of one model with every layer of another."""
    blocks: list[Block] = []
    for found in subjects.found.of(SIMILAR):
        one = found.result
        blocks.append(
            heat(
                f"{one.measure.upper()} of {one.model} and {one.other}",
                (f"layer of {one.model}", f"layer of {one.other}"),
                [str(layer) for layer in one.layers],
                [str(layer) for layer in one.other_layers],
                one.matrix,
            )
        )
    text = "0 where layers have nothing in common, 1 where one is the other, rotated and scaled."
    return section("similar", "How similar are the models?", [text], blocks, COMPARE)


def sentences(several: Mapping[str, SharedNeurons]) -> list[str]:
    """What the first properties share, in a sentence for each model."""
    said = []
    for name, one in several.items():
        count, units = one.counts[0], one.space.unit_name
        sizes = zip(one.properties, map(len, one.neurons), strict=True)
        sets = " and ".join(f"{own} ({size:,})" for own, size in list(sizes)[:2])
        said.append(
            f"{f'{name}: ' if name else ''}The first {units} of {sets} that the rankings tell "
            f"apart, of {one.space.n_neurons:,}, share {count.neurons:,}; by chance it would be "
            f"{count.expected:.1f} ({count.low} to {count.high}): {verdict(count)}."
        )
    return said
