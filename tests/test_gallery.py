"""The gallery has its figures, which are small; the programs run in tests.benchmarks.gallery."""

from __future__ import annotations

import ast
from itertools import pairwise

from tests.benchmarks.gallery import DOCS, MOST_BYTES, last_value, parts

PARTS = list(parts((DOCS / "gallery.md").read_text()))


def test_every_figure_is_there_and_small() -> None:
    names = [figure for _, figure in PARTS if figure]
    files = {f"figures/gallery/{path.name}" for path in (DOCS / "figures/gallery").iterdir()}
    assert set(names) == files and len(names) == len(files)
    sizes = [(DOCS / name).stat().st_size for name in names]
    assert max(sizes) <= MOST_BYTES and sum(sizes) <= 2_000_000


def test_a_figure_stands_below_a_program_that_gives_one() -> None:
    for (program, _), (_, figure) in pairwise(PARTS):
        if figure is not None:
            assert program is not None and isinstance(ast.parse(program).body[-1], ast.Expr)


def test_the_last_line_is_what_counts() -> None:
    names: dict[str, int] = {}
    assert last_value("a = 1", names) is None
    assert last_value("b = a + 1\nb + 1", names) == 3
