"""The heat maps hold the numbers of the agreement, and long names are wrapped."""

from dataclasses import replace

import numpy as np

from neurox_lite.figures import save_figure
from neurox_lite.neurons import NeuronSpace
from neurox_lite.ranking import agreement, random_ranking

LONG = "selectivity by the point-biserial correlation (results/of/yesterday/ranking.json)"


def matrix():
    space = NeuronSpace.of_array(50)
    rankings = [random_ranking(space, seed) for seed in range(3)]
    return agreement([*rankings, replace(rankings[0].reversed(), method=LONG)], 10)


def test_cells_show_the_values():
    found = matrix()
    figure = found.plot()
    for axis, values in zip(
        figure.axes, (found.overlap, found.kendall, found.rank_biased), strict=True
    ):
        np.testing.assert_array_equal(axis.images[0].get_array(), values)
        shown = {text.get_position(): text.get_text() for text in axis.texts}
        for i in range(4):
            for j in range(4):
                assert shown[j, i] == f"{values[i][j]:.2f}"
    assert [axis.get_title() for axis in figure.axes] == [
        "top 10 shared",
        "Kendall's tau",
        "rank-biased overlap",
    ]
    assert figure.axes[0].get_xlabel() == "by chance 0.20"


def test_names_stand_once_and_are_wrapped():
    first, second, third = matrix().plot().axes
    names = [label.get_text() for label in first.get_yticklabels()]
    assert names[0] == "random  1"
    assert names[3].replace("\n", "").replace(" ", "") == LONG.replace(" ", "") + "4"
    assert max(map(len, names[3].split("\n"))) <= 26
    for labels in (first.get_xticklabels(), second.get_yticklabels(), third.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["1", "2", "3", "4"]


def test_equal_figures_are_equal_files(tmp_path):
    for name in ("one.png", "two.png"):
        save_figure(matrix().plot(), tmp_path / name, dpi=50)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
