"""Descriptions of neurons as a page that a person can read: no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from neurox_lite.escaping import html
from neurox_lite.intervals import Interval

if TYPE_CHECKING:
    from neurox_lite.descriptions.neuron_description import NeuronDescription, NeuronDescriptions
    from neurox_lite.descriptions.neuron_exemplars import Example, NeuronExemplars, OneSign
    from neurox_lite.descriptions.neuron_tokens import TokensWritten

MOST_EXAMPLES, MOST_WORDS = 5, 10

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="neurox_lite">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ max-width: 60em; margin: 1em auto; padding: 0 1em; font: 16px/1.5 sans-serif;
  color: #1a1a1a; background: #fff; }}
h2 {{ margin: 2em 0 0; border-top: 1px solid #bbb; padding-top: .6em; }}
h3 {{ margin: 1em 0 .2em; }}
p, ul, table {{ margin: .3em 0; }}
ul {{ list-style: none; padding: 0; }}
li {{ display: grid; grid-template-columns: 4em 1fr; gap: .8em; }}
li > .quiet {{ text-align: right; font-variant-numeric: tabular-nums; }}
table {{ border-collapse: collapse; }}
th, td {{ text-align: left; padding: .1em 1em .1em 0; vertical-align: top; }}
td.number, th.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
mark {{ background: #ffd9b3; color: #1a1a1a; padding: 0 .15em; }}
.lowest mark {{ background: #b3d9f2; }}
.quiet {{ color: #595959; }}
nav a {{ margin-right: .6em; }}
.wide {{ overflow-x: auto; }}
@media (max-width: 40em) {{
  td.number {{ white-space: nowrap; }} li {{ grid-template-columns: 3em 1fr; gap: .5em; }}
}}
@media (prefers-color-scheme: dark) {{
  body {{ color: #e6e6e6; background: #16181c; }} a {{ color: #8ab8ff; }}
  .quiet {{ color: #a6a6a6; }} h2 {{ border-color: #555; }}
  mark {{ background: #7a4a14; color: #fff; }} .lowest mark {{ background: #1d4f73; }}
}}
</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
WIDE = "<div class='wide' role='region' tabindex='0' aria-label='{}'>"
"""Around a table, which scrolls by itself where the window is narrow."""

HEADER = (
    "<tr><th>what exemplars have more often</th><th class='number'>exemplars with it</th>"
    "<th class='number'>by chance</th><th class='number'>q</th>"
    "<th class='number'>AUPRC, held out</th><th class='number'>by chance</th></tr>"
)


def page(found: NeuronDescriptions, written: TokensWritten | None = None) -> str:
    """All neurons, one after the other, with the tokens they write if these are given."""
    n_neurons = len(found.exemplars)
    n_described = len({one.neuron for one in found.neurons if one.descriptions})
    title = f"{n_neurons} neuron{'s' if n_neurons > 1 else ''} of {found.space.model}"
    links = " ".join(f"<a href='#{own.neuron}'>{own.neuron}</a>" for own in found.exemplars)
    parts = [
        f"<h1>{html(title)}</h1>",
        f"<p>{n_described} {'has' if n_described == 1 else 'have'} a description, from "
        f"{found.n_sentences[0]:,} sentences of {html(found.source)}; "
        f"{found.n_sentences[1]:,} others score them. "
        f"{_stability(found)}With shuffled activations, {100 * found.described_by_chance:.1f} % "
        "of neurons and signs have one.</p>",
        *_means(found),
        f"<nav aria-label='Neurons'>{links}</nav>",
    ]
    for own in found.exemplars:
        parts += _neuron(own, found.of(own.neuron))
        if written is not None:
            parts += _written(written.of(own.neuron))
    return PAGE.format(title=html(title), body="\n".join(parts))


def _means(found: NeuronDescriptions) -> Iterator[str]:
    """What descriptions score on average, beside a constant one and shuffled activations."""
    if not found.means:
        return
    yield f"{WIDE.format('Mean scores')}<table><tr><th>mean, held out</th>"
    yield "".join(f"<th class='number'>{name}</th>" for name in ("AUPRC", "F1", "IoU", "r"))
    yield "</tr>"
    for one in found.means:
        scores = (one.auprc, one.f1, one.iou, one.correlation)
        cells = "".join(f"<td class='number'>{_shown(score)}</td>" for score in scores)
        yield f"<tr><td>{html(one.of)}</td>{cells}</tr>"
    yield "</table></div>"


def _stability(found: NeuronDescriptions) -> str:
    if found.jaccard is None:
        return ""
    n = sum(bool(one.descriptions) for one in found.neurons)
    of = "the one sign that has any" if n == 1 else f"mean of the {n} neurons and signs with any"
    chance = found.jaccard_by_chance
    others = "" if chance is None else f"; those of different neurons to {100 * chance:.0f} %"
    return (
        f"The descriptions of both halves agree to {100 * found.jaccard:.0f} % (Jaccard, {of}"
        f"{others}). "
    )


def _neuron(own: NeuronExemplars, descriptions: Sequence[NeuronDescription]) -> Iterator[str]:
    yield f"<h2 id='{own.neuron}'>Neuron {own.neuron}</h2>"
    yield (
        f"<p class='quiet'>{html(own.category)}; sparseness {own.sparseness:.2f}; from "
        f"{own.smallest:.3g} to {own.largest:.3g}; word forms explain {100 * own.of_word:.0f} % "
        f"of its variance, positions {100 * own.of_position:.0f} %</p>"
    )
    for one, side in zip(descriptions, (own.highest, own.lowest), strict=True):
        yield f"<section class='{one.sign}'><h3>{one.sign.capitalize()}</h3>"
        yield from _described(one)
        yield from _examples(side)
        yield "</section>"


def _written(own: TokensWritten) -> Iterator[str]:
    """The tokens whose logits one neuron raises and lowers most."""
    yield "<section><h3>Tokens it writes</h3>"
    for what, tokens in (("raises", own.raised[0]), ("lowers", own.lowered[0])):
        yield f"<p>{what}: {', '.join(map(_apart, tokens))}</p>"
    yield "</section>"


def _described(one: NeuronDescription) -> Iterator[str]:
    if not one.descriptions:
        yield f"<p>No description: {html(one.reason)}.</p>"
        return
    yield f"{WIDE.format(f'Descriptions of {one.neuron}, {one.sign}')}<table>{HEADER}"
    for each in one.descriptions:
        where = "word" if each.level == "word" else "in the sentence"
        numbers = (
            f"{each.n_with} of {each.n_exemplars}",
            f"{100 * each.share:.1f} %",
            f"{each.q:.1e}",
            _shown(each.score.auprc),
            f"{each.score.density:.3f}",
        )
        cells = "".join(f"<td class='number'>{cell}</td>" for cell in numbers)
        what = f"<b>{_apart(each.text)}</b> <span class='quiet'>{where}</span>"
        yield f"<tr><td>{what}</td>{cells}</tr>"
    yield "</table></div>"


def _examples(side: OneSign) -> Iterator[str]:
    if side.words:
        words = ", ".join(
            _apart(word.form)
            + f" <span class='quiet'>{_apart(word.label)}</span>" * bool(word.label)
            for word in side.words[:MOST_WORDS]
        )
        yield f"<p>Words: {words}</p>"
    if side.examples:
        yield "<ul>"
        yield from (f"<li>{_sentence(each)}</li>" for each in side.examples[:MOST_EXAMPLES])
        yield "</ul>"
        middle = side.quantiles[len(side.quantiles) // 2]
        yield "<p class='quiet'>An ordinary sentence:</p>"
        yield f"<ul class='quiet'><li>{_sentence(middle)}</li></ul>"


def _sentence(example: Example) -> str:
    before, word, after = map(html, example.around(25))
    return (
        f"<span class='quiet'>{example.value:.2f}</span> "
        f"<span dir='auto'>{before} <mark>{word}</mark> {after}</span>"
    )


def _apart(text: str) -> str:
    """Text whose direction of writing does not change that of what stands beside it."""
    return f"<bdi>{html(text)}</bdi>"


def _shown(interval: Interval) -> str:
    if not interval.is_known:
        return f"{interval.value:.2f}"
    return f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"
