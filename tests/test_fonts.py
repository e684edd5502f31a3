"""Figures show what some installed font has, in that font."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib import rc_context, rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from neurox_lite import fonts
from neurox_lite.escaping import figure_text
from neurox_lite.figures import finish, panels, save_figure
from neurox_lite.fonts import families, unknown, width

HAN = "名词"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two fonts, of which one has all that the other has."""
    made = {"Few": "名", "Many": "名词", "Other": "語"}
    known = tuple((name, np.array([*map(ord, signs)])) for name, signs in made.items())
    monkeypatch.setattr(fonts, "_installed", lambda: known)
    fonts._families_of.cache_clear()
    yield
    fonts._families_of.cache_clear()


def test_as_few_other_fonts_as_are_needed(installed: None) -> None:
    own = list(rcParams["font.family"])
    assert families("NOUN é اسم") == own
    assert families("名 NOUN") == [*own, "Few"]
    assert families("名词") == [*own, "Many"]
    assert families("名词 語") == [*own, "Many", "Other"]


def test_what_no_font_has_is_a_code(installed: None) -> None:
    assert unknown("名 日 NOUN") == {"日"}
    assert figure_text("名 日") == "名 \\u65e5"
    with rc_context({"font.family": "cmr10"}):  # which has fewer signs than the default
        assert figure_text("Привет").startswith("\\u041f")


def test_wide_characters_take_the_room_of_two() -> None:
    assert (width("NOUN é"), width("名词 n")) == (6, 6)


@pytest.mark.parametrize("title", ["日本語の品詞" * 20, "名词 动词 " * 30])
def test_long_titles_fit(title: str) -> None:
    figure = finish(panels(None, size=(4, 3)), None, title)
    FigureCanvasAgg(figure).draw()
    (drawn,) = (text for text in figure.texts)
    assert drawn.get_window_extent().width <= figure.bbox.width


@pytest.mark.skipif(bool(unknown(HAN)), reason="no installed font has Chinese characters")
@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_figures_are_drawn_in_other_fonts(suffix, tmp_path, recwarn) -> None:
    for ax in (None, Figure().add_subplot()):
        axes = panels(ax, size=(3, 2))
        axes[0].plot([0, 1], label=figure_text(HAN))
        axes[0].set_yticks([0, 1], ["NOUN", figure_text(HAN)])
        figure = finish(axes, ax, figure_text(f"{HAN} اسم 😀 \U0010ffff"), legend=1)
        FigureCanvasAgg(figure).draw()
        save_figure(figure, tmp_path / f"figure.{suffix}")
        label = axes[0].get_yticklabels()[1]
        assert label.get_text() == HAN
        assert label.get_fontfamily() == families(HAN)
        assert axes[0].get_yticklabels()[0].get_fontfamily() == list(rcParams["font.family"])
    assert not [warning for warning in recwarn if "missing" in str(warning.message)]
