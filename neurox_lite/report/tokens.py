"""Which tokens decide? Token heat maps, how faithful they are, and whether methods agree."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurox_lite.attribution.agreement import AttributionAgreement
from neurox_lite.attribution.faithfulness import Faithfulness
from neurox_lite.attribution.kept_tokens import KeptTokens
from neurox_lite.report.blocks import (
    Block,
    Section,
    folded,
    heat,
    section,
    spoken,
    table,
)
from neurox_lite.report.found import Found
from neurox_lite.report.subjects import Subjects
from neurox_lite.results.token_attributions import TokenAttributions

ATTRIBUTIONS, FAITHFUL = "token attributions", "faithfulness"
AGREE, KEPT = "agreement of attributions", "kept tokens"
MOST_TEXTS, MOST_TOKENS, MOST_OPEN = 12, 120, 1
"""Texts of a method, tokens of a text, and methods whose texts are not folded."""


def tokens_section(subjects: Subjects) -> Section | None:
    """Heat maps of the tokens by every method, the most faithful first."""
    found = subjects.found
    blocks: list[Block] = [
        _faithful(each.result, subjects.name(each)) for each in found.of(FAITHFUL)
    ]
    for place, each in enumerate(_best_first(subjects)):
        name = _of_method(subjects, each)
        block = _texts(each.result, name)
        blocks.append(block if place < MOST_OPEN else folded(block, name))
    for each in found.of(AGREE):
        blocks += _agreement(each.result, subjects.name(each))
    for each in found.of(KEPT):
        blocks += _kept(each.result, each.result.method)
    text = (
        "Each token on a ground that shows how much it did for what the model said, by each "
        "method. Comprehensiveness is how far the measure falls without the tokens of the largest "
        "values; a method says something where it is better than a random order."
    )
    return section("tokens", "Which tokens decide?", [text], blocks)


def _best_first(subjects: Subjects) -> list[Found]:
    score: dict[tuple[str, str], float] = {}
    for each in subjects.found.of(FAITHFUL):
        own = each.result
        for method, value in zip(own.methods, own.above_random, strict=True):
            score[(str(each.path.parent), method)] = value.value
    several = subjects.found.of(ATTRIBUTIONS)
    return sorted(
        several,
        key=lambda each: -score.get((str(each.path.parent), each.result.method), -np.inf),
    )


def _of_method(subjects: Subjects, found: Found) -> str:
    method = found.result.method
    label = subjects.labels.get(found.home, "")
    same = [e for e in subjects.found.of(ATTRIBUTIONS) if e.result.method == method]
    place = found.place if len(same) > 1 else ""
    more = ", ".join(part for part in (label, place) if part)
    return f"{method} ({more})" if more else method


def _texts(found: TokenAttributions, name: str) -> Block:
    texts = []
    for tokens, values, said, special in zip(
        found.tokens[:MOST_TEXTS], found.at(), found.said, found.is_special, strict=False
    ):
        ordinary = [abs(v) for v, is_added in zip(values, special, strict=True) if not is_added]
        largest = max(ordinary, default=0.0) or float(np.abs(values).max(initial=0.0))
        rows = [
            [token, float(f"{value:.4g}"), bool(is_added)]
            for token, value, is_added in zip(tokens, values.tolist(), special, strict=True)
        ]
        largest = float(f"{largest:.4g}")
        texts.append({"said": said, "largest": largest, "tokens": rows[:MOST_TOKENS]})
    more = f" (the first {len(texts)} of {len(found):,} texts)" if len(found) > len(texts) else ""
    return {
        "kind": "texts",
        "title": f"Tokens by {name}{more}",
        "signed": bool(found.is_signed),
        "texts": texts,
    }


def _faithful(found: Faithfulness, name: str) -> Block:
    of = f"fall of the {found.measure}, {found.n_texts:,} texts"
    return table(f"How faithful: {of}{f' ({name})' if name else ''}", *faithful_rows(found))


def faithful_rows(found: Faithfulness) -> tuple[list[str], list[list[str]]]:
    """A header, and every method with its means and intervals."""
    head = ["method", "comprehensiveness", "sufficiency", "better than a random order by"]
    columns = (found.comprehensiveness, found.sufficiency, found.above_random)
    rows = zip(found.methods, *columns, strict=True)
    return head, [[method, *map(str, values)] for method, *values in rows]


def _agreement(found: AttributionAgreement, name: str) -> Iterator[Block]:
    at = f": {name}" if name else ""
    yield folded(
        heat(
            f"Share of the top {100 * found.share:g} % of tokens that both have{at}",
            ("method", "method"),
            found.methods,
            found.methods,
            [[each.value for each in row] for row in found.overlap],
            form="percent",
        ),
        f"Do the methods agree on the tokens{at}? By chance {100 * found.expected_overlap:.0f} %",
    )


def _kept(found: KeptTokens, name: str) -> Iterator[Block]:
    if found.states:
        yield folded(
            heat(
                f"Share of tokens kept, from {spoken(found.threshold)} on: {name}",
                ("label", "state"),
                found.labels,
                found.states,
                [[each.value for each in row] for row in found.kept],
                form="percent",
            ),
            f"Which words are kept, state by state: {name}",
        )
