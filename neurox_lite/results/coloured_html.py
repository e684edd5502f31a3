"""Words on a ground that shows their value: orange above zero, blue and dotted below."""

from __future__ import annotations

from collections.abc import Iterable

from neurox_lite.escaping import html
from neurox_lite.results.html import QUIET

POSITIVE, NEGATIVE = (213, 94, 0), (0, 114, 178)
"""Of the palette of Okabe & Ito, which the colour-blind can tell apart."""

STRONGEST = 0.75
"""How opaque the ground of the largest value is; black letters can be read on it."""

STRONGEST_EITHER = 0.6
"""The same where letters are black on white or white on black."""

LEAST_DOTTED = 0.1
"""Below this share of the largest a value is not worth a line."""


def ground(share: float, strongest: float = STRONGEST) -> str:
    """The style of a ground for a value, as a share of the largest, from -1 to 1."""
    red, green, blue = POSITIVE if share >= 0 else NEGATIVE
    return f"background:rgba({red},{green},{blue},{min(abs(share), 1) * strongest:.2f})"


def box(share: float, strongest: float = STRONGEST, line: str = "#000", least: float = 0.0) -> str:
    """The style of a word; that a value is negative is not told by the colour alone."""
    dotted = f";border-bottom:2px dotted {line}" if share < -least else ""
    return f"{ground(share, strongest)};padding:.1em .25em;border-radius:.2em{dotted}"


def coloured_words(words: Iterable[tuple[str, float | None, str]], place: int | None = None) -> str:
    """A sentence that is read on light and dark.

    It has the direction of the element around it, which is to have ``dir="auto"``.

    Parameters
    ----------
    words : tuples of (word, share, value)
        The share of the largest value, from -1 to 1, or None for no ground; the value is shown on
        hover.
    place : int, optional
        Of the word that is meant, which is bold.
    """
    spans = []
    for number, (word, share, value) in enumerate(words):
        shown = f"<b>{html(word)}</b>" if number == place else html(word)
        if share is not None:
            style = box(share, STRONGEST_EITHER, "currentColor", LEAST_DOTTED)
            shown = f'<span title="{html(value)}" style="{style}">{shown}</span>'
        spans.append(shown)
    return " ".join(spans)


def legend(middle: str) -> str:
    """What the colours of :func:`coloured_words` say."""
    above, below = (
        f'<span style="{box(share, STRONGEST_EITHER, "currentColor")}">{name}</span>'
        for share, name in ((1.0, "above"), (-1.0, "below"))
    )
    rest = f"{html(middle)}; the darker, the further; values on hover"
    return f'{above} {below} <span style="{QUIET}">{rest}</span>'
