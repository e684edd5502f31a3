"""Figures of docs/results/ are drawn from the tables of their pages, which still have them."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.benchmarks.result_figures import described, drawing, masks, rankings, speed, tokens
from tests.benchmarks.result_figures.__main__ import FIGURES
from tests.benchmarks.result_figures.page_tables import DOCS, number, rows_of, spread

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    plt.switch_backend("agg")


@pytest.mark.parametrize("page", FIGURES)
def test_tables_are_drawn(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def finish(figure: Figure, name: str, title: str) -> None:
        assert title and all(axis.has_data() for axis in figure.axes if axis.get_visible())
        drawn.append(name)
        plt.close(figure)

    for module in (described, masks, rankings, speed, tokens):
        monkeypatch.setattr(module, "finish", finish)
    FIGURES[page]()
    assert drawn and all((DOCS / f"figures/{name}.png").is_file() for name in drawn)


def test_a_figure_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "figures").mkdir()
    monkeypatch.setattr(drawing, "DOCS", tmp_path)
    with plt.rc_context(drawing.STYLE):
        FIGURES["speed-masks"]()
    (written,) = (tmp_path / "figures").iterdir()
    assert written.name == "speed-masks.png"
    with Image.open(written) as new, Image.open(DOCS / "figures/speed-masks.png") as there:
        assert new.size == there.size


def test_what_cells_say() -> None:
    assert number("1,234.5 s") == 1234.5
    assert spread("0.8 (0.7 to 0.9)") == (0.8, 0.7, 0.9)
    assert spread("0.8") == (0.8, 0.8, 0.8)
    value, *ends = spread("0.7 to 0.9")
    assert math.isnan(value) and ends == [0.7, 0.9]


def test_a_table_is_found_by_its_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs/results").mkdir(parents=True)
    page = "| a | b |\n|---|---|\n| 1 | 2 |\n\n| a | c |\n|---|---|\n| x | 3 |\n| y | 4 |\n"
    (tmp_path / "docs/results/p.md").write_text(page)
    assert rows_of("p", "c") == [{"a": "x", "c": "3"}, {"a": "y", "c": "4"}]
    assert rows_of("p", "a", place=1) == rows_of("p", "c")
    assert rows_of("p", "a") == [{"a": "1", "b": "2"}]
