"""Fonts of figures: those set in matplotlib, and installed ones for the characters these lack."""

from __future__ import annotations

from collections.abc import Set
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    import numpy as np


def families(text: str) -> list[str]:
    """Font families of a text: those that are set, and behind them others that have the rest."""
    from matplotlib import rcParams

    return [*rcParams["font.family"], *_families_of(_lacking(text))[0]]


def unknown(text: str) -> Set[str]:
    """The characters of a text that no font has."""
    return _families_of(_lacking(text))[1]


def width(text: str) -> int:
    """How many Latin letters are about as wide as a text; a Chinese character counts as two."""
    return len(text) + sum(east_asian_width(sign) in "WF" for sign in text)


def _lacking(text: str) -> frozenset[str]:
    """Characters that the fonts lack which are set in matplotlib's rcParams."""
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties, findfont

    fonts = []
    for family in rcParams["font.family"]:
        with suppress(ValueError):  # not installed
            font = FontProperties(family=[family])
            fonts.append(findfont(font, fallback_to_default=False))
    known = _signs_of(tuple(fonts))
    return frozenset(sign for sign in text if not sign.isspace() and ord(sign) not in known)


@lru_cache(maxsize=8)
def _signs_of(fonts: tuple[str, ...]) -> Set[int]:
    from matplotlib.font_manager import get_font

    return {sign for font in fonts for sign in get_font(font).get_charmap()}


@lru_cache(maxsize=256)
def _families_of(signs: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The fewest installed families that have these characters, and those that none has."""
    import numpy as np

    chosen: list[str] = []
    left = np.array(sorted(map(ord, signs)), dtype=np.uint32)
    installed = _installed() if len(left) else ()
    while len(left) and installed:
        has = [np.isin(left, known) for _, known in installed]
        best = int(np.argmax([each.sum() for each in has]))
        if not has[best].any():
            break
        chosen.append(installed[best][0])
        left = left[~has[best]]
    return tuple(chosen), frozenset(map(chr, left.tolist()))


@lru_cache(maxsize=1)
def _installed() -> tuple[tuple[str, np.ndarray], ...]:
    """Families of upright text that are installed, and what they have; those without serifs first.

    Not those that come with matplotlib, which are for formulas, or a box for every character.
    """
    import numpy as np
    from matplotlib import get_data_path
    from matplotlib.font_manager import findSystemFonts, fontManager, get_font

    # Its list is of when matplotlib was first used.
    for path in {*findSystemFonts()} - {font.fname for font in fontManager.ttflist}:
        with suppress(OSError, RuntimeError):
            fontManager.addfont(path)
    found = {}
    for font in sorted(fontManager.ttflist, key=lambda font: ("Sans" not in font.name, font.name)):
        is_text = font.style == "normal" and font.weight in (400, "normal")
        if not is_text or font.name in found or Path(get_data_path()) in Path(font.fname).parents:
            continue
        with suppress(OSError, RuntimeError):  # damaged, or gone since matplotlib saw it
            opened = get_font(font.fname)
            if opened.scalable:  # not one of coloured pictures
                found[font.name] = np.array([*opened.get_charmap()], dtype=np.uint32)
    return tuple(found.items())
