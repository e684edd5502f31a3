"""What checks the documentation site finds what is wrong, and messages point at pages that exist.

`make docs` builds the site itself.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from neurox_lite import choices

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(autouse=True)
def site_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS / "site")
    yield
    for name in ("checks", "math_as_svg"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<script src="https://cdn.example/x.js"></script>', "would load https://cdn"),
        ('<link rel="stylesheet" href="//fonts.example/f.css">', "would load //fonts"),
        ('<img src="none.png">', "there is no none.png"),
        ('<a href="none.html">', "link to nowhere: none.html"),
        ('<a href="index.html#none">', "no such place: index.html#none"),
        ('<a href="#none">', "no such place: #none"),
        ('<a href="htp://example.org">', "no address: htp://example.org"),
    ],
)
def test_problem_is_found(body: str, problem: str, tmp_path: Path) -> None:
    from checks import problems_of

    (tmp_path / "index.html").write_text(f'<h1 id="here">Title</h1>{body}')
    (found,) = problems_of(tmp_path)
    assert problem in found


def test_whole_page_has_no_problem(tmp_path: Path) -> None:
    from checks import problems_of

    (tmp_path / "figure.png").touch()
    (tmp_path / "index.html").write_text(
        '<h1 id="here">Title</h1><img src="figure.png"><a href="#here"></a>'
        '<a href="https://example.org"></a><img src="data:image/png;base64,"><a href="./"></a>'
    )
    assert problems_of(tmp_path) == []


def test_equation_is_drawn_and_can_be_read_out() -> None:
    pytest.importorskip("sphinx")
    from math_as_svg import drawing

    svg = drawing(r"\sum_{i<j} \frac{a_i}{b_j}")
    assert 'role="img" aria-label="\\sum_{i&lt;j} \\frac{a_i}{b_j}"' in svg
    assert svg.count("M") >= 5  # an outline for each sign at least
    assert "NaN" not in svg


def test_messages_point_at_pages_that_exist() -> None:
    place, _, anchor = choices.HELP.partition("#")
    text = (DOCS.parent / place).read_text()
    assert not anchor or anchor in text
    named = set()
    for path in (DOCS.parent / "neurox_lite").rglob("*.py"):
        named |= set(re.findall(r"docs/[\w/-]+\.md", path.read_text()))
    assert {name for name in named if not (DOCS.parent / name).is_file()} == set()


def test_what_a_ranker_finds_is_the_mean_of_the_table_of_all_conditions() -> None:
    tables = (DOCS / "which-method.md").read_text().split("## Which neurons are found")[1]
    found: dict[str, list[float]] = {}
    for line in tables.split("\n## ")[0].splitlines():
        name, *cells = line.strip("| ").split(" | ")
        if cells and re.match(r"[01]\.\d\d", cells[0]):
            found.setdefault(name, []).extend(float(cell.split()[0]) for cell in cells)
    page = (DOCS / "methods/rankings.md").read_text()
    said = {}
    for heading, body in re.findall(r"^### (.+)\n((?:(?!##).*\n)*)", page, flags=re.MULTILINE):
        share = re.search(r"\*\*finds\*\* \| (\.\d\d) \|", body)
        said |= {name: float(share[1]) for name in re.split(", | and ", heading) if share}
    assert set(said) == set(found)
    assert {name: round(np.mean(values), 2) for name, values in found.items()} == pytest.approx(
        said, abs=0.011
    )


def test_every_page_begins_by_saying_what_it_is_for() -> None:
    for name in ("", "methods", "guide"):  # a how-to has its question as title
        for path in (DOCS / name).glob("*.md"):
            _, first, *_ = path.read_text().split("\n\n", 2)
            if path.name not in ("index.md", "references.md"):
                assert re.match(r"[\w`*>\[]", first) and not first.startswith("```"), path
