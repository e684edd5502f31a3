"""Grounds of words: their share, told by more than colour, under letters of either notebook."""

from __future__ import annotations

import re

import pytest

from neurox_lite.results.coloured_html import (
    NEGATIVE,
    POSITIVE,
    STRONGEST_EITHER,
    box,
    coloured_words,
    ground,
    legend,
)


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [POSITIVE, NEGATIVE])
@pytest.mark.parametrize(("page", "letters"), [((255,) * 3, (17,) * 3), ((17,) * 3, (221,) * 3)])
def test_letters_can_be_read_on_the_strongest_ground(colour, page, letters):
    """WCAG 2.2: a contrast of 4.5."""
    mixed = [
        STRONGEST_EITHER * own + (1 - STRONGEST_EITHER) * below
        for own, below in zip(colour, page, strict=True)
    ]
    one, other = (luminance([c / 255 for c in each]) + 0.05 for each in (mixed, letters))
    assert max(one, other) / min(one, other) > 4.5


def test_the_ground_is_as_strong_as_the_share():
    assert ground(0.5, 0.6) == "background:rgba(213,94,0,0.30)"
    assert ground(-1, 0.6) == ground(-7, 0.6) == "background:rgba(0,114,178,0.60)"
    assert "dotted" in box(-0.2) and "dotted" not in box(0.2) and "dotted" not in box(0.0)


def test_words_with_their_values():
    shown = coloured_words([("<i>", 1.0, "2.5"), ("b", -0.5, '"'), ("c", None, "")], place=1)
    assert re.sub(' style="[^"]*"', "", shown) == (
        '<span title="2.5">&lt;i&gt;</span> <span title="&quot;"><b>b</b></span> c'
    )
    assert "the median" in legend("the median") and "dotted" in legend("the median")
