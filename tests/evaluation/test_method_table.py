"""A table of methods: means, ranges, missing cells, and its file."""

import pytest

from neurox_lite.errors import InputError
from neurox_lite.evaluation.method_table import MethodTable

VALUES = {"one": {"a": [1.0, 3.0], "b": [0.5]}, "random": {"a": [0.0], "c": []}}


def test_means_and_ranges_and_what_is_missing():
    table = MethodTable.from_values(VALUES)
    assert table.methods == ("one", "random")
    assert table.columns == ("a", "b", "c")
    assert table.mean == ((2.0, 0.5, None), (0.0, None, None))
    assert table.low == ((1.0, 0.5, None), (0.0, None, None))
    assert table.high == ((3.0, 0.5, None), (0.0, None, None))
    assert table.n_repetitions == 2
    assert table.column("a") == {"one": 2.0, "random": 0.0}


def test_saved_and_loaded_it_is_the_same(tmp_path):
    table = MethodTable.from_values(VALUES)
    table.save(tmp_path / "t.json")
    assert MethodTable.load(tmp_path / "t.json") == table
    (tmp_path / "t.json").write_text("{}")
    with pytest.raises(InputError, match="not a result of the kind 'method table'"):
        MethodTable.load(tmp_path / "t.json")


def test_the_figure_has_a_panel_per_column_and_a_point_per_value():
    figure = MethodTable.from_values(VALUES).plot()
    panels = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title() for axis in panels] == ["a", "b", "c"]
    assert [len(axis.lines) for axis in panels] == [4, 2, 0]
    assert [tick.get_text() for tick in panels[0].get_yticklabels()] == ["one", "random"]
    many = MethodTable.from_values({"m": {str(i): [1.0] for i in range(8)}}).plot()
    assert sum(axis.get_visible() for axis in many.axes) == 8
