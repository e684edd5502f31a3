"""Exemplars and descriptions of neurons in a notebook: sentences with coloured words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from neurox_lite.escaping import html
from neurox_lite.results.coloured_html import coloured_words, legend
from neurox_lite.results.html import QUIET, apart, as_html, cut, framed, said

if TYPE_CHECKING:
    from neurox_lite.descriptions.neuron_description import NeuronDescription
    from neurox_lite.descriptions.neuron_exemplars import Example, NeuronExemplars, OneSign

AROUND = 15
"""Words before and after the word of an example that have activations."""

MOST_EXAMPLES, MOST_WORDS, MOST_DESCRIBED = 5, 10, 5


def exemplars_html(own: NeuronExemplars) -> str:
    """Facts of a neuron, and at both signs its words and sentences."""
    return framed(heading(own), *both_signs(own))


def heading(own: NeuronExemplars) -> str:
    """The neuron and its facts, as ``print`` says them."""
    return said("\n".join(str(own).splitlines()[:2]))


def both_signs(own: NeuronExemplars, n_examples: int = MOST_EXAMPLES) -> Iterator[str]:
    """Words and sentences at which a neuron is largest, and those at which it is smallest."""
    if own.highest.examples or own.lowest.examples:
        yield f"<div>{legend(f'the median, {own.median:.3g}')}</div>"
    for name, side in (("highest", own.highest), ("lowest", own.lowest)):
        yield f'<div style="margin-top:.5em"><b>{name}</b>{_words(side)}</div>'
        yield from sentences(own, side, n_examples)


def sentences(own: NeuronExemplars, side: OneSign, n_examples: int) -> Iterator[str]:
    """Sentences of one sign, each with its activation, coloured by those of its words."""
    for example in side.examples[:n_examples]:
        yield f'<div dir="auto" style="line-height:1.9">{_sentence(own, example)}</div>'


def descriptions_html(
    found: Any, described: Sequence[tuple[NeuronDescription, NeuronExemplars | None]]
) -> str:
    """The best descriptions, each with its score and sentences; without any, the reasons."""
    if not described:
        return as_html(found)
    parts = []
    for one, own in described[:MOST_DESCRIBED]:
        texts = "; ".join(map(description_html, one.descriptions))
        parts.append(
            f'<div style="margin-top:.5em"><b>{one.neuron} {html(one.sign)}</b>: {texts}</div>'
        )
        if own is not None:
            parts += sentences(own, getattr(own, one.sign), 2)
    if len(described) > MOST_DESCRIBED:
        parts.append(
            f'<div style="{QUIET}">the best {MOST_DESCRIBED} of {len(described):,} neurons and '
            "signs with a description</div>"
        )
    title = "\n".join(str(found).splitlines()[:2])
    return framed(said(title), *parts)


def description_html(each: Any) -> str:
    """A description, where it is looked for, and how well it tells held-out sentences."""
    where = "word" if each.level == "word" else "in the sentence"
    score = each.score
    return (
        f'{apart(each.text)} <span style="{QUIET}">{where}, AUPRC {score.auprc.value:.2f}, by '
        f"chance {score.density:.2f}</span>"
    )


def _words(side: OneSign) -> str:
    shown = ", ".join(apart(word.form) for word in side.words[:MOST_WORDS])
    return f" words: {shown}" if shown else ""


def _sentence(own: NeuronExemplars, example: Example) -> str:
    first, last = max(0, example.place - AROUND), example.place + 1 + AROUND
    words = example.words[first:last]
    activations: Sequence[float | None] = example.activations[first:last]
    if not activations:  # of a file of before
        activations = [example.value if at == example.place else None for at in range(first, last)]
    median = own.median
    largest = max(abs(own.largest - median), abs(own.smallest - median)) or 1.0
    coloured = coloured_words(
        (
            (
                cut(word),
                None if value is None else (value - median) / largest,
                "" if value is None else f"{value:.3g}",
            )
            for word, value in zip(words, activations, strict=False)
        ),
        example.place - first,
    )
    before, after = "… " * (first > 0), " …" * (last < len(example.words))
    # What is no part of the sentence is apart, so that the line has the direction of its words.
    return f'<bdi style="{QUIET}">{example.value:.3g}</bdi> {before}{coloured}{after}'
