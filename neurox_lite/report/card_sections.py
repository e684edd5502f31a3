"""What each kind of result says about one neuron, as HTML and in plain lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurox_lite.correlation.neuron_twins import NeuronTwins
from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.description_effects import DescriptionEffects
from neurox_lite.descriptions.exemplars_html import both_signs, description_html
from neurox_lite.descriptions.neuron_description import NeuronDescriptions
from neurox_lite.descriptions.neuron_exemplars import NeuronExemplars
from neurox_lite.descriptions.neuron_formulas import CompositionalFormulas
from neurox_lite.descriptions.neuron_tokens import TokensWritten
from neurox_lite.errors import InputError
from neurox_lite.escaping import html
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.neurons import Neuron
from neurox_lite.probing.linear import LinearProbe
from neurox_lite.report.best_class import best_class, weights_of
from neurox_lite.report.main_ranking import are_of
from neurox_lite.results.html import apart, number, shown_table
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.tables import Table, is_number
from neurox_lite.showing import short_repr, some

N_EXAMPLES, N_WEIGHTS, N_TOKENS = 5, 10, 10


@dataclass(frozen=True)
class Section:
    """A part of a card.

    Attributes
    ----------
    title, html : str
    lines : tuple of str
        The same in plain text.
    """

    title: str
    html: str
    lines: tuple[str, ...]

    __repr__ = short_repr


def sections(results: Sequence[Any], neuron: Neuron) -> Iterator[Section]:
    """The parts of a card, in the order of :data:`KINDS`; rankings are in one."""
    ranked = [each for each in results if isinstance(each, NeuronRanking | RankIntervals)]
    probes = [each for each in results if isinstance(each, LinearProbe)]
    for kind, made_by in KINDS.items():
        if kind is NeuronRanking and ranked:
            yield _ranks(ranked, probes, neuron)
        elif made_by is not None:
            yield from (made_by(each, neuron) for each in results if isinstance(each, kind))


def _described(found: NeuronDescriptions, neuron: Neuron) -> Section:
    shown, lines = [], []
    for one in found.of(neuron):
        texts = "; ".join(map(description_html, one.descriptions))
        shown.append(f"<div><b>{one.sign}</b>: {texts or 'none, ' + html(one.reason)}</div>")
        plain = "; ".join(
            f"{each.text} ({each.level}, AUPRC {each.score.auprc})" for each in one.descriptions
        )
        lines.append(f"{one.sign}: {plain or f'none, {one.reason}'}")
    return Section(f"descriptions, from {found.source}", "\n".join(shown), tuple(lines))


def _of_exemplars(found: Exemplars, neuron: Neuron) -> Section:
    spread = "; varies by less than 1e-12 of what others of its layer do: negligible"
    said = spread if neuron in found.negligible else ""
    return _exemplars(found.of(neuron), neuron, f", from {found.source}", said)


def _exemplars(own: NeuronExemplars, _: Neuron, source: str = "", said: str = "") -> Section:
    facts = (
        f"{own.category}; from {own.smallest:.3g} to {own.largest:.3g}; word forms explain "
        f"{100 * own.of_word:.0f} % of its variance, positions "
        f"{100 * own.of_position:.0f} %{said}"
    )
    lines = [facts]
    for sign, side in (("highest", own.highest), ("lowest", own.lowest)):
        lines.append(f"{sign}: words {some((word.form for word in side.words), 5)}")
        lines += map(str, side.examples[:N_EXAMPLES])
    shown = "\n".join([f"<div>{html(facts)}</div>", *both_signs(own, N_EXAMPLES)])
    return Section(f"exemplars{source}", shown, tuple(lines))


def _written(found: TokensWritten, neuron: Neuron) -> Section:
    own = found.of([neuron])
    rows = {"raises": own.raised[0][:N_TOKENS], "lowers": own.lowered[0][:N_TOKENS]}
    shown = "".join(
        f"<div><b>{what}</b>: {', '.join(map(apart, tokens))}</div>"
        for what, tokens in rows.items()
    )
    lines = (f"{what}: {', '.join(tokens)}" for what, tokens in rows.items())
    return Section("tokens it writes", shown, tuple(lines))


def _ranks(
    ranked: Sequence[NeuronRanking | RankIntervals], probes: Sequence[LinearProbe], neuron: Neuron
) -> Section:
    """A row per ranking; the interval of its method, if it is there, beside it."""
    intervals = [each for each in ranked if isinstance(each, RankIntervals)]
    rows: Table = []
    for each in ranked:
        (column,) = each.space.columns_of(neuron).tolist()
        n_neurons = each.space.n_neurons
        if isinstance(each, NeuronRanking):
            tag = each.provenance.get("labels", {}).get("tag")
            name = f"{each.method} ({tag})" if tag else each.method
            rank = int(each.ranks[column])
            is_tied = rank >= each.n_ordered
            place = f"{rank + 1:,} of {n_neurons:,}"
            place = _not_told_apart(n_neurons - each.n_ordered) if is_tied else place
            own = next((one for one in intervals if are_of(one, each)), None)
            intervals = [one for one in intervals if one is not own]
            rows.append(
                [
                    name,
                    place,
                    None if is_tied else _interval(own, column),
                    float(each.scores[column]),
                    _best(each, probes, column),
                ]
            )
    for one in intervals:  # whose rankings are not here
        (column,) = one.space.columns_of(neuron).tolist()
        is_tied = one.ranks[column] >= one.n_ordered
        place = f"{one.ranks[column] + 1:,} of {one.space.n_neurons:,}"
        place = _not_told_apart(one.n_tied) if is_tied else place
        rows.append([one.method, place, None if is_tied else _interval(one, column), None, None])
    return _from_table("ranks", [["method", "rank", "interval", "score", "largest for"], *rows])


def _not_told_apart(n_tied: int) -> str:
    return f"one of the last {n_tied:,}, not told apart"


def _interval(found: RankIntervals | None, column: int) -> str | None:
    if found is None:
        return None
    low, high = found.low[column] + 1, found.high[column] + 1
    return f"{low:,} to {high:,} ({100 * found.level:g} %)"


def _best(ranking: NeuronRanking, probes: Sequence[LinearProbe], column: int) -> str | None:
    """The class with the largest weight in the probe, where there is one, or else score."""
    if ranking.class_scores is None:
        return None
    weights = (weights_of(probe, ranking) for probe in probes)
    values = next((each for each in weights if each is not None), ranking.class_scores)
    return best_class(ranking.classes, values[:, column])


def _weights(probe: LinearProbe, neuron: Neuron) -> Section:
    (column,) = probe.space_.columns_of(neuron).tolist()
    weights = np.atleast_2d(probe.coef_)[:, column]
    classes = [str(each) for each in getattr(probe, "classes_", ["value"])]
    best = np.argsort(-np.abs(weights), kind="stable")[:N_WEIGHTS].tolist()
    rows = [[classes[place], float(weights[place])] for place in best if weights[place]]
    title = f"weights of the probe, {len(rows)} of {len(classes)} classes"
    return _from_table(title, [["class", "weight per std"], *rows] if rows else [])


def _formulas(found: CompositionalFormulas, neuron: Neuron) -> Section:
    rows = [
        [each.sign, str(each.best.formula), str(each.best.held_out)]
        if each.best
        else [each.sign, each.reason, None]
        for each in found.of(neuron)
    ]
    _require(rows, found, neuron)
    return _from_table("formulas", [["sign", "formula", "IoU, held out"], *rows])


def _effects(found: DescriptionEffects, neuron: Neuron) -> Section:
    rows = [
        [each.description, str(each.described), str(each.others), str(each.auc)]
        for each in found.effects
        if each.neuron == neuron
    ]
    _require(rows, found, neuron)
    header = ["sentences with", "change (nats per token)", "of others", "AUC"]
    return _from_table(f"when set to {found.replacement}", [header, *rows])


def _twins(found: NeuronTwins, neuron: Neuron) -> Section:
    rows = [[str(twin), r] for twin, r in found.of(neuron)]
    where = f" in {found.other_space.model}" if found.other_space else ""
    return _from_table(f"twins{where}", [["neuron", "correlation"], *rows])


def _of_fit(fit: MaskFit, neuron: Neuron) -> Section:
    title = f"mask '{fit.mask.method}', {fit.status}"
    return _masked(fit.mask, neuron, title, f"; probability of its gate {_of_gate(fit, neuron)}")


def _of_gate(fit: MaskFit, neuron: Neuron) -> str:
    (column,) = fit.mask.counted.columns_of(neuron).tolist()
    return f"{fit.probabilities[column]:.2g}"


def _masked(mask: NeuronMask, neuron: Neuron, title: str = "", more: str = "") -> Section:
    (column,) = mask.counted.columns_of(neuron).tolist()
    is_in = column in mask.selected
    where = f"{'one' if is_in else 'none'} of its {len(mask.selected)} {mask.counted.unit_name}"
    line = f"{where}{more}"
    return Section(title or f"mask '{mask.method}'", f"<div>{html(line)}</div>", (line,))


def _require(rows: Table, found: Any, neuron: Neuron) -> None:
    if not rows:
        raise InputError(f"{type(found).__name__} has no neuron {neuron}; leave it out")


def _from_table(title: str, table: Table) -> Section:
    """A section of a table; of an empty one it says "none"."""
    if len(table) < 2:
        return Section(title, "<div>none</div>", ("none",))
    cells = [[number(c) if is_number(c) else "" if c is None else str(c) for c in r] for r in table]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
    return Section(title, shown_table(table, len(table) - 1), tuple(lines))


KINDS: dict[type, Callable[[Any, Neuron], Section] | None] = {
    NeuronDescriptions: _described,
    Exemplars: _of_exemplars,
    NeuronExemplars: _exemplars,
    TokensWritten: _written,
    NeuronRanking: None,  # all in one table
    RankIntervals: None,
    LinearProbe: _weights,
    CompositionalFormulas: _formulas,
    DescriptionEffects: _effects,
    NeuronTwins: _twins,
    MaskFit: _of_fit,
    NeuronMask: _masked,
}
"""Results that say something about one neuron, in the order of a card."""
