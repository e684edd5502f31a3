"""Equations as drawings in the page: no LaTeX, no script, nothing from the net.

Matplotlib sets the part of LaTeX that it knows as outlines; they take the colour of the text, so
that they are right on light and dark ground, and are read out as their source.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from docutils import nodes
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath
from sphinx.application import Sphinx
from sphinx.errors import SphinxError

SIZE = 100  # units to an em: coordinates are whole numbers
FRACTION, LARGE = r"\frac", r"\dfrac"
# Sums and maxima, behind which matplotlib leaves no space.
SPREAD = re.compile(r"\\(?:sum|max|min|int)(?:[_^](?:\{[^{}]*\}|\w))*")
SPACE = r"\g<0>\\,"
FONT = FontProperties(family="serif", math_fontfamily="stix", size=SIZE)


def drawing(tex: str) -> str:
    """One line of LaTeX as an ``<svg>`` whose height is in em."""
    text = f"${SPREAD.sub(SPACE, ' '.join(tex.split()))}$"
    try:
        outline = TextPath((0, 0), text, prop=FONT)
        width, height, depth, *_ = MathTextParser("path").parse(text, dpi=72, prop=FONT)
    except ValueError as error:
        raise SphinxError(f"equation that matplotlib cannot set: {tex}\n{error}") from error
    below, above = depth + 8, height - depth + 8
    box = f"0 {-above:.0f} {width + 4:.0f} {above + below:.0f}"
    return (
        f'<svg class="equation" role="img" aria-label="{escape(tex)}" viewBox="{box}" '
        f'style="width:{(width + 4) / SIZE:.3f}em;height:{(above + below) / SIZE:.3f}em;'
        f'vertical-align:{-below / SIZE:.3f}em"><path d="{_path(outline)}"/></svg>'
    )


def _path(outline: Outline) -> str:
    letters = {
        Outline.MOVETO: "M",
        Outline.LINETO: "L",
        Outline.CURVE3: "Q",
        Outline.CURVE4: "C",
        Outline.CLOSEPOLY: "Z",
    }
    parts = []
    for points, code in outline.iter_segments(curves=True, simplify=False):
        numbers = [f"{n:.0f}" for n in points * ([1, -1] * (len(points) // 2))]
        parts.append("Z" if code == Outline.CLOSEPOLY else letters[code] + " ".join(numbers))
    return "".join(parts)


def visit_inline(self: Any, node: nodes.math) -> None:
    """Write an equation within a line."""
    self.body.append(drawing(node.astext()))
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    r"""Write an equation of its own, a line for each ``\\``."""
    lines = [line for line in node.astext().split(r"\\") if line.strip()]
    self.body.append('<div class="equations">')
    self.body.extend(f"<div>{drawing(line.replace(FRACTION, LARGE))}</div>" for line in lines)
    self.body.append("</div>")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Make it a renderer of equations, named ``svg``."""
    app.add_html_math_renderer("svg", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
