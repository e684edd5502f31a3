"""Every result prints as a few lines, is a table, and is saved as one."""

import csv
import dataclasses
import importlib
import io
import pkgutil
import sys
import unicodedata

import pandas
import pytest
from every_result import EVERY, EVIL
from matplotlib.figure import Figure

import neurox_lite
from neurox_lite.errors import InputError
from neurox_lite.escaping import csv_text, terminal
from neurox_lite.own_files import is_ours
from neurox_lite.probing.layerwise import LayerScores
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.tables import csv_table, latex_table, write_table

SAVED = [name for name, result in EVERY.items() if hasattr(result, "save")]
IN_FOLDERS = (
    "Exemplars",
    "AttributionComparison",
    "RankerComparison",
    "MaskFit",
    "NeuronMask",
    "SeedSpread",
)

WITHOUT_A_FIGURE = (
    # a few numbers, which print says
    "Detection", "Interval", "JobEstimate", "SideEffect", "TopOverlap",
    # one of several, which are drawn together
    "DescriptionEffect", "Localisation",
    # a page or a table to look things up
    "Exemplars", "NeuronTwins",
)  # fmt: skip


def test_every_result_is_drawn_or_no_picture_is_meant():
    assert {name for name in EVERY if not hasattr(EVERY[name], "plot")} == set(WITHOUT_A_FIGURE)


@pytest.mark.parametrize("name", sorted(set(SAVED) - {"RankerComparison", "NeuronMask"}))
def test_its_files_are_known_as_ours(name, tmp_path):
    """So that --overwrite may replace them."""
    EVERY[name].save(tmp_path / "r.json")
    if name not in IN_FOLDERS:
        EVERY[name].save(tmp_path / "r.tex")
        EVERY[name].save(tmp_path / "r.csv")
    for path in tmp_path.rglob("*.*"):
        assert path.is_dir() or is_ours(path), path


def test_none_is_missing():
    modules = pkgutil.walk_packages(neurox_lite.__path__, "neurox_lite.")
    found = {
        kind.__name__
        for module in modules
        for kind in vars(importlib.import_module(module.name)).values()
        if isinstance(kind, type) and hasattr(kind, "to_pandas")
    }
    assert found == set(EVERY)


@pytest.mark.parametrize("name", [name for name in EVERY if hasattr(EVERY[name], "plot")])
def test_plots_on_axes_of_ones_own(name):
    """As many as it has panels; a colour bar is no panel."""
    own = EVERY[name].plot()
    count = sum(axes.get_label() != "<colorbar>" for axes in own.axes)
    figure = Figure()
    axes = figure.subplots(1, count + 1, squeeze=False)[0]
    assert EVERY[name].plot(axes[0] if count == 1 else axes[:count]) is figure
    assert all(each.has_data() for each in axes[:count]) and not axes[-1].has_data()
    for wrong in (axes, figure, "axes"):
        with pytest.raises(InputError, match=r"^ax is not .* matplotlib axes"):
            EVERY[name].plot(wrong)


@pytest.mark.parametrize("name", EVERY)
def test_print_is_a_few_lines(name):
    for shown in (str(EVERY[name]), repr(EVERY[name])):
        assert len(shown.splitlines()) <= 7
        assert len(shown) < 2000
        assert "array(" not in shown
        assert not {unicodedata.category(c) for c in shown.replace("\n", "")} & {"Cc", "Cf"}


@pytest.mark.parametrize("name", EVERY)
def test_every_result_is_a_data_frame(name):
    frame = EVERY[name].to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert len(frame) and len(frame.columns)
    assert frame.columns.is_unique


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"RankerComparison"}))
def test_tables_as_csv_and_latex(name):
    header, *rows = EVERY[name].table()
    read = list(csv.reader(io.StringIO(csv_table([header, *rows]))))
    assert [csv_text(cell) for cell in read[0]] == [terminal(cell) for cell in header]
    assert len(read) == 1 + len(rows)
    for cell in (cell for row in read for cell in row):
        assert cell[:1] not in tuple("=+@") and "\x1b" not in cell and "\n" not in cell
    latex = latex_table([header, *rows])
    assert latex.count(r" \\") == 1 + len(rows)
    assert "{a_b}" not in latex and "$x$" not in latex


@pytest.mark.parametrize("name", sorted(set(SAVED) - set(IN_FOLDERS)))
@pytest.mark.parametrize("suffix", [".csv", ".tex"])
def test_saved_as_tables(name, suffix, tmp_path):
    EVERY[name].save(tmp_path / f"x{suffix}")
    with pytest.raises(InputError):
        type(EVERY[name]).load(tmp_path / f"x{suffix}")
    EVERY[name].save(tmp_path / "x.json")
    assert type(EVERY[name]).load(tmp_path / "x.json").table() == EVERY[name].table()


def test_values_in_tables():
    scores = LayerScores("accuracy", (0, 3), (0.5, 0.75), (0.5, 0.8), 0.1, True)
    assert csv_table(scores.table()) == (
        "layer,separate,cumulative,baseline\n0,0.5,0.5,0.1\n3,0.75,0.8,0.1\n"
    )
    assert (
        latex_table(scores.table())
        == r"""% by neurox_lite; needs \usepackage{booktabs}
\begin{tabular}{rrrr}
\toprule
layer & separate & cumulative & baseline \\
\midrule
0 & 0.5 & 0.5 & 0.1 \\
3 & 0.75 & 0.8 & 0.1 \\
\bottomrule
\end{tabular}
"""
    )
    table = [["label", "x"], ["-LRB-", -1.5], ["PRP$", float("nan")], ["=1", None]]
    assert csv_table(table) == "label,x\n'-LRB-,-1.5\nPRP$,nan\n'=1,\n"
    assert latex_table(table).splitlines()[5:8] == [
        r"-LRB- & $-$1.5 \\",
        r"PRP\$ & -- \\",
        r"=1 &  \\",
    ]


def test_a_ranking_is_saved_as_latex_and_not_read_back(tmp_path):
    EVERY["NeuronRanking"].restrict_to_layers([1]).save(tmp_path / "r.tex")
    assert r"\begin{tabular}{rrrrrr}" in (tmp_path / "r.tex").read_text()
    with pytest.raises(InputError, match="a table, not the whole ranking"):
        NeuronRanking.load(tmp_path / "r.tex")
    with pytest.raises(InputError, match=r"is a folder; give the file of a ranking$"):
        NeuronRanking.load(tmp_path)
    EVERY["NeuronRanking"].save(tmp_path / "ranking.json")
    with pytest.raises(InputError, match=r"give the file of a ranking, as .*/ranking\.json$"):
        NeuronRanking.load(tmp_path)
    with pytest.raises(InputError, match=r"saved as .json, .csv or .tex"):
        EVERY["NeuronRanking"].save(tmp_path / "r.txt")
    with pytest.raises(InputError, match=r"saved as .csv or .tex"):
        write_table(tmp_path / "r.xls", [["a"]])


def test_without_pandas_there_is_a_clear_error_and_csv(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pandas", None)
    for name in ("NeuronRanking", "LayerScores", "SideEffects"):
        with pytest.raises(InputError, match=r"needs pandas; pip install 'neurox-lite\[pandas\]'"):
            EVERY[name].to_pandas()
        EVERY[name].save(tmp_path / "x.csv")
        EVERY[name].save(tmp_path / "x.tex")


def classes_with_arrays():
    for module in pkgutil.walk_packages(neurox_lite.__path__, "neurox_lite."):
        if ".data" in module.name:
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            if dataclasses.is_dataclass(kind) and getattr(kind, "__module__", "") == module.name:
                types = [str(field.type) for field in dataclasses.fields(kind)]
                if any("ndarray" in t or "torch.Tensor" in t for t in types):
                    yield kind


def test_no_public_class_prints_its_arrays():
    for kind in classes_with_arrays():
        is_generated = hasattr(kind.__repr__, "__wrapped__")
        assert kind.__name__.startswith("_") or not is_generated or kind.__name__ in (
            "AtZero", "Call", "Contents", "StoreHeader", "Plan", "Point", "Extractor",
            "StoreWriter",
        )  # fmt: skip


def test_names_are_shown():
    assert "1.2 of 1" not in str(EVERY["MaskFit"])
    assert str(EVERY["NeuronRanking"]).startswith(f"NeuronRanking by {terminal(EVIL)}\n")
    assert "top " in str(EVERY["NeuronRanking"])
