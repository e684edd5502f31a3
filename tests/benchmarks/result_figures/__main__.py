"""Figures of docs/results/ and docs/which-method.md, drawn from the tables of these pages.

`python -m tests.benchmarks.result_figures` writes them to docs/figures, or some by the names of
their pages; no model is run, so that a figure says what its page says. That of encoded-used.md
shows more neurons than its table, and is drawn by `python -m tests.benchmarks.encoded_used`.
"""

from __future__ import annotations

import argparse

import matplotlib.pyplot as plt

from tests.benchmarks.result_figures import described, masks, rankings, speed, tokens
from tests.benchmarks.result_figures.drawing import STYLE

FIGURES = {**rankings.FIGURES, **masks.FIGURES, **tokens.FIGURES, **described.FIGURES}
FIGURES |= speed.FIGURES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=", ".join(FIGURES))
    plt.switch_backend("agg")
    with plt.rc_context(STYLE):
        for page in parser.parse_args().pages or FIGURES:
            FIGURES[page]()


if __name__ == "__main__":
    main()
