"""Counts per layer as a few bars of HTML, for notebooks and cards."""

from __future__ import annotations

from collections.abc import Mapping

from neurox_lite.escaping import html
from neurox_lite.results.html import QUIET

COLOUR = "#0072b2"
HEIGHT = 48
MOST_NAMED = 24
"""Layers whose numbers are all shown; of more, some."""


def bars(counts: Mapping[int, int], what: str) -> str:
    """A bar for each layer, with its number below it and its count on hover and for a reader.

    Parameters
    ----------
    counts : dict of int to int
        By layer.
    what : str
        That is counted.
    """
    most = max(counts.values(), default=0)
    every = -(-len(counts) // MOST_NAMED)
    columns = "".join(
        f'<div title="layer {layer}: {count}" style="flex:1 1 0;min-width:3px;max-width:2.2em">'
        f'<div style="height:{HEIGHT}px;display:flex;align-items:flex-end">'
        f'<div style="width:100%;background:{COLOUR};height:{_height(count, most)}px"></div></div>'
        f'<div style="border-top:1px solid rgba(128,128,128,.5);text-align:center;font-size:10px;'
        f'white-space:nowrap">{layer if place % every == 0 else "&nbsp;"}</div></div>'
        for place, (layer, count) in enumerate(counts.items())
    )
    spoken = ", ".join(f"layer {layer}: {count}" for layer, count in counts.items())
    return (
        f'<div style="margin:.4em 0"><div style="{QUIET}">{html(what)} per layer, at most '
        f'{most:,}</div><div role="img" aria-label="{spoken}" style="display:flex;gap:2px;'
        f'max-width:44em">{columns}</div></div>'
    )


def _height(count: int, most: int) -> int:
    """In pixels; what is not 0 can be seen."""
    return max(round(HEIGHT * count / most), 1) if count else 0
