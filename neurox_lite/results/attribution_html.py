"""Attributions of texts as HTML: every token on a ground that shows its value.

All styles stand at the elements themselves, so that a notebook around it stays as it is; there is
no script and nothing is fetched. What comes from outside is escaped.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from neurox_lite.escaping import html
from neurox_lite.results.coloured_html import box, ground
from neurox_lite.results.html import whole_page

if TYPE_CHECKING:
    from neurox_lite.results.token_attributions import TokenAttributions

MOST_TEXTS, MOST_CELLS = 10, 10_000
"""Texts, and values of them, that a notebook shows; of a longer first text the first tokens."""

FRAME = (
    "background:#fff;color:#000;padding:.6em .8em;font-family:sans-serif;font-size:15px;"
    "line-height:1.9"
)
BYTE_MARKS = "ĠĊ"
"""A space and a line break in tokens of bytes: Latin letters, but not of the text."""

BYTES = re.compile("(?:<0x[0-9A-F]{2}>)+")
"""Parts of letters in tokens."""

UNKNOWN_TOKENS = ("[UNK]", "<unk>")


def page(attributions: TokenAttributions) -> str:
    """All texts as a page of its own."""
    body = fragment(attributions, range(len(attributions)))
    return whole_page(f"Attributions by {attributions.method}", body)


def first_texts(attributions: TokenAttributions) -> str:
    """The first texts, and how many there are in all."""
    n_cells = np.cumsum([each.size for each in attributions.values])
    count = max(1, min(MOST_TEXTS, int((n_cells <= MOST_CELLS).sum())))
    return fragment(attributions, range(len(attributions))[:count], MOST_CELLS)


def fragment(attributions: TokenAttributions, texts: Sequence[int], most: int | None = None) -> str:
    """Some of the texts, by their numbers, each with at most so many values."""
    known = (attributions.provenance.get(key) for key in ("model", "explained"))
    of_model = "".join(f", {html(each)}" for each in known if each)
    negative = f' <span style="{box(-1.0)};color:#000">negative</span>'
    lines = [
        f'<div style="{FRAME}">',
        f'<div dir="auto"><b>{html(attributions.method)}</b>{of_model}</div>',
        '<div style="font-size:12px;color:#555">'
        f'<span style="{box(1.0)};color:#000">positive</span>'
        f"{negative * attributions.is_signed} "
        "the darker, the larger among the tokens of the text; slanted: tokens that "
        "the tokenizer added</div>",
        *(_text(attributions, text, most) for text in texts),
    ]
    if not attributions.holds:
        lines.insert(2, f"<div>Doubtful: {html(attributions.status)}</div>")
    if len(texts) < len(attributions):
        lines.append(
            f"<div>The first {len(texts)} of {len(attributions)} texts; save them as .html to "
            "see all.</div>"
        )
    return "\n".join([*lines, "</div>"])


def _text(attributions: TokenAttributions, text: int, most: int | None) -> str:
    values = np.atleast_2d(attributions.values[text])
    largest = float(np.abs(values).max(initial=0))
    shown = slice(None if most is None else most // len(values))
    values = values[:, shown]
    tokens, special = attributions.tokens[text][shown], attributions.is_special[text][shown]
    sign = "+" if attributions.is_signed else ""
    spans = [
        _token(token, f"{value:{sign}.4g}", value / (largest or 1.0), is_special)
        for token, value, is_special in zip(tokens, values[-1].tolist(), special, strict=True)
    ]
    direction = "rtl" if is_right_to_left(tokens, special) else "ltr"
    said = html(attributions.said[text])
    n_tokens = len(attributions.tokens[text])
    lines = [
        '<div style="margin-top:.8em;font-size:12px;color:#555">'
        f"{text + 1}. explained: <bdi>{said}</bdi>; largest {largest:.3g}</div>",
        f'<div dir="{direction}">{" ".join(spans)}</div>',
    ]
    if len(tokens) < n_tokens:
        lines.append(f"<div>The first {len(tokens):,} of {n_tokens:,} tokens.</div>")
    if attributions.states:
        lines.append(_by_state(attributions, text, largest, shown))
    return "\n".join(lines)


def _token(token: str, value: str, share: float, is_special: bool) -> str:
    title = f'title="{html(token)}: {value}"'
    # Brackets of [CLS] would take the direction of the text, and bytes not that of their letters.
    tag = "bdi" if is_special or BYTES.search(token) else "span"
    return f'<{tag} {title} style="{box(share)}{_added(is_special)}">{html(token)}</{tag}>'


def _by_state(attributions: TokenAttributions, text: int, largest: float, shown: slice) -> str:
    """A table, tokens down and states across; opened by a click."""
    space = "padding:0 .4em;font-weight:normal"
    head = "".join(
        f'<th scope="col" style="{space}">{html(state)}</th>' for state in attributions.states
    )
    # Two digits of the largest value.
    places = 1 - math.floor(math.log10(largest)) if largest else 0
    form = f"{'+' if attributions.is_signed else ''}.{min(max(places, 0), 12)}f"
    rows = []
    for token, values, is_special in zip(
        attributions.tokens[text][shown],
        attributions.values[text].T[shown].tolist(),
        attributions.is_special[text][shown],
        strict=True,
    ):
        cells = "".join(
            f'<td style="text-align:right;{ground(value / (largest or 1.0))}">{value:{form}}</td>'
            for value in values
        )
        style = f"text-align:start;{space}{_added(is_special)}"
        rows.append(
            f'<tr><th scope="row" dir="auto" style="{style}">{html(token)}</th>{cells}</tr>'
        )
    return (
        '<details style="font-size:12px;overflow-x:auto">'
        "<summary>by state; above is the last</summary>"
        '<table style="border-collapse:collapse;line-height:1.5">'
        f"<tr><td></td>{head}</tr>\n" + "\n".join(rows) + "</table></details>"
    )


def _added(is_special: bool) -> str:
    return ";color:#333;font-style:italic" if is_special else ""


def is_right_to_left(tokens: Sequence[str], is_special: Sequence[bool]) -> bool:
    """Whether the first letter of a text is of a script that is written from right to left.

    Letters may be spread over several tokens, of a byte each.
    """
    ordinary = (
        token.lstrip(BYTE_MARKS)
        for token, added in zip(tokens, is_special, strict=True)
        if not added and token not in UNKNOWN_TOKENS
    )
    for character in BYTES.sub(_letters, "".join(ordinary)):
        direction = unicodedata.bidirectional(character)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def _letters(of_bytes: re.Match[str]) -> str:
    """``<0xD7><0xA9>`` -> ``ש``."""
    return bytes.fromhex(re.sub("<0x|>", "", of_bytes[0])).decode("utf-8", "ignore")
